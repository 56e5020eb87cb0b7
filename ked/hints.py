"""The table of hints: what draws the student's last maps before pooling to the teacher's (METHOD 1.6).

FitNet (arXiv 1412.6550), attention transfer (AT, arXiv 1612.03928), similarity preserving (SP, arXiv 1907.09682); their losses are
in `ked.hint_losses`, which is imported when one is built: names can be looked at without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ked.errors import InvalidInput

if TYPE_CHECKING:
    from ked.hint_losses import HintLoss, MapShape


@dataclass(frozen=True)
class Hint:
    """A row of `HINTS`.

    Attributes:
        name: As in a method's name, "ked+fitnet".
        label: As on a chart.
        description: One sentence for people.
        build: Its loss from the student's and the teacher's map shapes, the number of branches M and K seeds.
    """

    name: str
    label: str
    description: str
    build: Callable[[MapShape, MapShape, int, Sequence[int]], HintLoss]


def _fitnet(student: MapShape, teacher: MapShape, branches: int, seeds: Sequence[int]) -> HintLoss:
    from ked.hint_losses import FitNet

    return FitNet(student, teacher, branches, seeds)


def _attention_transfer(student: MapShape, teacher: MapShape, branches: int, seeds: Sequence[int]) -> HintLoss:
    from ked.hint_losses import AttentionTransfer, refuse_one_pixel

    refuse_one_pixel(min(student.height, teacher.height), min(student.width, teacher.width))
    return AttentionTransfer()


def _similarity_preserving(student: MapShape, teacher: MapShape, branches: int, seeds: Sequence[int]) -> HintLoss:
    from ked.hint_losses import SimilarityPreserving

    return SimilarityPreserving()


HINTS: dict[str, Hint] = {
    hint.name: hint
    for hint in (
        Hint("fitnet", "FitNet", "The student's last map, through a learned projection, equals the teacher's.", _fitnet),
        Hint("at", "AT", "The student looks at the places of the picture that the teacher looks at.", _attention_transfer),
        Hint("sp", "SP", "Samples that are alike to the teacher are alike to the student.", _similarity_preserving),
    )
}


def hint_named(name: str) -> Hint:
    """The row of `HINTS` with that name; an error that lists what there is."""
    if name not in HINTS:
        raise InvalidInput(f"hint {name!r} is unknown; use one of {', '.join(HINTS)}.")
    return HINTS[name]
