"""`python -m explorer.readme`: write what the README and the documentation show from the raw results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from explorer.pictures.study_figures import authors
from explorer.readme import pages
from explorer.readme.forest import Row, forest
from explorer.readme.speed import growth, speed
from explorer.readme.tables import markdown
from explorer.words import open_questions, story
from explorer.words.open_questions import DATA
from explorer.words.results import LABELS
from explorer.words.studies import brief, with_half
from ked.studies import STUDIES
from ked.studies.report import Report, shipped_report
from ked.studies.shipped import RESULTS, file_of

ROOT = RESULTS.parent
DOCS = ROOT / "docs"


def main() -> None:
    """Write the pages of `results/` with their tables and figures, and the generated parts of README.md and the documentation."""
    reports = {name: {scale: _report(name, scale) for scale in DATA if file_of(name, scale).is_file()} for name in STUDIES}
    (RESULTS / "figures").mkdir(exist_ok=True)
    for name, found in reports.items():
        for scale, report in found.items():
            _write_tables(report, RESULTS / scale / name)
        (RESULTS / f"{name}.md").write_text(pages.page(name, found, _report), encoding="utf-8")
        for measure, figure in pages.figures(found).items():
            (RESULTS / "figures" / f"{name}-{measure}.svg").write_text(figure, encoding="utf-8")
    (RESULTS / "README.md").write_text(pages.index(reports), encoding="utf-8")
    known = story.points(_report)
    title = "difference of test accuracy, percentage points"
    (DOCS / "figures/story.svg").write_text(forest([_point(one) for one in known], title), encoding="utf-8")
    (DOCS / "figures/steps.svg").write_text(_steps(), encoding="utf-8")
    told = {"story": story.paragraph(known)}
    _replace(ROOT / "README.md", told)
    _replace(DOCS / "shown.md", told | {"authors": _beside_the_authors(_report("architecture", "paper")), "studies": _overview(reports)})
    bench = RESULTS / "bench.json"
    if bench.is_file():
        figures = json.loads(bench.read_text("utf-8"))
        _replace(DOCS / "speed.md", {"speed": speed(figures), "growth": growth(figures)})
    _replace(DOCS / "open-questions.md", told | {"questions": open_questions.sections(_report)})


@cache
def _report(name: str, scale: str) -> Report:
    return shipped_report(STUDIES[name], scale)


def _write_tables(report: Report, folder: Path) -> None:
    report.table.to_csv(folder / "table.csv", index=False)
    report.contrast_table.to_csv(folder / "contrasts.csv", index=False)


def _point(one: story.Point) -> Row:
    mean, low, high = (100 * float(value) for value in one.contrast.difference)
    return Row(one.about, mean, low, high, bool(one.contrast.shown), one.question)


def _steps() -> str:
    """What each step from the plain student to KED gains, with the paper's recipe."""
    return next(iter(pages.figures({"paper": _report("architecture", "paper")}).values()))


def _beside_the_authors(report: Report) -> str:
    """Their one run beside our seeds."""
    theirs = {net: f"{100 * accuracy:.2f}" for (_, net), accuracy in authors(report).items()}
    rows = report.table.to_dict("records")
    told = [[LABELS[row["net"]], theirs.get(row["net"], ""), with_half(row, "accuracy", 100, 2)] for row in rows]
    return markdown(["Fashion-MNIST, test accuracy in %", "the authors' code, one run", "ours"], told)


def _overview(reports: Mapping[str, pages.Found]) -> str:
    """One row a study: what its comparisons give on each data set that any has cells of."""
    rows, there = [], [scale for scale in DATA if any(scale in found for found in reports.values())]
    for name, found in reports.items():
        told = [brief(found[scale]) if scale in found else "" for scale in there]
        if not STUDIES[name].datasets:  # one outcome, of data that are its levels
            told = [f"on made data, {told[0]}", *("–" for _ in told[1:])]
        rows.append([f"{STUDIES[name].question} (`{name}`)", *told])
    return markdown(["question", *(f"{where[:1].upper()}{where[1:]}" for where in map(DATA.__getitem__, there))], rows)


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
