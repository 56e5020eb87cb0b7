"""A visitor's own picture as a sample: greys of any size are brought to the form that a data set's own pictures have."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ked.data import limits, picture_files
from ked.data.dataset import Dataset
from ked.data.picture_files import UnusablePicture
from ked.errors import InvalidInput

FORMATS = ("PNG", "JPEG")
BYTES = 8 << 20  # of an uploaded picture
_WORK = 96  # rows and columns, about, of the sheet that is drawn on
_FINE = 8  # a figure is put in its place by eighths of a pixel
_FAINT = 0.1  # of the darkest place: what is fainter is no part of the figure


@dataclass(frozen=True)
class Fit:
    """How a data set's makers laid their figures out.

    Attributes:
        box: Pixels that the longer side of the figure fills.
        by_mass: Whether its centre of mass lies in the middle of the picture, and not the middle of its box.
        levels: Into how many steps greys were counted.
    """

    box: int
    by_mass: bool = False
    levels: int = 255


_DIGITS, _MNIST, _FASHION = Fit(8, levels=16), Fit(20, by_mass=True), Fit(28)  # digits: 32 x 32 points, of which a pixel counts 4 x 4
FITS: dict[str, tuple[Fit, ...]] = {
    "digits": (_DIGITS,),
    "digit-pairs": (_DIGITS, _DIGITS),
    "mnist": (_MNIST,),
    "fashion-mnist": (_FASHION,),
    "mnist+fashion-mnist": (_MNIST, _FASHION),
}
"""Of data sets whose makers say so, one for each of the figures that stand side by side; all others are taken where they stand."""


def refusal(dataset: Dataset) -> str:
    """Why nothing can be drawn for a data set, as a sentence; empty where one can."""
    if not dataset.is_image:
        return f"{dataset.name} is a table: its samples are rows of numbers, and a drawing has none of its columns."
    if len(dataset.shape) == 3 and dataset.shape[0] != 1:
        return f"{dataset.name} holds pictures in colour: a grey drawing would be unlike all that its nets have seen."
    return ""


def sheet(dataset: Dataset) -> tuple[int, int]:
    """Rows and columns of the sheet that is drawn on: a whole multiple of the data set's, so that nothing is squeezed."""
    height, width = dataset.shape[-2:]
    times = max(1, round(_WORK / max(height, width)))
    return height * times, width * times


def as_sample(figure: np.ndarray, dataset: Dataset) -> Tensor:
    """The sample (D,) that a drawing stands for, in the data set's own scale.

    Args:
        figure: (rows, columns) from 0, the ground, to 1, in full ink.
        dataset: Grey pictures, x in [0, 1].

    Raises:
        InvalidInput: Nothing can be drawn for these data.
    """
    if reason := refusal(dataset):
        raise InvalidInput(reason)
    (height, width), fits = dataset.shape[-2:], FITS.get(dataset.name)
    if fits is None:
        laid = _resized(figure, (height, width))
    else:
        parts = zip(np.hsplit(figure, len(fits)), fits, strict=True)
        laid = np.hstack([_laid_out(part, (height, width // len(fits)), fit) for part, fit in parts])
    x = laid if _light_figures(dataset) else 1 - laid
    return torch.from_numpy(x.astype(np.float32)).flatten()


def read_picture(content: bytes, size: tuple[int, int], ground: str = "") -> np.ndarray:
    """An uploaded picture as a drawing of this size, (rows, columns) from 0, the ground, to 1.

    Args:
        content: A PNG or JPEG file; colours become greys, and what can be seen through is white.
        size: It is made smaller or larger to fit in, with ground around it.
        ground: "light" or "dark"; "" decides by the picture's rim.

    Raises:
        InvalidInput: It is none, is broken or too large, or shows nothing on white although it is not empty.
    """
    if len(content) > BYTES:
        raise InvalidInput(f"The picture has {len(content) / 2**20:.1f} MB, but at most {BYTES >> 20} MB are allowed.")
    try:
        picture = picture_files.read(io.BytesIO(content), FORMATS, limits.PICTURE_SIDE)
    except UnusablePicture as error:
        raise InvalidInput(f"The file {error}.") from None
    return _placed(_figure(np.asarray(picture.convert("L")) / 255, ground), size)


def _figure(grey: np.ndarray, ground: str) -> np.ndarray:
    """Greys as ink on its ground: the rim's level becomes 0, what differs most from it 1."""
    level = float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))
    ink = level - grey if (ground or ("light" if level > 0.5 else "dark")) == "light" else grey - level
    peak = float(ink.max())
    return np.clip(ink / peak, 0, 1) if peak > 0 else np.zeros_like(grey)


def _placed(figure: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """As large as fits into `size`, in the middle."""
    scale = min(size[0] / figure.shape[0], size[1] / figure.shape[1])
    inner = _resized(figure, (max(1, round(figure.shape[0] * scale)), max(1, round(figure.shape[1] * scale))))
    return _pasted(inner, size, ((size[0] - inner.shape[0]) / 2, (size[1] - inner.shape[1]) / 2))


def _laid_out(figure: np.ndarray, shape: tuple[int, ...], fit: Fit) -> np.ndarray:
    """The figure cut out, scaled into its box and put where the data set's figures are, in the data set's steps of grey."""
    rows, columns = (np.flatnonzero((figure > _FAINT * figure.max()).any(axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros(shape)
    cut = figure[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = fit.box * _FINE / max(cut.shape)
    box = _resized(cut, tuple(max(1, round(side * scale)) for side in cut.shape))
    middle = _centre(box) if fit.by_mass else tuple((side - 1) / 2 for side in box.shape)
    fine = tuple(side * _FINE for side in shape)
    laid = _resized(_pasted(box, fine, tuple((side - 1) / 2 - at for side, at in zip(fine, middle, strict=True))), shape)
    return np.asarray(np.rint(laid * fit.levels) / fit.levels)


def _centre(figure: np.ndarray) -> tuple[float, ...]:
    """The centre of mass, in pixels."""
    return tuple(float((np.indices(figure.shape)[axis] * figure).sum() / figure.sum()) for axis in (0, 1))


def _pasted(inner: np.ndarray, size: tuple[int, ...], corner: tuple[float, ...]) -> np.ndarray:
    """`inner` on an empty picture, its corner as near to `corner` as it can be without being cut."""
    canvas = np.zeros(size)
    top, left = (min(max(round(at), 0), whole - part) for at, whole, part in zip(corner, size, inner.shape, strict=True))
    canvas[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return canvas


def _resized(figure: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Every new pixel the mean of the old ones below it; larger pictures are interpolated."""
    smaller = shape[0] <= figure.shape[0]
    picture = Image.fromarray(figure.astype(np.float32))
    scaled = picture.resize((shape[1], shape[0]), Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR)
    return np.asarray(scaled, dtype=float)


def _light_figures(dataset: Dataset) -> bool:
    """Whether a data set's pictures are light on a dark ground: by the rim of their mean."""
    mean = dataset.x[dataset.train[:1000]].mean(0).reshape(*dataset.shape[-2:]).cpu().numpy()
    return float(np.concatenate([mean[0], mean[-1], mean[:, 0], mean[:, -1]]).mean()) < 0.5
