"""`python -m explorer.readme`: write what the README and the documentation show from the raw results."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from explorer.pictures.study_figures import authors
from explorer.readme.forest import Row, forest
from explorer.readme.speed import growth, speed
from explorer.readme.tables import markdown, nets
from explorer.words import open_questions, story
from explorer.words.results import LABELS
from explorer.words.studies import brief, command_line, of, pair, test_set, with_half
from ked.studies import STUDIES
from ked.studies.outcome import Contrast
from ked.studies.report import Report, shipped_report
from ked.studies.shipped import RESULTS, file_of

ROOT = RESULTS.parent
DOCS = ROOT / "docs"
SCALES = {"small": "Digits", "pairs": "Pairs of digits", "paper": "Fashion-MNIST, the paper's recipe"}
_MOST = 45  # rows of a figure
_AXES = {"accuracy": "difference of test accuracy, percentage points", "agreement": "difference of agreement (cosine)"}


def main() -> None:
    """Write the tables, the figures, `results/README.md` and the generated parts of README.md and the documentation."""
    reports = {scale: [_report(name, scale) for name in STUDIES if file_of(name, scale).is_file()] for scale in SCALES}
    for scale, found in reports.items():
        for report in found:
            _write_study(report, RESULTS / scale / report.study.name)
    (RESULTS / "README.md").write_text(_everything(reports), encoding="utf-8")
    known = story.points(_report)
    title = "difference of test accuracy, percentage points"
    (DOCS / "figures/story.svg").write_text(forest([_point(one) for one in known], title, left=620), encoding="utf-8")
    shutil.copyfile(RESULTS / "paper/architecture/accuracy.svg", DOCS / "figures/steps.svg")
    told = {"story": story.paragraph(known)}
    _replace(ROOT / "README.md", told)
    _replace(DOCS / "shown.md", told | {"authors": _beside_the_authors(reports["paper"]), "studies": _overview(reports)})
    bench = RESULTS / "bench.json"
    if bench.is_file():
        figures = json.loads(bench.read_text("utf-8"))
        _replace(DOCS / "speed.md", {"speed": speed(figures), "growth": growth(figures)})
    _replace(DOCS / "open-questions.md", told | {"questions": open_questions.sections(_report)})


@cache
def _report(name: str, scale: str) -> Report:
    return shipped_report(STUDIES[name], scale)


def _write_study(report: Report, folder: Path) -> None:
    report.table.to_csv(folder / "table.csv", index=False)
    report.contrast_table.to_csv(folder / "contrasts.csv", index=False)
    for measure, found in _by_measure(report.contrasts).items():
        (folder / f"{measure}.svg").write_text(forest([_row(one) for one in found[:_MOST]], _AXES[measure]), encoding="utf-8")


def _point(one: story.Point) -> Row:
    mean, low, high = (100 * float(value) for value in one.contrast.difference)
    return Row(one.about, mean, low, high, bool(one.contrast.shown), one.contrast.ours[1], one.question)


def _by_measure(found: Sequence[Contrast]) -> dict[str, list[Contrast]]:
    parts = {measure: [one for one in found if one.comparison.measure == measure] for measure in _AXES}
    return {measure: part for measure, part in parts.items() if part}


def _row(one: Contrast) -> Row:
    scale = 100 if one.comparison.measure == "accuracy" else 1
    name = pair(one) if one.ours[0] != one.theirs[0] else f"{pair(one)}, {one.ours[0]}"
    mean, low, high = (scale * float(value) for value in (one.difference.mean, one.difference.low, one.difference.high))
    return Row(name, mean, low, high, bool(one.shown), one.ours[1])


def _everything(reports: dict[str, list[Report]]) -> str:
    parts = [
        "# What came out\n\nWritten by `python -m explorer.readme` from the raw cells beside it (`cells.csv`, one row a net and "
        "seed). Full dots: shown after Holm's correction; hollow: not shown."
    ]
    for scale, found in reports.items():
        parts.append(f"## {SCALES[scale]}")
        parts += [_section(report, scale) for report in found]
    return "\n\n".join(parts) + "\n"


def _section(report: Report, scale: str) -> str:
    name = report.study.name
    parts = [f"### {report.study.question}", f"{of(report.settings)[:1].upper()}{of(report.settings)[1:]}.", report.answer]
    parts.append(f"{report.note} {test_set(report)}".strip())
    parts += [f"![Differences of {measure}]({scale}/{name}/{measure}.svg)" for measure in _by_measure(report.contrasts)]
    if report.missing:
        parts.append(f"Not computed yet: {', '.join(report.missing)}.")
    parts.append(f"<details><summary>All nets</summary>\n\n{nets(report)}\n\n</details>\n\n`{command_line(report)}`")
    return "\n\n".join(parts)


def _beside_the_authors(found: Sequence[Report]) -> str:
    """Their one run beside our seeds."""
    report = next((report for report in found if report.study.name == "architecture"), None)
    if report is None:
        return "Not computed yet."
    theirs = {net: f"{100 * accuracy:.2f}" for (_, net), accuracy in authors(report).items()}
    rows = report.table.to_dict("records")
    told = [[LABELS[row["net"]], theirs.get(row["net"], ""), with_half(row, "accuracy", 100, 2)] for row in rows]
    return markdown(["Fashion-MNIST, test accuracy in %", "the authors' code, one run", "ours"], told)


def _overview(reports: dict[str, list[Report]]) -> str:
    """One row a study: what its comparisons give on each data set."""
    rows = []
    for study in STUDIES.values():
        told = [next((brief(one) for one in found if one.study.name == study.name), "") for found in reports.values()]
        if not study.datasets:  # one outcome, of data that are made
            told = [f"on made data, {told[0]}", *("–" for _ in told[1:])]
        rows.append([f"{study.question} (`{study.name}`)", *told])
    return markdown(["question", *SCALES.values()], rows)


def _replace(file: Path, parts: dict[str, str]) -> None:
    """Put each part between its two marks, `<!-- name -->` and `<!-- /name -->`."""
    text = file.read_text("utf-8")
    for name, part in parts.items():
        head, mark, rest = text.partition(f"<!-- {name} -->\n")
        _, end, tail = rest.partition(f"<!-- /{name} -->")
        if not (mark and end):
            raise SystemExit(f"{file.name} has no place for {name!r}: put <!-- {name} --> and <!-- /{name} --> where it belongs.")
        text = f"{head}{mark}{part}\n{end}{tail}"
    file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
