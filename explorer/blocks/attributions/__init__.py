"""The attributions page, block by block."""
