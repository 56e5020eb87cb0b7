"""The agreement page, block by block."""
