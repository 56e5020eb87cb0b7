"""Pictures (D,) of shape (H, W) or (3, H, W) as figures show them: the one place where samples become pixels of the screen.

Greys are ink on paper, so that they suit light and dark; colours are the picture's own. Row 0 is at the top, pixels have sharp edges.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from explorer.pictures import theme

_PALE, _GREYED = 0.18, 0.25  # how far a colour picture is moved to white and to its greys where a tint lies over it


def in_colour(shape: Sequence[int]) -> bool:
    """Whether samples of this shape have red, green and blue."""
    return len(shape) == 3 and shape[0] == 3


def brightness(image: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """(H, W) in [0, 1]: the mean over the channels, stretched to the picture's own range."""
    grey = np.asarray(image, dtype=float).reshape(-1, *shape[-2:]).mean(0)
    low, high = grey.min(), grey.max()
    return (grey - low) / (high - low) if high > low else np.full_like(grey, 0.5)


def colours(image: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """(H, W, 3) bytes of a picture in colour, whose values are in [0, 1]."""
    pixels: np.ndarray = np.round(255 * np.clip(_layers(image, shape), 0, 1)).astype(np.uint8)
    return pixels


def _layers(image: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    return np.asarray(image, dtype=float).reshape(*shape).transpose(1, 2, 0)


def picture_trace(image: np.ndarray, shape: Sequence[int], *, calm: bool = True) -> go.Heatmap | go.Image:
    """One picture. `calm`: in lower contrast, as full black or full colour would drown the tint above it."""
    if in_colour(shape):
        shown = np.clip(_layers(image, shape), 0, 1)
        if calm:
            shown = _PALE + (1 - _PALE) * ((1 - _GREYED) * shown + _GREYED * shown.mean(-1, keepdims=True))
        return _image(np.round(255 * shown).astype(np.uint8), hoverinfo="skip")
    light = np.round(255 * brightness(image, shape)).astype(np.uint8)
    top = 410 if calm else 300
    return go.Heatmap(z=light, zmin=0, zmax=top, colorscale=theme.INK_SCALE, showscale=False, hoverinfo="skip")


class Sheet:
    """Many pictures of one shape on one ground, which is clear where none lies.

    Args:
        height, width: Of the whole in pixels.
        shape: Of each picture.
    """

    def __init__(self, height: int, width: int, shape: Sequence[int]) -> None:
        self._shape, self.size = shape, (height, width)
        self._pixels = np.zeros((height, width, 4), np.uint8) if in_colour(shape) else np.full((height, width), np.nan)

    def lay(self, image: np.ndarray, top: int, left: int) -> None:
        """Lay a picture (D,) with its corner there."""
        height, width = self._shape[-2:]
        place = self._pixels[top : top + height, left : left + width]
        if in_colour(self._shape):
            place[..., :3], place[..., 3] = colours(image, self._shape), 255
        else:
            place[:] = 255 * brightness(image, self._shape)

    def trace(self) -> go.Heatmap | go.Image:
        """The whole; a pointer on it is reported with its place."""
        if not in_colour(self._shape):
            return go.Heatmap(z=self._pixels, zmin=0, zmax=255, colorscale=theme.INK_SCALE, showscale=False, hoverinfo="none")
        return _image(self._pixels, hoverinfo="none")


def _image(pixels: np.ndarray, *, hoverinfo: str) -> go.Image:
    """As a PNG file: browsers enlarge it sharply, and it takes a tenth of what its numbers take."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return go.Image(source=f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}", zsmooth=False, hoverinfo=hoverinfo)
