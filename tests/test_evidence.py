"""What the README shows comes from the raw results, number for number."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from explorer.readme import pages
from explorer.readme.__main__ import _replace, _report, _steps
from explorer.readme.forest import Row, forest
from explorer.readme.speed import growth
from explorer.readme.speed import speed as in_speed
from explorer.readme.tables import markdown, nets
from explorer.words.open_questions import ASKED, DATA, missing, scales, sections
from explorer.words.results import LABELS
from explorer.words.sceptic import form, teachers
from explorer.words.story import PLACES, conclusion, helped, paragraph, points
from explorer.words.studies import VERDICTS, brief, command_line, difference, signed
from ked.studies import STUDIES
from ked.studies.cells import cells_of
from ked.studies.report import Report
from ked.studies.shipped import RESULTS, file_of
from ked.studies.study import SCALES

ROWS = [Row("a < b", 1.0, 0.5, 1.5, True), Row("c", -2.0, -4.0, 0.0, False)]
SVG = "{http://www.w3.org/2000/svg}"


def circles(text: str) -> list[ET.Element]:
    return list(ET.fromstring(text).iter(f"{SVG}circle"))


def test_dots_lie_on_one_scale_and_what_is_not_shown_is_hollow() -> None:
    drawn = ET.fromstring(forest(ROWS, "points"))
    ticks = {text.text: float(text.get("x", "")) for text in drawn.iter(f"{SVG}text") if text.get("text-anchor") == "middle"}
    unit = ticks["1"] - ticks["0"]
    first, second = (float(dot.get("cx", "")) for dot in drawn.iter(f"{SVG}circle"))
    assert first == pytest.approx(ticks["0"] + unit, abs=0.2)
    assert second == pytest.approx(ticks["0"] - 2 * unit, abs=0.2)
    assert [dot.get("class") for dot in circles(forest(ROWS, "points"))] == ["s", "h"]


def test_every_number_is_also_there_in_words() -> None:
    told = next(ET.fromstring(forest(ROWS, "points")).iter(f"{SVG}title")).text
    assert told == "Differences with 95 % intervals: a < b +1.0 [+0.5, +1.5]; c −2.0 [−4.0, 0.0]"


def test_a_difference_without_an_interval_has_a_dot_and_no_line() -> None:
    nothing = float("nan")
    drawn = forest([*ROWS, Row("same", 0.0, nothing, nothing, False)], "points")
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
    assert f"| KED | {mean['ked']:.1f} ± " in nets(report, str)


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
    assert conclusion(found) in said
    assert "`python -m ked study architecture --teachers 10`" in said.split("Repeat it: ")[1]
    for sign, start in ((1, "above zero on"), (0, "not shown on")):
        assert any(one.contrast.shown == sign for one in found) == (start in said)
    bare = found[0].contrast.difference._replace(low=float("nan"), high=float("nan"))
    few = [replace(found[0], teachers=2, contrast=replace(found[0].contrast, difference=bare))]
    assert f"({signed(bare.mean, 'accuracy')}, 2 teachers)" in paragraph(few), "without an interval nothing stands in its place"
    assert replace(found[0], modularity=-0.014).about.endswith("modularity −0.01)")
    turned = [replace(one, recovery=None) for one in found]
    assert "the gain goes with the structure" in said
    assert "tructure" not in paragraph(turned), "without known groups nothing is claimed"


def test_the_first_page_says_whether_it_helped_as_the_studies_do() -> None:
    found = points(_report)
    told = " ".join(helped(found))
    for one in found:
        if one.question == "with explanations − without" and one.place in ("pairs of digits", "digits", "Fashion-MNIST"):
            assert f"{one.place} ({difference(one.contrast)}, {one.teachers} teacher" in told
    none = [replace(one, contrast=replace(one.contrast, adjusted=1.0)) for one in found]
    assert "more often right" not in " ".join(helped(none))


def test_readme_and_documentation_say_what_the_results_give() -> None:
    root = RESULTS.parent
    readme, shown, speed = ((root / file).read_text() for file in ("README.md", "docs/shown.md", "docs/speed.md"))
    for scale in DATA:
        for name in STUDIES:
            if (RESULTS / scale / name / "cells.csv").is_file():
                assert brief(_report(name, scale)) in shown, f"run python -m explorer.readme: {scale} {name}"
    said = paragraph(points(_report))
    assert said in readme
    assert said in shown
    figures = json.loads((RESULTS / "bench.json").read_text())
    assert in_speed(figures) in speed
    assert growth(figures) in speed
    assert (root / "docs/figures/steps.svg").read_text() == _steps()


def given(name: str) -> dict[str, Report]:
    """What the shipped cells of a study give at each scale that has some."""
    return {scale: _report(name, scale) for scale in DATA if file_of(name, scale).is_file()}


def test_the_index_and_every_page_and_figure_of_results_are_what_the_cells_give() -> None:
    index = pages.index({name: given(name) for name in STUDIES})
    assert (RESULTS / "README.md").read_text("utf-8") == index, "run python -m explorer.readme"
    written = {path.name: path.read_text("utf-8") for path in [*RESULTS.glob("*.md"), *(RESULTS / "figures").iterdir()]}
    del written["README.md"]
    figures = {f"{name}-{measure}.svg": text for name in STUDIES for measure, text in pages.figures(given(name)).items()}
    assert written == figures | {f"{name}.md": pages.page(name, given(name), _report) for name in STUDIES}


@pytest.mark.parametrize("name", STUDIES)
def test_each_difference_of_a_page_is_what_the_cells_that_it_leads_to_give(name: str) -> None:
    rows = [line.strip("| ").split(" | ") for line in (RESULTS / f"{name}.md").read_text("utf-8").splitlines() if ".csv#L" in line]
    told = [row for row in rows if len(row) == 8 and row[6] in VERDICTS.values()]
    assert len(told) == sum(len(about.contrasts) for about in given(name).values())
    methods = {label: net for net, label in LABELS.items()}
    for what, _, level, gain, _, _, verdict, cells in told:
        measure = "agreement" if what.startswith("agreement, ") else "accuracy"
        ours, theirs = what.removeprefix("agreement, ").split(" − ")
        links = re.findall(r"\((\S+)#L(\d+)-L(\d+)\)", cells)
        parts = [pd.read_csv(RESULTS / file).iloc[int(first) - 2 : int(last) - 1] for file, first, last in links]
        assert {*parts[0]["level"]} == {level}
        sides = zip((parts[0], parts[-1]), (ours, theirs.split(" at ")[0]), strict=True)
        mine, other = (part[part["net"] == methods[label]].groupby("unit")[measure].mean() for part, label in sides)
        mean = float((mine - other).mean())
        assert gain.startswith((signed(mean - 1e-12, measure), signed(mean + 1e-12, measure))), what  # half a digit is rounded either way
        assert verdict == VERDICTS[0] or gain.startswith("+") == ("above" in verdict)


def test_a_page_answers_a_reviewers_questions_about_teachers_data_comparisons_and_form() -> None:
    page = (RESULTS / "kd-vs-ked.md").read_text("utf-8")
    for scale, about in given("kd-vs-ked").items():
        part = page.split(f"\n## {DATA[scale][:1].upper()}{DATA[scale][1:]}\n")[1].split("\n## ")[0]
        assert about.note in part
        assert f"`{command_line(about)}`" in part
        assert "It may be in *KED − KD* and *KED − plain*, whose sides are nets of different architectures." in part
        (alone,) = [one for one in _report("architecture", scale).contrasts if (one.ours[1], one.theirs[1]) == ("architecture", "plain")]
        assert f"gives on {DATA[scale]} {difference(alone)} points over plain students, {'' if alone.shown else 'not '}shown" in part
    assert "of one teacher" in page
    assert "`python -m ked study kd-vs-ked --scale paper`" in page.split("![")[0], "what is missing, and how to compute it"


def test_what_more_teachers_would_take_is_told_until_there_are_five() -> None:
    about = _report("architecture", "small")
    for there, told in ((1, "5 teachers with 3 students each"), (3, "2 more teachers"), (4, "1 more teacher"), (5, "")):
        lacking = [*missing("small", replace(about, settings=replace(about.settings, teachers=there)))]
        assert [text.split(", ")[1].split(": `python")[0] for text in lacking] == ([told] if told else [])
        if told:
            assert told in teachers(replace(about, settings=replace(about.settings, teachers=there)))


def test_nets_of_one_form_are_told_from_nets_of_two() -> None:
    told = {name: form(_report(name, "small"), _report) for name in ("temperatures", "grouping", "m-sweep", "noise")}
    assert "may be" not in told["temperatures"]
    assert "It may be in *KED − KED at hessian*, whose" in told["grouping"]
    assert "It may be in *KED − KED at M = 1*, whose" in told["m-sweep"]
    assert "Not in *KED − noise explanations*, *KED − shuffled explanations* and *KED − KED without explanations*:" in told["noise"]


def test_a_comparison_has_one_number_and_one_verdict_wherever_it_stands() -> None:
    """Of the same nets: in README, on the pages of results, in the documentation's overview and open questions."""
    root = RESULTS.parent
    story = (root / "README.md").read_text("utf-8")
    for one in points(_report):
        part = next(line for line in story.splitlines() if line.startswith(f"- *{one.question[:1].upper()}{one.question[1:]}*"))
        kind = {1: "above zero on", -1: "below zero on", 0: "not shown on"}[one.contrast.shown]
        (said,) = [clause for clause in part.split("; ") if kind in clause]
        assert f"{one.place} ({difference(one.contrast)}, {one.teachers} teacher" in said
    verdicts: dict[tuple[Any, ...], set[tuple[str, int]]] = {}
    for name in STUDIES:
        page = (RESULTS / f"{name}.md").read_text("utf-8")
        for about in given(name).values():
            cells = cells_of(about.study, about.settings)
            for one in about.contrasts:
                assert f"| {one.ours[0]} | {difference(one)} |" in page
                sides = [[cell.stages[f"student-{net}"] for cell in cells if cell.level == level] for level, net in (one.ours, one.theirs)]
                nets = one.comparison.measure, *(tuple(side) for side in sides)
                verdicts.setdefault(nets, set()).add((difference(one), one.shown))
    assert {len(those) for those in verdicts.values()} == {1}


def test_the_page_of_open_questions_says_what_the_results_give_and_what_is_missing() -> None:
    page = (RESULTS.parent / "docs" / "open-questions.md").read_text("utf-8")
    assert sections(_report) in page, "run python -m explorer.readme"
    assert paragraph(points(_report)) in page
    for one in ASKED:
        part = page.split(f"**{one.question}**")[1].split("What would change our mind")[0]
        for scale in scales(STUDIES[one.study]):
            few = _report(one.study, scale)
            command = f"`python -m ked study {one.study}{f' --scale {scale}' * (scale != 'small')}`"
            assert (command in part) == (few.settings.teachers < 5 or bool(few.missing) or few.cells.empty)
    assert {*DATA} == {*SCALES}
