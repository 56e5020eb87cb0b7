"""How nets learn: batches in, steps and epochs out. Knows no recipe and no run folder, so that it can be lifted out."""
