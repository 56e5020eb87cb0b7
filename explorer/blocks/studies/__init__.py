"""The studies page, block by block."""
