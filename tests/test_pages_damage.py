"""Whatever is wrong with a run on the disk is said in a sentence, and every page stays usable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from visitor import PAGES, copy_of, said, sound, turn_to, usable, visit

from ked.store import Run


@pytest.fixture
def finished(small_run: Run, ked_home: Path) -> Run:
    """A finished run in this test's home, which may be changed and damaged."""
    return copy_of(small_run, ked_home)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwrite(path: Path) -> None:
    path.write_bytes(b"these are not weights" * 40)


LOOKING = ("superfeatures", "explain", "attributions", "chimeras", "agreement")
DAMAGE: dict[str, tuple[Callable[[Run], Any], tuple[str, ...]]] = {  # how, and which pages look at what is damaged
    "run.json cut in half": (lambda run: cut_in_half(run.folder / "run.json"), PAGES),
    "a data set from elsewhere": (lambda run: run.update(recipe=run.info["recipe"] | {"dataset": "a-friends"}), PAGES),
    "weights overwritten": (lambda run: [overwrite(p) for p in run.folder.glob("*.safetensors")], LOOKING),
    "superfeatures cut in half": (lambda run: cut_in_half(run.folder / "superfeatures.json"), LOOKING[:4]),
    "events overwritten": (lambda run: overwrite(run.folder / "events.jsonl"), ()),
    "a student missing": (lambda run: (run.folder / "student-ked.safetensors").unlink(), ()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_run_is_a_sentence_and_every_page_stays_usable(damage: str, finished: Run) -> None:
    harm, notice = DAMAGE[damage]
    harm(finished)
    for page in PAGES:
        app = visit(page, run=finished.id)
        usable(app, page)
        messages = said(app)
        assert bool(messages) == (page in notice)
        assert all(message.endswith(".") and "\n" not in message for message in messages)
    app.query_params["run"] = "digits-preset"  # a link to something else: the same visitor sees it whole
    sound(turn_to(app, "explain"), "explain")


@pytest.mark.parametrize(("page", "stage"), [("superfeatures", "dependency"), ("explain", "explaining")])
def test_a_finished_run_whose_file_was_removed_is_not_told_as_one_that_did_not_get_so_far(page: str, stage: str, finished: Run) -> None:
    (finished.folder / f"{stage}.safetensors").unlink()
    (message,) = said(visit(page, run=finished.id))
    assert message.startswith(f"The file {stage}.safetensors of this run was written and has been removed since")


def test_a_finished_run_that_needed_no_superfeatures_says_so(finished: Run) -> None:
    (finished.folder / "dependency.safetensors").unlink()
    finished.update(stages={"teacher": finished.info["stages"]["teacher"]})
    app = sound(visit("superfeatures", run=finished.id), "superfeatures")
    assert any("needed superfeatures" in info.value for info in app.info)
