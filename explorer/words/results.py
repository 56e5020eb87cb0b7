"""What came out of a run as a table: accuracies with their intervals, paired differences, parameters, seconds."""

from __future__ import annotations

from typing import Any

import pandas as pd

from explorer.words.numbers import plus_minus, signed
from ked.methods import METHODS
from ked.shares import in_percent
from ked.statistics import Interval, interval, paired_difference
from ked.studies.study import BAYES_RULE

_NO_STUDENTS = {"teacher": "teacher", "explaining": "explaining teacher", BAYES_RULE: "Bayes rule"}
LABELS = _NO_STUDENTS | {name: method.label for name, method in METHODS.items()}


def result_table(summary: dict[str, Any], seconds: dict[str, float]) -> pd.DataFrame:
    """One row a net: accuracy with its interval, paired differences to plain and KD, parameters, seconds of training.

    Beside each accuracy, where the run has measured it, by how much it is above what the most frequent class alone would reach.
    """
    rows = []
    scores = summary["accuracy"]
    for name, value in scores.items():
        values = value if isinstance(value, list) else [value]
        row: dict[str, Any] = {"net": LABELS[name], "test accuracy": percent(interval(values)), "seeds": len(values)}
        if "majority" in summary:
            above = sum(values) / len(values) - summary["majority"]
            row[f"above the most frequent class, {in_percent(summary['majority'], 1)}"] = signed(100 * above)
        for reference in ("plain", "kd"):
            if reference in scores:
                student = isinstance(value, list) and name != reference
                difference = points(paired_difference(values, scores[reference])) if student else ""
                row[f"against {LABELS[reference]}"] = difference
        stage = name if name in ("teacher", "explaining") else f"student-{name}"
        rows.append(row | {"parameters": summary["parameters"][name], "seconds": round(seconds.get(stage, 0.0), 1)})
    return pd.DataFrame(rows)


def headline(summary: dict[str, Any]) -> str:
    """The students' accuracies in a line, best mean first, with their intervals over the seeds."""
    students = {name: interval(values) for name, values in summary["accuracy"].items() if isinstance(values, list)}
    ranked = sorted(students.items(), key=lambda item: -item[1][0])
    rule = f"; the Bayes rule {in_percent(summary['bayes_rule'], 1)}" if "bayes_rule" in summary else ""
    return ", ".join(f"{LABELS[name]} {percent(found, 1)}" for name, found in ranked) + rule


def percent(found: Interval, digits: int = 2) -> str:
    """An accuracy in percent, with the half width of its interval in points if it has one."""
    mean, low, _ = found
    half = f" ± {100 * (mean - low):.{digits}f} points" if low == low else ""
    return f"{in_percent(mean, digits)}{half}"


def points(found: Interval) -> str:
    """A difference of accuracies in percentage points, with the half width of its interval if it has one."""
    mean, low, _ = (100 * part for part in found)
    return signed(float(mean)) + plus_minus(mean - low, 2)
