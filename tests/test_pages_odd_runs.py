"""What lies among the runs and is none, or cannot be read, takes no page down; an address cannot make the app say what is not its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from visitor import TITLES, said, sound, usable, visit

from ked.store import PRESETS, list_runs, strangers

DAMAGED = {
    "bad-null": "null",
    "bad-true": "true",
    "bad-text": "x",
    "bad-recipe": '{"recipe": null}',
    "bad-status": '{"recipe": {}, "status": 5}',
    "bad-data": '{"recipe": {"dataset": 7}, "status": "done", "created": 1}',
    "bad-field": '{"recipe": {"dataset": "digits", "nope": 1}, "status": "done", "created": 1}',
}
COPIES = ("Kopie von wine (1)", "コピー", "x")


@pytest.fixture
def odd(ked_home: Path) -> Path:
    """A home whose folder of runs holds copies made by hand and damaged runs, and not one that is whole."""
    runs = ked_home / "runs"
    for name in COPIES:
        shutil.copytree(PRESETS / "digits-preset", runs / name)
    for name, text in DAMAGED.items():
        (runs / name).mkdir()
        (runs / name / "run.json").write_text(text, "utf-8")
    (runs / "bad-folder" / "run.json").mkdir(parents=True)
    return runs


@pytest.mark.parametrize("page", TITLES)
def test_no_odd_folder_takes_a_page_down(odd: Path, page: str) -> None:
    sound(visit(page), page)
    _told(page, "bad-data")


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_run_is_named_in_one_sentence(odd: Path, name: str) -> None:
    _told("superfeatures", name)


def _told(page: str, name: str) -> None:
    app = visit(page, run=name)
    usable(app, page)
    assert [name in message for message in said(app)] == [True]


def test_a_copy_made_by_hand_is_no_run_and_the_runs_page_says_what_to_do(odd: Path) -> None:
    assert not {run.id for run in list_runs()} & set(COPIES)
    assert set(strangers()) == set(COPIES)
    told = [caption.value for caption in sound(visit("runs"), "runs").caption if "rename the folder" in caption.value]
    assert len(told) == len(COPIES)


def test_a_junk_address_is_told_in_one_box_and_nothing_of_it_is_alive(ked_home: Path) -> None:
    junk = {"run": "![](//host/p.png)", "sf": "[Log in again](//host)", "m": ":red[x]", "lr": "$x$", "i": "<b>1</b>"}
    for page in TITLES:
        app = visit(page, **junk)
        usable(app, page)
        (box,) = app.warning
        assert "4 more" in box.value
        assert not any(live in box.value for live in ("![", "[](", "[Log", "](/", ":red", "<b>"))
