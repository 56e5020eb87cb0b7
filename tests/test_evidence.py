"""What the README shows comes from the raw results, number for number."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from explorer.readme.__main__ import _replace, _report
from explorer.readme.forest import Row, forest
from explorer.readme.speed import growth
from explorer.readme.speed import speed as in_speed
from explorer.readme.tables import markdown, nets
from explorer.words.open_questions import ASKED, DATA, scales, sections
from explorer.words.story import PLACES, conclusion, paragraph, points
from explorer.words.studies import brief
from ked.studies import STUDIES
from ked.studies.shipped import RESULTS

ROWS = [Row("a < b", 1.0, 0.5, 1.5, True, "ked"), Row("c", -2.0, -4.0, 0.0, False, "kd")]
SVG = "{http://www.w3.org/2000/svg}"


def circles(text: str) -> list[ET.Element]:
    return list(ET.fromstring(text).iter(f"{SVG}circle"))


def test_dots_lie_on_one_scale_and_what_is_not_shown_is_hollow() -> None:
    drawn = ET.fromstring(forest(ROWS, "points"))
    ticks = {text.text: float(text.get("x", "")) for text in drawn.iter(f"{SVG}text") if text.get("text-anchor") == "middle"}
    unit = (ticks["2"] - ticks["0"]) / 2
    first, second = (float(dot.get("cx", "")) for dot in drawn.iter(f"{SVG}circle"))
    assert first == pytest.approx(ticks["0"] + unit, abs=0.2)
    assert second == pytest.approx(ticks["0"] - 2 * unit, abs=0.2)
    assert [dot.get("class") for dot in circles(forest(ROWS, "points"))] == [None, "h"]


def test_every_number_is_also_there_in_words() -> None:
    told = next(ET.fromstring(forest(ROWS, "points")).iter(f"{SVG}title")).text
    assert told == "Differences with 95 % intervals: a < b +1.0 [0.5, 1.5]; c −2.0 [−4.0, 0.0]"


def test_a_difference_without_an_interval_has_a_dot_and_no_line() -> None:
    nothing = float("nan")
    drawn = forest([*ROWS, Row("same", 0.0, nothing, nothing, False, "mu0")], "points")
    assert "nan" not in drawn
    assert len(circles(drawn)) == 3
    assert len([line for line in ET.fromstring(drawn).iter(f"{SVG}line") if line.get("stroke-width") == "2.5"]) == 2
    assert "; same 0.0</title>" in drawn


def test_a_table_keeps_bars_out_of_its_columns() -> None:
    assert markdown(["a", "b"], [["x|y", "1"]]) == "| a | b |\n| --- | --- |\n| x\\|y | 1 |"


def test_a_part_is_put_between_its_marks_and_a_missing_place_is_named(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("before\n<!-- one -->\nold\n<!-- /one -->\nafter\n")
    _replace(file, {"one": "new"})
    assert file.read_text() == "before\n<!-- one -->\nnew\n<!-- /one -->\nafter\n"
    with pytest.raises(SystemExit, match="no place for 'two'"):
        _replace(file, {"two": "new"})


def test_the_shipped_study_says_what_its_cells_say() -> None:
    report = _report("kd-vs-ked", "small")
    cells = pd.read_csv(RESULTS / "small" / "kd-vs-ked" / "cells.csv")
    mean = {net: 100 * part["accuracy"].mean() for net, part in cells.groupby("net")}
    assert f"{mean['ked'] - mean['kd']:+.1f}" in brief(report)
    assert f"| KED | {mean['ked']:.1f} ± " in nets(report)


def test_the_story_says_of_each_data_set_what_its_study_shows() -> None:
    found = points(_report)
    for one in found:
        study = next(study for place, study, *_ in PLACES if place == one.place)
        scale = next(scale for place, _, scale, _ in PLACES if place == one.place)
        (same,) = [
            other
            for other in _report(study, scale).contrasts
            if (other.ours, other.theirs, other.comparison.measure) == (one.contrast.ours, one.contrast.theirs, "accuracy")
        ]
        assert same == one.contrast
    said = paragraph(found)
    assert said.endswith(conclusion(found))
    for sign, start in ((1, "above zero on"), (0, "not shown on")):
        assert any(one.contrast.shown == sign for one in found) == (start in said)
    turned = [replace(one, recovery=None) for one in found]
    assert "the gain goes with the structure" in said
    assert "tructure" not in paragraph(turned), "without known groups nothing is claimed"


def test_readme_and_documentation_say_what_the_results_give() -> None:
    root = RESULTS.parent
    readme, shown, speed = ((root / file).read_text() for file in ("README.md", "docs/shown.md", "docs/speed.md"))
    for scale in ("small", "pairs", "paper"):
        for name in STUDIES:
            if (RESULTS / scale / name / "cells.csv").is_file():
                assert brief(_report(name, scale)) in shown, f"run python -m explorer.readme: {scale} {name}"
    said = paragraph(points(_report))
    assert said in readme
    assert said in shown
    figures = json.loads((RESULTS / "bench.json").read_text())
    assert in_speed(figures) in speed
    assert growth(figures) in speed
    assert (root / "docs/figures/steps.svg").read_bytes() == (RESULTS / "paper/architecture/accuracy.svg").read_bytes()


def test_the_page_of_open_questions_says_what_the_results_give_and_what_is_missing() -> None:
    page = (RESULTS.parent / "docs" / "open-questions.md").read_text("utf-8")
    assert sections(_report) in page, "run python -m explorer.readme"
    assert paragraph(points(_report)) in page
    for one in ASKED:
        part = page.split(f"**{one.question}**")[1].split("What would change our mind")[0]
        for scale in scales(STUDIES[one.study]):
            few = _report(one.study, scale)
            command = f"`python -m ked study {one.study}{f' --scale {scale}' * (scale != 'small')}`"
            assert (command in part) == (few.settings.teachers == 1 or bool(few.missing) or few.cells.empty)
    assert {*DATA} == {"small", "pairs", "paper"}
