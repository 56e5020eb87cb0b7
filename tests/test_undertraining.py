"""A student that has not reached its teacher and still improves is said to need more epochs, and no other is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ked.recipe import Recipe
from ked.runs.undertraining import found
from ked.store import Run

RECIPE = Recipe(methods=("ked",), epochs=20, batch_size=10)
FALLING = [2.0 * 0.8**epoch for epoch in range(20)]


def events(stage: str, loss: Sequence[float], validation: Sequence[float]) -> list[dict[str, object]]:
    told: list[dict[str, object]] = [{"kind": "training", "stage": stage, "weights": {"ce": 0.5, "explanation": 10.0}}]
    for value, accuracy in zip(loss, validation, strict=True):
        terms = {"ce": [value, value], "explanation": [value, 0.0]}
        told.append({"kind": "epoch", "stage": stage, "loss": terms, "validation": [accuracy - 0.01, accuracy + 0.01]})
    return told


def said(loss: Sequence[float] = FALLING, validation: Sequence[float] = (), teacher: float = 0.9) -> list[str]:
    validation = validation or [0.3 + 0.02 * epoch for epoch in range(len(loss))]
    return found([*events("explaining", [1.0], [teacher]), *events("student-ked", loss, validation)], RECIPE, 100)


def test_who_is_behind_and_still_improves_is_said_with_what_to_set() -> None:
    (sentence,) = said()
    assert sentence == (
        "KED has not reached its teacher (65.0 % of the validation samples against 90.0 %) and still improves after 200 batches: "
        "train it longer, with epochs = 200."
    )


@pytest.mark.parametrize(
    "otherwise",
    [
        {"teacher": 0.66},
        {"loss": [0.5] * 20},
        {"validation": [0.6 - 0.01 * epoch for epoch in range(20)]},
        {"loss": [2.0, 1.0, 0.5, 0.2]},
    ],
    ids=["as good as its teacher", "a loss that has come to rest", "an accuracy that falls", "too few epochs to tell"],
)
def test_nobody_else_is(otherwise: dict[str, object]) -> None:
    assert said(**otherwise) == []  # type: ignore[arg-type]


def test_a_run_on_few_samples_says_so_and_more_epochs_mend_it(small_recipe: Recipe, finish: Callable[[Recipe], Run]) -> None:
    small = {"teacher_hidden": (40,), "student_hidden": (6,), "methods": ("plain",), "superfeatures": 2}
    few = small_recipe.without(dataset="wine", teacher_epochs=30, epochs=10, lr=0.003, **small)
    (sentence,) = finish(few).info["undertrained"]
    assert sentence.startswith("plain has not reached its teacher")
    assert sentence.endswith("train it longer, with epochs = 200.")
    assert finish(few.without(epochs=200)).info["undertrained"] == []
