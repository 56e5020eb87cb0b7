"""A run's figures at all its moments: what the slider through time moves, on the page and in the report."""
