"""The explain page, block by block."""
