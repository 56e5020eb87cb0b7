"""The superfeatures page, block by block."""
