"""What chimeras are for: test accuracy against the number of training samples, over the stored runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pandas as pd
import streamlit as st

from explorer import cache, navigation, study_results
from explorer.blocks.what_it_means import what_it_means
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures import efficiency as pictures
from explorer.state import session
from explorer.state.settings import of_recipe
from explorer.words.meaning import told_by
from explorer.words.results import LABELS, percent, points
from explorer.words.studies import of
from ked.errors import Unavailable
from ked.library import efficiency
from ked.recipe import Recipe
from ked.statistics import interval
from ked.store import Run
from ked.studies.report import Report


def curve(run: Run) -> None:
    """The curve over all runs with this run's settings; where there is none yet, how to make one."""
    recipe = cache.recipe(run)
    if recipe.convolutional:
        return
    st.subheader("How many samples does it take?", anchor=False)
    whole = len(cache.dataset_of(run).train)
    found = efficiency.curves(_infos(), recipe, whole)
    _curve(recipe, found, whole)
    if study := study_results.on(recipe, "chimera"):
        sides = ("ked+chimera", "ked+real")
        what_it_means([told_by(study, [one for one in study.contrasts if (one.ours[1], one.theirs[1]) == sides])], study)


def _curve(recipe: Recipe, found: efficiency.Curves, whole: int) -> None:
    there = sorted({n for points in found.values() for n in points})
    missing = [n for n in efficiency.sizes(whole) if any(n not in found.get(name, {}) for name in efficiency.STUDENTS)]
    if len(there) < 2:
        have = f"only runs with {there[0]} training samples" if there else "no such run"
        st.markdown(
            "Where samples are few, can chimeras stand in for them? To see it, train this run's settings on other numbers of "
            f"training samples; so far there {'are' if there else 'is'} {have}. *{LABELS['ked+real']}* trains for as long as "
            f"*{LABELS['ked+chimera']}*, but on real samples: what it gains comes from the steps, not from chimeras."
        )
        if study := study_results.on(recipe, "chimera"):
            _shipped(study)
        _make(recipe, missing, whole)
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        drawn = cache.figure(pictures.efficiency, found, LABELS)
        plot(drawn, "efficiency", alt="Test accuracy of each method against training samples.", select=())
    with right:
        table(_table(found, there), "efficiency-table")
        _make(recipe, missing, whole)
    if gains := efficiency.gained(_infos(), recipe, whole):
        said = ", ".join(f"**{points(gain)}** at n = {n}" for n, gain in gains.items())
        st.markdown(f"What chimeras gain over as many steps on real samples, in percentage points, paired by seed: {said}.")
    st.caption(
        "Means and 95 % intervals over the students' seeds, of all stored runs with this run's settings. Teachers learn from the same "
        "few samples. The control trains for as many more steps on real samples."
    )


def _shipped(about: Report) -> None:
    """The curve of the study on the same data, whose settings need not be this run's."""
    drawn = study_results.best_known(about.study, about.settings).accuracy
    if drawn is None:
        return
    plot(drawn, "efficiency-study", alt="Test accuracy of each method against training samples, in the study of chimeras.", select=())
    st.caption(
        f"From the study “{about.study.question}”, which has its own nets: means and 95 % intervals over {of(about.settings)}. "
        "Its page, *Studies*, has the differences."
    )


def _infos() -> Iterator[dict[str, Any]]:
    for run in cache.list_runs():
        with contextlib.suppress(Unavailable):
            yield cache.facts(run)


def _table(found: efficiency.Curves, there: list[int]) -> pd.DataFrame:
    """A row a method, a column a size."""
    cells = {
        LABELS[name]: {f"n = {n}": percent(interval(points[n]), 1) if n in points else "" for n in there}
        for name, points in found.items()
    }
    return pd.DataFrame(cells).T.rename_axis("net").reset_index()


def _make(recipe: Recipe, missing: list[int], whole: int) -> None:
    """How to train what the curve lacks: with a click, or from the command line."""
    if not missing:
        return
    with st.container(horizontal=True):
        for n in missing:
            few = efficiency.with_few(recipe, n, whole)
            label = f"Train with {'all' if n == whole else n} samples"
            if st.button(label, icon=":material/play_circle:", key=f"few.{n}", help="Opens the Train page with these settings."):
                session.put(**of_recipe(few))
                navigation.go("train")
    with st.expander("The same from the command line"):
        commands = [efficiency.command(efficiency.with_few(recipe, n, whole)) for n in missing]
        st.code("\n".join(commands), language="bash", wrap_lines=True)
