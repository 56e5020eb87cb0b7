"""What the authors' own code gave, beside which ours can be held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ked.recipe import Recipe
from ked.runs.stage_keys import stage_keys
from ked.studies.cells import Cell


@dataclass(frozen=True)
class Published:
    """One run of somebody else's code.

    Attributes:
        source: Whose, on what, how often.
        accuracy: Net -> test accuracy, 0 to 1.
    """

    source: str
    accuracy: Mapping[str, float]


AUTHORS = Published(
    "The code of the paper's authors (arXiv 2310.02572), run once on Fashion-MNIST with their recipe: M = 4, teachers 2 × 500, "
    "students 2 × 60, 100 epochs, one seed",
    {"teacher": 0.9000, "explaining": 0.8953, "plain": 0.8750, "kd": 0.8828, "ked": 0.8868},
)

_RECIPE = {
    "dataset": "fashion-mnist", "superfeatures": 4, "teacher_hidden": (500, 500), "student_hidden": (60, 60),
    "teacher_epochs": 100, "epochs": 100, "methods": ("plain", "kd", "ked"),
}  # fmt: skip


def beside(cell: Cell) -> dict[str, float]:
    """The nets of a cell that were trained as the authors' were, and the accuracy that their code gave."""
    stages = stage_keys(Recipe.make(**_RECIPE, seeds=cell.recipe.seeds, seed=cell.recipe.seed))
    found = {}
    for net, accuracy in AUTHORS.accuracy.items():
        stage = net if net in ("teacher", "explaining") else f"student-{net}"
        if stage in cell.stages and cell.stages[stage] == stages[stage]:
            found[net] = accuracy
    return found
