"""What the pages are made of: figures, controls and panels; the method itself lives in `ked`."""
