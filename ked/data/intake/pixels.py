"""Tables whose columns are the pixels of pictures, such as `label,pixel0,...,pixel783`."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd

_PIXEL = re.compile(r"(pixels?|px|pix|p)[ _.-]?\d+|\d+x\d+", re.IGNORECASE)
_NUMBERED = re.compile(r"([A-Za-z_ .-]*?)[ _.-]?(\d+)")
_SMALLEST = 16  # pixels, of columns that are not called so
_STEPS = 8  # the largest value is more: answers from 1 to 5 are no greys
TOPS = (1.0, 16.0, 255.0)
"""What white is, in the pictures that there are: shares, scikit-learn's digits, bytes."""


def side(frame: pd.DataFrame, *, named: bool) -> int | None:
    """Rows of the square pictures that all columns together are, else None.

    They are where there is a square number of columns with values from 0 to 255, which are called pixels, or are just numbered and hold
    whole numbers.
    """
    D = frame.shape[1]
    rows = math.isqrt(D)
    if D < 4 or rows * rows != D or not all(dtype.kind in "iuf" for dtype in frame.dtypes):
        return None
    pixels = all(_PIXEL.fullmatch(str(name)) for name in frame.columns)
    if not pixels and (D < _SMALLEST or not (_numbered(frame) or not named)):
        return None
    values = frame.to_numpy(np.float64, na_value=np.nan)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 255):  # also false where a value is missing
        return None
    whole = not np.mod(values, 1).any()
    return rows if (pixels and high > 0) or (whole and high > _STEPS) else None


def unit_interval(frame: pd.DataFrame) -> tuple[np.ndarray, float]:
    """Pixels (N, D) in [0, 1] float32, and what was taken for white."""
    values = frame.to_numpy(np.float64)
    white = next(top for top in TOPS if values.max() <= top)
    return (values / white).astype(np.float32), white


def _numbered(frame: pd.DataFrame) -> bool:
    """Whether the columns are called by one word and the numbers from 0 or 1 on."""
    matches = [_NUMBERED.fullmatch(str(name)) for name in frame.columns]
    if not all(matches):
        return False
    words, numbers = {match[1] for match in matches if match}, [int(match[2]) for match in matches if match]
    return len(words) == 1 and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
