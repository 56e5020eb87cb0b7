"""Results that come with the program: read as they were written, completed by own cells, never taken for another recipe's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from command_line import Ked
from study_samples import TINY, TWO_SEEDS, keep

from ked.errors import Unavailable
from ked.studies import STUDIES, Study, shipped, study_named
from ked.studies.authors import AUTHORS, beside
from ked.studies.cells import Settings, cells_of
from ked.studies.report import report, report_with_shipped

Ship = Callable[[Study, Settings], Path]


@pytest.mark.parametrize("settings", [TWO_SEEDS, Settings(seeds=3, teachers=2)], ids=["seeds", "teachers"])
def test_shipped_cells_give_the_report_that_their_records_give(settings: Settings, ship: Ship) -> None:
    ship(TINY, settings)
    theirs = report_with_shipped(TINY, settings)
    assert report(TINY, settings).missing == tuple(TINY.axis)
    keep(TINY, settings)
    mine = report(TINY, settings)
    for name in ("cells", "table", "contrast_table"):
        pd.testing.assert_frame_equal(getattr(theirs, name), getattr(mine, name), check_exact=True)
    assert (theirs.answer, theirs.note, theirs.missing) == (mine.answer, mine.note, ())
    assert (theirs.shipped, mine.shipped) == (tuple(TINY.axis), ())


def test_a_visitors_own_cells_stand_before_shipped_ones_and_are_told_apart(ship: Ship) -> None:
    ship(TINY, TWO_SEEDS)
    keep(TINY, TWO_SEEDS, ("M = 2",), shift=0.05)
    found = report_with_shipped(TINY, TWO_SEEDS)
    assert found.shipped == ("M = 3",)
    assert found.missing == ()
    assert list(dict.fromkeys(found.cells["level"])) == ["M = 2", "M = 3"]
    kd = found.cells[found.cells["net"] == "kd"].groupby("level")["accuracy"].mean()
    assert kd["M = 2"] > kd["M = 3"] + 0.04
    assert report(TINY, TWO_SEEDS).missing == ("M = 3",)


def test_shipped_cells_of_other_settings_are_left_out(ship: Ship) -> None:
    ship(TINY, TWO_SEEDS)
    for study, settings in ((TINY, Settings(teachers=1)), (replace(TINY, fields=dict(TINY.fields) | {"epochs": 3}), TWO_SEEDS)):
        assert report_with_shipped(study, settings).missing == tuple(TINY.axis)
    one_teacher_of_two = report_with_shipped(TINY, Settings(seeds=2, teachers=2))
    assert one_teacher_of_two.missing == tuple(TINY.axis)
    assert set(one_teacher_of_two.cells["unit"]) == {0}, "of two teachers the teacher is the unit"


def test_without_shipped_results_there_is_what_was_computed_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "RESULTS", tmp_path / "nowhere")
    assert report_with_shipped(TINY, TWO_SEEDS).missing == tuple(TINY.axis)
    keep(TINY, TWO_SEEDS)
    pd.testing.assert_frame_equal(report_with_shipped(TINY, TWO_SEEDS).contrast_table, report(TINY, TWO_SEEDS).contrast_table)


@pytest.mark.parametrize("content", ["", "level,net\nM = 2,kd\n", "\x00\x01", None], ids=["empty", "columns", "binary", "letters"])
def test_a_damaged_file_is_a_sentence(content: str | None, ship: Ship, one_sentence: Callable[[str], str]) -> None:
    path = ship(TINY, TWO_SEEDS)
    path.write_text(path.read_text("utf-8").replace("0.3333333333333333", "a third") if content is None else content, "utf-8")
    with pytest.raises(Unavailable, match=r"cells\.csv") as caught:
        report_with_shipped(TINY, TWO_SEEDS)
    one_sentence(f"It is so: {caught.value}")


def test_the_command_tells_what_is_stored_without_computing(ship: Ship, ked: Ked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STUDIES, "tiny", TINY)
    ship(TINY, TWO_SEEDS)
    done = ked("study", "tiny", "--seeds", "2", "--teachers", "1", "--stored", "--json")
    assert done.code == 0, done.err
    assert done.result["shipped"] == list(TINY.axis)
    assert done.result["comparisons"] == 3


ON_THE_DISK = sorted(shipped.RESULTS.glob("*/*/cells.csv"))


@pytest.mark.parametrize("path", ON_THE_DISK, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_every_shipped_cell_is_one_of_its_study_as_it_is_today(path: Path) -> None:
    study, scale = study_named(path.parent.name), path.parent.parent.name
    settings = shipped.settings_of(study.name, scale)
    assert set(shipped.read(path)["key"]) <= {cell.key for cell in cells_of(study, settings)}


def test_the_authors_numbers_stand_beside_nets_that_were_trained_as_theirs() -> None:
    def nets(name: str, level: str = "M = 4", scale: str = "paper", **fields: int) -> set[str]:
        (cell,) = [cell for cell in cells_of(study_named(name), Settings(scale, teachers=1, fields=fields)) if cell.level == level]
        return set(beside(cell))

    assert nets("architecture") == {"teacher", "explaining", "plain", "kd", "ked"} == set(AUTHORS.accuracy)
    assert nets("kd-vs-ked", "M = 2") == {"teacher", "plain", "kd"}, "what M decides is another net"
    assert nets("grouping", "hessian") == {"teacher", "explaining", "ked"}
    assert nets("grouping", "random") == {"teacher"}
    assert nets("architecture", scale="small") == set()
    assert nets("architecture", epochs=5) == {"teacher", "explaining"}
