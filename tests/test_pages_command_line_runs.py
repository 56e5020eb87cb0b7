"""Runs made on the command line open on every page: data made to order, a file by its path, every cell of every study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from visitor import PAGES, address, caption, control, said, sound, usable, visit

from explorer.state.settings import NOT_IN_THE_APP, SETTINGS, of_recipe, to_recipe
from ked.recipe import Recipe
from ked.store import Run, create_run
from ked.studies.catalogue import STUDIES
from ked.studies.cells import Settings, cells_of

TINY: dict[str, Any] = {
    "methods": ("plain", "ked"), "teacher_hidden": (8,), "student_hidden": (8,), "seeds": 2, "epochs": 1, "teacher_epochs": 1,
    "superfeatures": 2, "if_collapsed": "continue",
}  # fmt: skip
MADE_TO_ORDER = "planted:features=6,groups=2,classes=30,samples=600"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table whose class is in a column of its own name."""
    rng = np.random.default_rng(0)
    rows = [f"{','.join(f'{value:.3f}' for value in rng.normal(kind, 1, 4))},{'abc'[kind]}" for kind in range(3) for _ in range(30)]
    (tmp_path / "flowers.csv").write_text("\n".join(["long,wide,deep,tall,kind", *rows]) + "\n")
    return tmp_path / "flowers.csv"


def test_a_run_of_data_made_to_order_opens_on_every_page(finish: Callable[[Recipe], Run]) -> None:
    run = finish(Recipe.make(dataset=MADE_TO_ORDER, **TINY))
    for page in PAGES:
        app = sound(visit(page, run=run.id), page)
        assert control(app, "widget.dataset").value == MADE_TO_ORDER
    assert "already computed" in caption(visit("train", run=run.id), "Everything")


def test_a_run_of_a_file_by_its_path_opens_as_long_as_the_file_is_there_and_the_same(
    table: Path, finish: Callable[[Recipe], Run]
) -> None:
    run = finish(Recipe.make(dataset=str(table), label="kind", drop=("tall",), **TINY))
    for page in PAGES:
        sound(visit(page, run=run.id), page)
    assert "already computed" in caption(visit("train", run=run.id), "Everything")  # the columns came along
    table.write_text(table.read_text().replace("a\n", "b\n", 5))
    app = visit("explain", run=run.id)
    usable(app, "explain")
    assert "changed since" in said(app)[0]
    table.unlink()
    app = visit("explain", run=run.id)
    usable(app, "explain")
    assert "which leads nowhere now" in said(app)[0]
    assert "run" not in address(app)


def test_an_address_alone_makes_no_data_to_order() -> None:
    app = visit("data", data=MADE_TO_ORDER)
    assert "was ignored" in said(app)[0]


@pytest.mark.parametrize("scale", ["small", "paper"])
def test_the_controls_reach_every_cell_of_every_study(scale: str) -> None:
    for study in STUDIES.values():
        for cell in cells_of(study, Settings(scale=scale)):
            chosen = of_recipe(cell.recipe)
            if cell.recipe.dataset not in SETTINGS["dataset"].options:  # type: ignore[attr-defined]
                create_run(cell.recipe)
            for name, value in chosen.items():
                assert SETTINGS[name].parse(SETTINGS[name].format(value)) == value, f"{cell.name}: {name}"
            kept = {name: getattr(cell.recipe, name) for name in NOT_IN_THE_APP}
            assert to_recipe(chosen).without(**kept) == cell.recipe, cell.name
