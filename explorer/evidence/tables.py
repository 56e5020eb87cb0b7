"""Tables of studies and benchmarks in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.results import LABELS
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
        rows.append([str(row["level"]), LABELS.get(row["net"], row["net"]), with_half(row, "accuracy", 100, 1), *more])
    return markdown(head, rows)


def with_half(row: Mapping[str, Any], name: str, scale: float, digits: int) -> str:
    """A mean with half the width of its 95 % interval, where it has one."""
    mean, half = scale * row[name], scale * (row[f"{name}_high"] - row[name])
    if mean != mean:
        return ""
    return f"{mean:.{digits}f}" + (f" ± {half:.{digits}f}" if half == half else "")


def brief(report: Report) -> str:
    """All comparisons of a study in few words: what is shown, and between how many levels."""
    groups: dict[str, list[Contrast]] = {}
    for contrast in report.contrasts:
        against = LABELS[contrast.theirs[1]] + (f" at {contrast.theirs[0]}" if contrast.theirs[0] != contrast.ours[0] else "")
        what = "agreement, " if contrast.comparison.measure == "agreement" else ""
        groups.setdefault(f"{what}{LABELS[contrast.ours[1]]} − {against}", []).append(contrast)
    found = [f"{name}: {_brief(found)}" for name, found in groups.items()]
    if report.recovery:
        least, most = (f"{pick(report.recovery.values()):.2f}" for pick in (min, max))
        found.insert(0, f"planted groups recovered: adjusted Rand index {least} to {most}")
    return "<br>".join(found)


def _brief(found: Sequence[Contrast]) -> str:
    if len(found) == 1:
        return _difference(found[0])
    above, below = (sum(one.shown == sign for one in found) for sign in (1, -1))
    parts = [f"above at {above}" if above else "", f"below at {below}" if below else ""]
    shown = ", ".join(filter(None, parts)) or "nothing shown"
    values = [one.difference.mean for one in found]
    scale, digits = _unit(found[0])
    return f"{shown} of {len(found)} levels ({_signed(scale * min(values), digits)} to {_signed(scale * max(values), digits)})"


def _difference(one: Contrast) -> str:
    scale, digits = _unit(one)
    mean, low, high = (_signed(scale * value, digits) for value in (one.difference.mean, one.difference.low, one.difference.high))
    return f"{'**' if one.shown else ''}{mean}{'**' if one.shown else ''} [{low}, {high}]"


def _unit(one: Contrast) -> tuple[float, int]:
    return (1, 2) if one.comparison.measure == "agreement" else (100, 1)


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")
