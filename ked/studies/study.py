"""What a study is made of: levels of one axis, methods, and the comparisons that answer its question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Fields = Mapping[str, Any]
"""Fields of a `ked.recipe.Recipe` and their values."""

Measured = Literal["accuracy", "agreement"]

BEST = "best by validation"
"""In place of a level: the one at which the method's mean validation accuracy is the highest, so that test data pick nothing."""

BAYES_RULE = "bayes-rule"
"""The most probable class of the true distribution, among the nets where it is known: not trained, and no net does better on average."""

_PAPERS: Fields = {"teacher_hidden": (500, 500), "student_hidden": (60, 60), "teacher_epochs": 100, "epochs": 100}

SCALES: dict[str, Fields] = {
    "small": {"teacher_hidden": (200, 200), "student_hidden": (20, 20), "teacher_epochs": 40, "epochs": 60},
    "pairs": {"teacher_hidden": (200, 200), "student_hidden": (20, 20), "teacher_epochs": 40, "epochs": 60, "scale": "std"},
    "paper": _PAPERS,
    "mnist": _PAPERS,
    "side-by-side": {**_PAPERS, "student_hidden": (20, 20)},
    "emoji": {"net": "small-cnn", "teacher_epochs": 60, "epochs": 60},
}
"""What trainings a study's cells have: short ones for digits and two cores, the same for pairs of digits, whose superfeatures are
known, with dependencies per standard deviation, or the paper's, for Fashion-MNIST, for MNIST or for both side by side, or those of a small
convolutional net for pictures in colour."""

DATASETS = {
    "small": "digits", "pairs": "digit-pairs", "paper": "fashion-mnist", "mnist": "mnist", "side-by-side": "mnist+fashion-mnist",
}  # fmt: skip
"""The data that a scale trains multilayer perceptrons on."""


@dataclass(frozen=True)
class Comparison:
    """Students of one method minus those of another, or of another level, at every level that it names.

    Attributes:
        method, against: Names of `ked.methods.METHODS`.
        against_level: The level of `against`; "" for the same level as `method`.
        levels: The levels of `method`, or `BEST`; () for all that the study has.
        measure: What is compared: test accuracy, or agreement with the explaining teacher's explanations.
    """

    method: str
    against: str
    against_level: str = ""
    levels: tuple[str, ...] = ()
    measure: Measured = "accuracy"


@dataclass(frozen=True, eq=False)
class Study:
    """One question, and the runs that answer it.

    Equal to itself alone.

    Attributes:
        name: As on the command line.
        question: One sentence.
        axis: Level -> the recipe fields that it changes; a level may have methods of its own.
        methods: Students of every level that does not say otherwise.
        comparisons: What answers the question.
        fields: Recipe fields of all levels, over those of the scale.
        axes: Scale -> the axis, where it is another one there.
        more: Scale -> recipe fields of all levels there, over `fields`.
        datasets: Scale -> the data set that it runs on unless somebody wants another; empty where the levels are data sets.
    """

    name: str
    question: str
    axis: Mapping[str, Fields]
    methods: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    fields: Fields = field(default_factory=dict)
    axes: Mapping[str, Mapping[str, Fields]] = field(default_factory=dict)
    more: Mapping[str, Fields] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=lambda: DATASETS)

    @property
    def scales(self) -> tuple[str, ...]:
        """Those at which the question can be asked."""
        return tuple(self.datasets or DATASETS)

    def levels(self, scale: str) -> Mapping[str, Fields]:
        """The axis at a scale."""
        return self.axes.get(scale, self.axis)
