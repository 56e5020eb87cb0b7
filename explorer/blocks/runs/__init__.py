"""The runs page, block by block."""
