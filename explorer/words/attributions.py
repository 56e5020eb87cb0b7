"""What the numbers on the attributions page say, as sentences and as one table. No streamlit here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ked.attribution import ATTRIBUTIONS
from ked.attribution.likeness import Likeness
from ked.attribution.quality import Measured
from ked.attribution.sanity import THRESHOLD, Verdict
from ked.attribution.shapley import ExactShapley

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
OWN = ATTRIBUTIONS["own"].label
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
        row |= {"agreement: ranks": line.own.spearman, "agreement: strongest tenth": line.own.overlap}
        row |= {"agreement: sums": line.own.cosine, "agreement: structure": line.own.structure}
        row |= {"infidelity": line.measured.infidelity}
        if line.sensitivity is not None:
            row["max-sensitivity"] = line.sensitivity
        if line.verdict is not None:
            row |= {"what survives": line.verdict.correlation, "sanity": verdict(line.verdict)}
        rows.append(row)
    return pd.DataFrame(rows).dropna(axis="columns", how="all")


def alike_table(pairs: Sequence[tuple[str, str, str, Likeness]]) -> pd.DataFrame:
    """How alike maps are in all views that there are; `pairs`: whose maps, the one, the other, their likeness."""
    return pd.DataFrame(
        [(whose, one, other, found.spearman, found.overlap, found.cosine, found.structure) for whose, one, other, found in pairs],
        columns=["whose", "map", "and map", "ranks", "strongest tenth", "sums", "structure"],
    ).dropna(axis="columns", how="all")


def maps_csv(maps: Mapping[str, np.ndarray], features: Sequence[str]) -> str:
    """Maps (D,) in their own units as CSV: a row a feature, a column a map."""
    return str(pd.DataFrame({"feature": list(features)} | dict(maps)).to_csv(index=False))


def summary(lines: Sequence[Line], view: str) -> str:
    """Which methods order the features best for one net, and which comes nearest to the own explanation.

    Args:
        lines: Of one net.
        view: The field of `Likeness` by which maps are compared.
    """
    orderly = [line for line in lines if line.measured.orders]
    if not orderly:
        return _no_order(lines)
    low = min(orderly, key=lambda line: line.measured.deletion)
    high = max(orderly, key=lambda line: line.measured.insertion)
    text = (
        f"The {low.net}'s answer is lost soonest when features are removed in the order of **{low.method}** "
        f"(deletion {low.measured.deletion:.2f}), and won soonest when they are added in the order of **{high.method}** "
        f"(insertion {high.measured.insertion:.2f})."
    )
    own = next((line for line in orderly if line.method == OWN), None)
    others = [line for line in lines if line is not own and not math.isnan(getattr(line.own, view))]
    if own is None or not others:
        return text
    nearest = max(others, key=lambda line: float(getattr(line.own, view)))
    return (
        f"{text} Its own explanation, which speaks of superfeatures and not of single features, reaches "
        f"{own.measured.deletion:.2f} and {own.measured.insertion:.2f}; nearest to it is **{nearest.method}** "
        f"({getattr(nearest.own, view):.2f})."
    )


def meaning(lines: Sequence[Line], sample: int) -> list[str]:
    """What one sample's numbers of one net mean, and what they do not."""
    said = [f"All of this is test sample {sample} and one class: on others the methods may come in another order."]
    orderly = [line for line in lines if line.measured.orders]
    own = next((line for line in orderly if line.method == OWN), None)
    better = sum(line.measured.deletion < own.measured.deletion for line in orderly) if own else 0
    if better:
        said.append(
            f"The own explanation does worse by deletion than {better} of the {len(orderly) - 1} other methods: it gives each superfeature "
            "one value, and inside a superfeature features go in a random order. Deletion asks for an order of single features, which is "
            "more than it claims to know; what it claims is contributions that add up to the answer."
        )
    return said


def orders(lines: Sequence[Line]) -> str:
    """Whose order of the features loses and wins one net's answer soonest, whose latest, and after how many features."""
    orderly = [line for line in lines if line.measured.orders]
    if not orderly:
        return _no_order(lines)
    lost = sorted(orderly, key=lambda line: line.measured.deletion)
    won = sorted(orderly, key=lambda line: -line.measured.insertion)
    halves = [f"halfway after {100 * half:.0f} %" for half in (lost[0].measured.deleted.halfway, won[0].measured.inserted.halfway)]
    text = (
        f"The {lines[0].net} loses its answer soonest in the order of **{lost[0].method}** (area {lost[0].measured.deletion:.2f}, "
        f"{halves[0]} of the features) and wins it soonest in that of **{won[0].method}** "
        f"({won[0].measured.insertion:.2f}, {halves[1]})"
    )
    if len(orderly) == 1:
        return f"{text}."
    return (
        f"{text}; the latest are {lost[-1].method} ({lost[-1].measured.deletion:.2f}) and {won[-1].method} "
        f"({won[-1].measured.insertion:.2f})."
    )


def _no_order(lines: Sequence[Line]) -> str:
    return f"Each of the {lines[0].net}'s maps is the same everywhere here, so none says which features come first."


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
        f"{said[:1].upper()}{said[1:]}. A method passes if the rank correlation between its magnitudes before and after all "
        f"weights are re-initialised is below {THRESHOLD:g}: a map that shows the sample more than the net fails."
    )


def shapley(net: str, found: ExactShapley) -> str:
    """Error and speed-up of the own explanation, in one sentence or two."""
    orders = f"{found.orders:,} orders" if found.orders > 1 else "one order"
    text = (
        f"Captum goes through all {orders} of the {net}'s superfeatures and finds the same values to within "
        f"**{tiny(found.error)} nats**, in {duration(found.captum_seconds)}. The net itself gives them in one pass, in "
        f"{duration(found.own_seconds)}: **{found.speed_up:,.0f} times** as fast."
    )
    if found.blanked is None:
        return text
    apart = float(abs(found.blanked - found.own).max())
    return (
        f"{text} Replacing pixels or features by the training mean, instead of a superfeature's contribution by the base, "
        f"asks another question: its values differ by up to {apart:.2f} nats."
    )


def duration(seconds: float) -> str:
    """A short time: 0.19 ms, 4.1 ms, 240 ms, 2.3 s."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    milliseconds = 1000 * seconds
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2g} ms"


def tiny(value: float) -> str:
    """A number near zero by its order: 3·10⁻⁶."""
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_RAISED)}" if value else "0"


def share(value: float) -> str:
    """A number from -1 to 1 as short as it goes: .97, −.20, – where there is none."""
    if math.isnan(value):
        return "–"
    return f"{value:.2f}".replace("-", "−") if abs(value) >= 0.995 else f"{value:.2f}".replace("-", "−").replace("0.", ".", 1)
