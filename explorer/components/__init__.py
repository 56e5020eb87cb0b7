"""The two pieces of JavaScript: a plot that stays, and the slider that moves plots through time."""
