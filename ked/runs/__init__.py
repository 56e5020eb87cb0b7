"""One run: the walk from data to students, what steers it, and what it leaves behind."""
