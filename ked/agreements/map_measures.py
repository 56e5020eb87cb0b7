"""Measures of agreement that compare pixel maps: where in the picture do student and teacher find what speaks for the answer?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, linalg

from ked.agreements.map_similarity import PixelMaps, overlap, ssim
from ked.agreements.measures import FIDELITY, MEASURES, Compared, Measure
from ked.agreements.outputs import NetOutputs

_KINDS: dict[str, tuple[str, str, Callable[[NetOutputs], PixelMaps]]] = {
    "own": (
        "own maps",
        "what a net's superfeatures say for the teacher's answer, spread over their pixels or over where a branch looks",
        lambda said: said.own_map,
    ),
    "gradient": (
        "gradient maps",
        "gradient times input of the evidence for the teacher's answer, which black boxes have too",
        lambda said: said.gradient_map,
    ),
}


def _ranks(student: PixelMaps, teacher: PixelMaps) -> Tensor:
    product: Tensor = linalg.vecdot(student.rank_directions, teacher.rank_directions)
    return product


def _strongest(student: PixelMaps, teacher: PixelMaps) -> Tensor:
    return overlap(student.strongest, teacher.strongest)


def _structure(student: PixelMaps, teacher: PixelMaps) -> Tensor:
    return ssim(student.structure, teacher.structure)


def _rows(kind: str) -> tuple[Measure, ...]:
    label, what, maps = _KINDS[kind]

    def of(compare: Callable[[PixelMaps, PixelMaps], Tensor]) -> Callable[[NetOutputs, NetOutputs], Compared]:
        return lambda student, teacher: Compared(compare(maps(student), maps(teacher)))

    return (
        Measure(
            f"{kind}-ranks", f"{label}: rank correlation",
            f"Spearman's correlation over the pixels of {what}.",
            of(_ranks), low=-1.0, chance=lambda M, k: 0.0,
        ),
        Measure(
            f"{kind}-top", f"{label}: strongest tenth",
            f"Of the tenth of the pixels that speak most, intersection over union; two sets at random share about 0.05. Maps: {what}.",
            of(_strongest),
        ),
        Measure(
            f"{kind}-structure", f"{label}: structure (SSIM)",
            f"Structural similarity (Wang et al. 2004) of the maps as grey levels, each on the scale of its strongest place. Maps: {what}.",
            of(_structure), low=-1.0,
        ),
    )  # fmt: skip


MAPS: dict[str, Measure] = {measure.name: measure for kind in _KINDS for measure in _rows(kind)}
"""Of maps over the input's pixels, or a table's features, both nets' made in the same way (METHOD 4)."""

ALL: dict[str, Measure] = MEASURES | MAPS | FIDELITY
"""Every measure there is."""


def kind_of(name: str) -> str:
    """Which maps a measure compares, "own" or "gradient"; empty for a measure that compares none."""
    return name.partition("-")[0] if name in MAPS else ""


def map_measures(shape: Sequence[int], kinds: Sequence[str] = tuple(_KINDS), *, explains: bool = True) -> dict[str, Measure]:
    """The rows that apply: a black box has no maps of its own, and a table has no structure in the plane.

    Args:
        shape: How a sample is laid out, (H, W), (channels, H, W) or (D,).
        kinds: Which maps, of "own" and "gradient".
        explains: Whether the student has explanations of its own.
    """
    forms = ("ranks", "top", "structure") if len(shape) > 1 else ("ranks", "top")
    applying = [kind for kind in kinds if explains or kind != "own"]
    return {name: MAPS[name] for kind in applying for name in (f"{kind}-{form}" for form in forms)}
