"""Tables of studies and benchmarks in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.words.results import LABELS
from explorer.words.studies import with_half
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
