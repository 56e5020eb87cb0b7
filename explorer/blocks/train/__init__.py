"""The train page, block by block."""
