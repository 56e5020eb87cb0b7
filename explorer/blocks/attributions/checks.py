"""Below the grid of the attributions page: how alike methods and nets are, exact Shapley values, every number in a table."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import streamlit as st

from explorer import cache, study_results
from explorer.blocks import controls, nothing_yet
from explorer.blocks.attributions.attributed_sample import AttributedSample, Net
from explorer.blocks.what_it_means import what_it_means
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures import attribution_charts, theme
from explorer.state import session
from explorer.words import attributions, explain
from explorer.words.attributions import Line
from explorer.words.meaning import told_by
from explorer.words.numbers import signed
from ked.attribution import ATTRIBUTIONS
from ked.attribution.likeness import Likeness
from ked.errors import InvalidInput

_PAIRS = (("explaining", ""), ("teacher", "kd"))  # teacher and student; "" is the chosen one
_CHANCE = {
    "spearman": "Unrelated maps have 0 on average.",
    "overlap": "Unrelated maps share about 0.05 by chance.",
    "cosine": "With few groups, even unrelated maps are often far from 0: agreement of sums comes cheap.",
    "structure": (
        "Structural similarity (Wang et al. 2004) of the maps as grey levels: where both are empty they are alike, so unrelated maps "
        "lie above 0."
    ),
}


def agreement(about: AttributedSample) -> None:
    """How alike any two methods are, for the explaining teacher and for the student; and both nets under each method."""
    st.subheader("Do methods agree? Do teacher and student?", anchor=False)
    controls.segments("likeness", options=[view for view in _CHANCE if view != "structure" or about.dataset.is_image])
    shown, pairs = [net for net in about.nets if net.explains][:2] or about.nets[:2], _pairs(about)
    columns = iter(st.columns(3, gap="medium"))
    for place, net in enumerate(shown):
        with next(columns):
            st.markdown(f"**Methods, {net.title}**")
            _matrix(about, net, place)
    if pairs:
        with next(columns):
            st.markdown("**Teacher and student, each method**")
            _between(about, pairs)
    signs = "Where one of two methods has no signs (saliency), magnitudes are compared."
    st.caption(f"1 is the same, 0 unrelated, −1 opposite. {_CHANCE[session.get('likeness')]} {signs}")
    with st.expander("These numbers as a table"):
        number = st.column_config.NumberColumn(format="%.3f")
        rows = attributions.alike_table(_every_pair(about, shown, pairs))
        look = dict.fromkeys(("ranks", "strongest tenth", "sums", "structure"), number)
        table(rows, "alike", height=300, columns=look)


def _every_pair(about: AttributedSample, shown: list[Net], pairs: list[tuple[Net, Net]]) -> list[tuple[str, str, str, Likeness]]:
    """Every two methods of each net, and every two nets under each method."""
    labels = {method: ATTRIBUTIONS[method].label for method in about.methods}
    within = [
        (net.title, labels[one], labels[other], about.likeness((net, one), (net, other)))
        for net in shown
        for one, other in combinations([method for method in about.methods if not net.refusals[method]], 2)
    ]
    between = [
        (labels[method], first.title, second.title, about.likeness((first, method), (second, method)))
        for first, second in pairs
        for method in about.methods
        if not first.refusals[method] and not second.refusals[method]
    ]
    return between + within


def _pairs(about: AttributedSample) -> list[tuple[Net, Net]]:
    """Teacher and student, as far as they are there: each student with whom it is nearest in form."""
    nets = {net.which: net for net in about.nets}
    wanted = [(teacher, student or session.get("student")) for teacher, student in _PAIRS]
    return [(nets[teacher], nets[student]) for teacher, student in dict.fromkeys(wanted) if {teacher, student} <= set(nets)]


def _matrix(about: AttributedSample, net: Net, place: int) -> None:
    methods = [method for method in about.methods if not net.refusals[method]]
    values = np.array(
        [[about.chosen(about.likeness((net, one), (net, other))) for other in methods] for one in methods], dtype=float
    )
    labels = [ATTRIBUTIONS[method].label for method in methods]
    alt = f"How alike the maps of every two methods are, {net.title}. Mean {np.nanmean(values):.2f}."
    key = f"agreement-{place + 1}"
    plot(about.figure(key, lambda: attribution_charts.matrix(values, labels)), key, alt=alt, select=())


def _between(about: AttributedSample, pairs: list[tuple[Net, Net]]) -> None:
    found = {
        f"{teacher.title}, {student.title}": [
            about.chosen(about.likeness((teacher, method), (student, method))) for method in about.methods
        ]
        for teacher, student in pairs
    }
    colours = {title: theme.method_colour(student.which) for title, (_, student) in zip(found, pairs, strict=True)}
    labels = [ATTRIBUTIONS[method].label for method in about.methods]
    said = "; ".join(f"{title}: mean {np.nanmean(row):.2f}" for title, row in found.items())
    alt = f"How alike teacher and student are under each method. {said}."
    plot(about.figure("between", lambda: attribution_charts.pairs(found, labels, colours)), "between", alt=alt, select=())


def meaning(about: AttributedSample) -> None:
    """What one sample shows and what not, and whether attributions would teach a student as well."""
    net = next((net for net in about.nets if net.which == "explaining"), about.nets[0])
    said = attributions.meaning([line for line in about.lines() if line.net == net.title], about.sample)
    study = study_results.on(cache.recipe(about.run), "attribution")
    if study:
        asked = [one for one in study.contrasts if (one.ours[1], one.theirs[1]) == ("ked", "ked-ig")]
        said += [told_by(study, [one for one in asked if one.comparison.measure == measure]) for measure in ("accuracy", "agreement")]
    what_it_means(said, study)


def shapley(about: AttributedSample) -> None:
    """The own explanation against exact Shapley values: error and speed-up, for every explaining net."""
    explaining = [net for net in about.nets if net.explains]
    if not explaining:
        return
    st.subheader("Is the own explanation exact?", anchor=False)
    columns = st.columns(2, gap="medium")
    for place, (column, net) in enumerate(zip(columns, explaining, strict=False)):
        with column:
            st.markdown(f"**{explain.sentence(net.title)}**")
            _shapley(about, net, place)


def _shapley(about: AttributedSample, net: Net, place: int) -> None:
    try:
        found = cache.exact(about.run, net.which, net.k, about.sample, about.label)
    except InvalidInput as reason:
        st.info(str(reason), icon=":material/info:")
        return
    with st.container(horizontal=True):
        st.metric("Largest error", f"{attributions.tiny(found.error)} nats", width="content")
        st.metric("Speed-up", f"{found.speed_up:,.0f} ×", width="content")
    games = {"own": found.own, "Captum (switches)": found.captum}
    games |= {} if found.blanked is None else {"Captum (blanked)": found.blanked}
    told = "; ".join(f"{name}: {', '.join(map(signed, values))}" for name, values in games.items())
    figure = cache.figure(attribution_charts.shapley, games)
    plot(figure, f"shapley-{place + 1}", alt=f"Shapley values of the superfeatures. {told}.", select=())
    st.caption(f"Bars from full to pale: {', '.join(games)}.")
    st.markdown(attributions.shapley(net.title, found))
    rows = pd.DataFrame({"superfeature": np.arange(1, len(found.own) + 1)} | games)
    number = st.column_config.NumberColumn(format="%.6f")
    table(rows, f"shapley-table-{place + 1}", height="content", columns=dict.fromkeys(games, number))


def numbers(about: AttributedSample) -> None:
    """Every number in one table, and the checks that take longer when they are asked for."""
    st.subheader("Every number", anchor=False)
    lines, live = about.lines(), not cache.recorded(about.run)
    if live:
        controls.segments("checks")
    if live and session.get("checks"):
        place = nothing_yet.Place("checks")
        lines = _checked(about, lines, place)
        place.content().markdown(attributions.sanity(lines))
    rows = attributions.table(lines)
    formats = {name: st.column_config.NumberColumn(format="%.3f", help=told) for name, told in _COLUMNS.items() if name in rows}
    looks = formats | {"net": st.column_config.TextColumn(pinned=True)}
    table(rows, "numbers", height=min(36 * len(rows) + 40, 460), columns=looks)
    with st.container(key="of-the-grid"):
        st.caption("The table's own menu downloads it as CSV. Every column header has a sentence of help.")
    st.download_button(
        "Maps as CSV", lambda: _maps(about), f"attributions-{about.run.id}-sample-{about.sample}.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
        help="The value of every feature under each method for each net, in the methods' own units.",
    )  # fmt: skip


def _maps(about: AttributedSample) -> str:
    named = {f"{net.title}, {ATTRIBUTIONS[m].label}": about.measured(net, m) for net in about.nets for m in about.methods}
    return attributions.maps_csv(
        {name: found.values for name, found in named.items() if found is not None}, about.dataset.features
    )


_COLUMNS = {
    "ms": "Milliseconds for one map on this machine, the median of up to three rounds after one that is not counted.",
    "deletion": "Area under the class's probability as the features that speak for it most are replaced first; low is good.",
    "insertion": "Area under the class's probability as they are put into the training mean first; high is good.",
    "agreement: ranks": "Rank correlation over all features with the net's own explanation (a black box: the explaining teacher's).",
    "agreement: strongest tenth": "Intersection over union of the strongest tenth of the features; chance is about 0.05.",
    "agreement: sums": "Cosine of the sums over the superfeatures.",
    "agreement: structure": "Structural similarity (Wang et al. 2004) of the two maps as grey levels.",
    "infidelity": "How wrong the map is about what random halves of the features are worth together, after it has been scaled "
    "to fit best; squared nats, low is good (Yeh et al. 2019).",
    "max-sensitivity": "How far the map moves, as a share of its length, when the sample hardly does; low is good (Yeh et al. 2019).",
    "what survives": "Rank correlation of the map's magnitudes before and after all weights are re-initialised, mean over "
    f"{cache.CHECKED} samples and two draws (Adebayo et al. 2018).",
}


def _checked(about: AttributedSample, lines: list[Line], place: nothing_yet.Place) -> list[Line]:
    """The same lines with max-sensitivity and the sanity check's verdict; `place` says how far it is."""
    asked = [(net, method) for net in about.nets for method in about.methods if not net.refusals[method]]
    done = []
    for number, (line, (net, method)) in enumerate(zip(lines, asked, strict=True), 1):
        place.say(f"Re-initialising weights and disturbing the sample, {number} of {len(asked)}: {line.method}, {line.net} …")
        verdict = cache.sanity_check(about.run, net.which, net.k, method)
        moved = cache.sensitivity(about.run, net.which, net.k, about.sample, about.label, method)
        done.append(replace(line, sensitivity=moved, verdict=verdict))
    return done
