"""Tables of studies and benchmarks in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.words.results import LABELS
from explorer.words.studies import between, of, side, signed, with_half
from ked.studies.outcome import Contrast
from ked.studies.report import Report


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; its cells are taken as they are, but for the bar."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def nets(report: Report) -> str:
    """Accuracy and agreement of every net at every level."""
    told = report.table["agreement"].notna().any()
    head = ["level", "net", "test accuracy, %", *(["agreement (cosine)"] if told else [])]
    rows = []
    for row in report.table.to_dict("records"):
        more = [with_half(row, "agreement", 1, 3)] if told else []
        rows.append([str(row["level"]), LABELS[row["net"]], with_half(row, "accuracy", 100, 1), *more])
    return markdown(head, rows)


def brief(report: Report) -> str:
    """All comparisons of a study in few words: what is shown, and between how many levels."""
    groups: dict[str, list[Contrast]] = {}
    for contrast in report.contrasts:
        against = side(contrast.theirs, level=contrast.theirs[0] != contrast.ours[0])
        what = "agreement, " if contrast.comparison.measure == "agreement" else ""
        groups.setdefault(f"{what}{LABELS[contrast.ours[1]]} − {against}", []).append(contrast)
    found = [f"{name}: {_brief(found)}" for name, found in groups.items()]
    if report.recovery:
        ends = dict.fromkeys(f"{pick(report.recovery.values()):.2f}" for pick in (min, max))
        found.insert(0, f"true groups recovered: adjusted Rand index {' to '.join(ends)}")
    return "<br>".join([f"*{of(report.settings)}*", *found])


def _brief(found: Sequence[Contrast]) -> str:
    if len(found) == 1:
        return _difference(found[0])
    above, below = (sum(one.shown == sign for one in found) for sign in (1, -1))
    parts = [f"above at {above}" if above else "", f"below at {below}" if below else ""]
    shown = ", ".join(filter(None, parts)) or "nothing shown"
    measure, values = found[0].comparison.measure, [float(one.difference.mean) for one in found]
    return f"{shown} of {len(found)} levels ({signed(min(values), measure)} to {signed(max(values), measure)})"


def _difference(one: Contrast) -> str:
    mean, bold = signed(one.difference.mean, one.comparison.measure), "**" if one.shown else ""
    return f"{bold}{mean}{bold} {between(one.difference, one.comparison.measure)}".rstrip()
