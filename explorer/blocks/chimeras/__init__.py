"""The chimeras page, block by block."""
