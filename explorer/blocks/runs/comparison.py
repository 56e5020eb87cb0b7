"""Several stored runs side by side: curves, results, paired differences, and the settings in which they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from explorer import cache
from explorer.blocks import controls
from explorer.blocks.runs.listing import label, shown
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures import charts, theme
from explorer.pictures.curves import Look, learning_curves
from explorer.state import session
from explorer.words import run_list
from explorer.words.inert import inert
from explorer.words.results import LABELS, percent, points
from explorer.words.run_list import Entry
from ked.library.comparison import differing, pair, same_data
from ked.methods import METHODS
from ked.statistics import interval
from ked.store import load_run

# Runs are told apart by how their lines are broken, as colours are the methods'.
DASHES = {
    "solid": "────", "dash": "─ ─ ─", "dot": "· · · ·", "dashdot": "─ · ─ ·", "longdash": "── ──", "longdashdot": "── · ──",
}  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One of the runs, under its letter."""

    letter: str
    dash: str
    entry: Entry
    facts: dict[str, Any]

    @property
    def accuracy(self) -> dict[str, Any]:
        """Test accuracies, where there are any."""
        found: dict[str, Any] = self.facts.get("summary", {}).get("accuracy", {})
        return found


def sides(run_ids: list[str]) -> list[Side]:
    """The runs that can be read, as A, B, ..."""
    entries = [(run_list.entry(run, facts), facts) for run in map(load_run, run_ids) if (facts := cache.facts(run))]
    letters = zip("ABCDEF", DASHES, strict=True)
    return [Side(*next(letters), entry, facts) for entry, facts in entries if entry.status != "damaged"]


def compare(run_ids: list[str]) -> None:
    """Everything about these runs that can be laid side by side."""
    found = sides(run_ids)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"{len(found)} runs side by side", anchor=False, width="content")
        if st.button("Unmark all", icon=":material/close:", type="tertiary", help="Shows one run again."):
            session.put(compare="")
            st.rerun()
    st.caption("  ·  ".join(f"**{side.letter}** {DASHES[side.dash]} {inert(side.entry.name)}" for side in found))
    controls.several("shown", options=_methods(found))
    left, right = st.columns(2, gap="large")
    with left:
        _curves(found)
    with right:
        _results(found)
    if not same_data(*(side.facts for side in found)):
        st.info("These runs learn from different data: their accuracies do not measure the same thing.", icon=":material/info:")
    _differences(found)
    _paired(found)


def _methods(found: list[Side]) -> list[str]:
    there = {name for side in found for name in side.facts["recipe"]["methods"]}
    return [name for name in METHODS if name in there]


def _shown(found: list[Side]) -> list[tuple[str, Side]]:
    """Method by method, the runs that have it."""
    return [(name, side) for name in session.get("shown") for side in found if name in side.facts["recipe"]["methods"]]


def _differences(found: list[Side]) -> None:
    """Which letter is which run, and only those settings that are not the same in all of them."""
    st.markdown("**What they differ in**")
    unequal = differing([cache.recipe(load_run(side.entry.id)) for side in found])
    if same_data(*(side.facts for side in found)):  # of recorded runs, each of which has them in its own folder
        unequal.pop("dataset", None)
    rows = {"run": [side.entry.name for side in found], "line": [DASHES[side.dash] for side in found]}
    rows |= {label(name): [shown(value) for value in values] for name, values in unequal.items()}
    unlike = pd.DataFrame([[name, *values] for name, values in rows.items()], columns=["", *(side.letter for side in found)])
    table(unlike, "unlike", height="content", columns={"": st.column_config.TextColumn(pinned=True)})
    if not unequal:
        st.caption("Their recipes are the same.")


def _curves(found: list[Side]) -> None:
    st.markdown("**Validation accuracy**")
    curves: dict[str, np.ndarray] = {}
    labels, looks = {}, {}
    for name, side in _shown(found):
        values = cache.curves(load_run(side.entry.id)).get(name)
        if values is not None:
            key = f"{name} {side.letter}"
            curves[key], labels[key] = values, f"{LABELS[name]} {side.letter}"
            looks[key] = _look(name, side)
    if not curves:
        st.info("None of these runs has trained these students yet.", icon=":material/hourglass_top:")
        return
    figure = cache.figure(learning_curves, curves, labels=labels, looks=looks, height=max(340, 26 * len(curves) + 90))
    plot(figure, "overlay", alt="Validation accuracy against epochs: the sign marks the method, the line style the run.", select=())
    st.caption("The sign at a name marks the method, the line style the run. Bands are 95 % intervals over each run's seeds.")


def _look(name: str, side: Side) -> Look:
    return Look(theme.method_colour(name), side.dash, theme.method_symbol(name))


def _results(found: list[Side]) -> None:
    st.markdown("**Test accuracy**")
    with_result = [(name, side) for name, side in _shown(found) if name in side.accuracy]
    if not with_result:
        st.info("None of these runs has a result yet.", icon=":material/hourglass_top:")
        return
    keys = [f"{name} {side.letter}" for name, side in with_result]
    values = {key: np.array(side.accuracy[name]) for key, (name, side) in zip(keys, with_result, strict=True)}
    labels = {key: f"{LABELS[name]} {side.letter}" for key, (name, side) in zip(keys, with_result, strict=True)}
    looks = {key: _look(name, side) for key, (name, side) in zip(keys, with_result, strict=True)}
    alt = "Test accuracy of each method in each run: one dot per seed, the mean and its 95 % interval over seeds."
    plot(cache.figure(charts.results, values, labels=labels, looks=looks), "compared", alt=alt, select=())


def _paired(found: list[Side]) -> None:
    """Accuracies of all nets, and differences to the first run where seeds are shared."""
    first, *others = found
    rows = []
    for net in ("teacher", "explaining", *_methods(found)):
        scores = {side.letter: side.accuracy[net] for side in found if net in side.accuracy}
        if not scores:
            continue
        row = {"net": LABELS[net]}
        for side in others:
            row[f"{side.letter} − {first.letter}"] = _difference(side, first, net) if net in METHODS else ""
        rows.append(row | {side.letter: _accuracy(scores.get(side.letter)) for side in found})
    if not rows:
        return
    st.markdown("**Differences, paired by seed**")
    table(pd.DataFrame(rows), "paired", height="content", columns={"net": st.column_config.TextColumn(pinned=True)})
    st.caption(
        "Test accuracies with 95 % Student-t intervals over seeds; differences in percentage points over the seeds that both "
        "runs have, not corrected for their number. Where runs share fewer than two seeds, or learn from other data, nothing is "
        "paired; what does not depend on the settings that differ is the same net in both. Fewer than three seeds, or seeds that all "
        "give the same, have no interval. "
        "Teachers are trained once per run: a difference between runs with other teachers holds for those teachers only."
    )


def _accuracy(value: Any) -> str:
    return "" if value is None else percent(interval(value if isinstance(value, list) else [value]))


def _difference(side: Side, first: Side, net: str) -> str:
    found = pair(side.facts, first.facts, net)
    if found.difference is None:
        return found.reason if found.same else f"not paired: {found.reason}"
    return f"{points(found.difference)}  ({len(found.seeds)} seeds)"
