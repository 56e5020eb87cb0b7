"""Reports: one file that holds all that the run has, says nothing that it does not, and lets nobody's words become markup."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from command_line import Ked
from visitor import copy_of

from explorer import cache
from explorer.replay.figures import enter
from explorer.report.document import report
from explorer.report.tables import attributions, plain
from explorer.timeline.history import History
from explorer.words.agreement import number
from ked import library
from ked.errors import InvalidInput
from ked.store import PRESETS, Run

MEGABYTES = 15


@pytest.fixture
def finished(small_run: Run, ked_home: Path) -> Run:
    return copy_of(small_run, ked_home)


def embedded(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_every_figure_has_its_place_and_the_moving_ones_a_frame_for_moments_of_the_slider(finished: Run) -> None:
    text = report(finished)
    told = embedded(text)
    assert set(told["figures"]) == set(re.findall(r'<figure id="([\w-]+)"', text))
    names = {tick["name"] for tick in told["ticks"]}
    moving = [json.loads(data["figure"]) for data in told["figures"].values() if data["group"]]
    assert len(moving) >= 6
    for figure in moving:
        assert {frame["name"] for frame in figure["frames"]} <= names
    assert len(max((figure["frames"] for figure in moving), key=len)) == len(names)
    assert len(text) < MEGABYTES * 1e6


def test_the_accuracies_are_those_of_the_run(finished: Run) -> None:
    text = report(finished)
    for values in finished.info["summary"]["accuracy"].values():
        mean = sum(values) / len(values) if isinstance(values, list) else values
        assert f"{100 * mean:.2f} %" in text


def test_it_holds_the_data_card_agreement_with_both_chance_levels_attributions_and_what_they_mean(finished: Run) -> None:
    text = report(finished)
    found, data = cache.survey(finished, "ked"), cache.dataset_of(finished)
    assert f"{len(data.test)} test</td>" in text
    chances = [number(float(level("cosine").mean())) for level in (found.chance_mean, found.alike_mean)]
    assert f"({'; '.join(chances)})</td>" in text
    rows = attributions(enter(finished, finished.recipe, History(finished).read(), active=False))[1]
    assert "input × gradient" in [*rows["method"]]
    assert all(f"<td>{area}</td>" in text for area in rows["deletion"])
    assert f"one of them is {100 / len(data.test):.2f} points" in text


def test_a_name_is_text_and_never_markup(finished: Run) -> None:
    library.rename(finished, "<img src=x onerror=alert(1)>")
    text = report(finished)
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_sentences_lose_what_only_markdown_reads_and_keep_their_own_signs() -> None:
    assert plain(r"**Both.** Beside *KED*, of `length` in a\*b") == "Both. Beside KED, of length in a*b"


def test_nothing_is_fetched_from_anywhere(finished: Run) -> None:
    text = report(finished)
    own = text[: text.index("<script>")] + text[text.index('<script type="application/json"') :]
    assert not re.findall(r'(?:src|href)="(?!data:)', own)
    assert "default-src 'none'" in text


@pytest.mark.parametrize("preset", ["digits-small-cnn-preset"])
def test_a_convolutional_run_has_its_film_and_no_pixel_groups(preset: str) -> None:
    told = embedded(report(Run(PRESETS / preset)))
    parts = {name.split("-")[0] for name in told["figures"]}
    assert parts == {"results", "film"}


def test_a_run_that_has_not_finished_is_refused(finished: Run) -> None:
    finished.update(status="running")
    with pytest.raises(InvalidInput, match="finished"):
        report(finished)


def test_the_command_writes_the_file_and_refuses_in_a_sentence(finished: Run, tmp_path: Path, ked: Ked) -> None:
    file = tmp_path / "report.html"
    assert ked("report", finished.id, "-o", str(file)) == (0, f"{file}\n", "")
    assert file.read_text("utf-8").startswith("<!doctype html>")
    refused = ked("report", "nobody")
    assert refused.code == 2
    assert refused.err.startswith("ked: there is no run 'nobody'")
    assert refused.err.count("\n") == 1
