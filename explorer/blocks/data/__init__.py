"""The data page, block by block."""
