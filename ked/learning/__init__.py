"""How nets learn: batches, teachers' lessons, one training after another, what is kept of it on the way."""
