"""What the numbers on the attributions page say, as sentences and as one table. No streamlit here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ked.attribution.likeness import Likeness
from ked.attribution.quality import Measured
from ked.attribution.sanity import THRESHOLD, Verdict
from ked.attribution.shapley import ExactShapley

NOTHING = Likeness(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Line:
    """One net under one method: what was measured; `own` is the likeness to the own explanation, where there is one."""

    net: str
    method: str
    measured: Measured
    own: Likeness
    sensitivity: float | None = None
    verdict: Verdict | None = None


def table(lines: Sequence[Line]) -> pd.DataFrame:
    """Every number of the page, a row for each net and method; no column that would be empty."""
    rows = []
    for line in lines:
        row: dict[str, object] = {"net": line.net, "method": line.method, "ms": 1000 * line.measured.seconds}
        row |= {"deletion": line.measured.deletion, "insertion": line.measured.insertion}
        row |= {"own: ranks": line.own.spearman, "own: strongest tenth": line.own.overlap, "own: sums": line.own.cosine}
        row |= {"infidelity": line.measured.infidelity}
        if line.sensitivity is not None:
            row["max-sensitivity"] = line.sensitivity
        if line.verdict is not None:
            row |= {"what survives": line.verdict.correlation, "sanity": verdict(line.verdict)}
        rows.append(row)
    return pd.DataFrame(rows).dropna(axis="columns", how="all")


def verdict(found: Verdict) -> str:
    """passes, fails, or that there was nothing to judge."""
    if math.isnan(found.correlation):
        return "nothing to judge"
    return "passes" if found.passes else "fails"


def sanity(lines: Sequence[Line]) -> str:
    """Which methods pass the sanity check for all nets, which for none, which for some."""
    judged: dict[str, list[bool]] = {}
    for line in lines:
        if line.verdict is not None and not math.isnan(line.verdict.correlation):
            judged.setdefault(line.method, []).append(line.verdict.passes)
    kinds = {
        "Passing for every net": [method for method, passes in judged.items() if all(passes)],
        "failing for every net": [method for method, passes in judged.items() if not any(passes)],
        "passing for some": [method for method, passes in judged.items() if any(passes) and not all(passes)],
    }
    said = "; ".join(f"{kind}: **{', '.join(methods)}**" for kind, methods in kinds.items() if methods)
    return (
        f"{said[:1].upper()}{said[1:]}. A method passes if less than {THRESHOLD:g} of the rank correlation between its magnitudes "
        "survives when all weights are drawn anew: what shows the sample as much as the net cannot pass."
    )


def shapley(net: str, found: ExactShapley) -> str:
    """Error and speed-up of the own explanation, in one sentence or two."""
    orders = f"{found.orders:,} orders" if found.orders > 1 else "one order"
    text = (
        f"Captum goes through all {orders} of the {net}'s superfeatures and finds the same values to within "
        f"**{found.error:.0e} nats**, in {duration(found.captum_seconds)}. The net says them in one pass, in "
        f"{duration(found.own_seconds)}: **{found.speed_up:,.0f} times** as fast."
    )
    if found.blanked is None:
        return text
    apart = float(abs(found.blanked - found.own).max())
    return (
        f"{text} Replacing pixels or features by the training mean, instead of a superfeature's word by the base, "
        f"is another game, whose values differ by up to {apart:.2f} nats."
    )


def duration(seconds: float) -> str:
    """A short time: 0.19 ms, 4.1 ms, 240 ms, 2.3 s."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    milliseconds = 1000 * seconds
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2g} ms"


def share(value: float) -> str:
    """A number from -1 to 1 as short as it goes: .97, −.20, – where there is none."""
    if math.isnan(value):
        return "–"
    return f"{value:.2f}".replace("-", "−") if abs(value) >= 0.995 else f"{value:.2f}".replace("-", "−").replace("0.", ".", 1)
