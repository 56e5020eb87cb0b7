"""The attributions page's grid: a column a method, a row a net, and under each map what it costs and how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer import cache
from explorer.blocks import nothing_yet
from explorer.blocks.attributions.attributed_sample import AttributedSample, Net
from explorer.components.plot import plot
from explorer.pictures import attribution_charts, maps, theme
from explorer.state import session
from explorer.words import explain
from explorer.words.attributions import duration, share, summary
from explorer.words.inert import inert
from ked.attribution import ATTRIBUTIONS

CELL = 108  # pixels of a map: ten columns on a wide screen, three on a telephone
_TABLE = 590  # of a method's bars: two side by side on a wide screen
_FEATURES = 16  # of a table have room
_SHORT = {"teacher": "black box", "explaining": "explaining"}


def grid(about: AttributedSample) -> None:
    """A column for each method, quick ones first, so that the page fills from the left."""
    what = about.dataset.classes[about.label]
    st.subheader(f"What speaks for {inert(what)}", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(width=280):
            alt = "The scale of all maps: blue speaks against the class, red for it."
            plot(cache.figure(attribution_charts.scale), "scale", alt=alt, select=())
        with st.container(width=_BESIDE):
            st.caption(_NUMBERS)
    _fill(about)
    st.markdown(_in_words(about))
    _legend(about)


def _fill(about: AttributedSample) -> None:
    """Each method's column as soon as it is computed; of a table all at once, as the features that are shown depend on all."""
    is_image, many = about.dataset.is_image, len(about.methods)
    places: dict[str, nothing_yet.Place] = {}
    with st.container(horizontal=True, gap="small", key="attributions"):
        for number, method in enumerate(about.methods, 1):
            with st.container(width=CELL if is_image else _TABLE):
                places[method] = nothing_yet.Place(f"map-{method}", partial(_height, about, method) if is_image else None)
                places[method].say(f"**{explain.sentence(ATTRIBUTIONS[method].label)}** {number} of {many}")
    for number, (method, place) in enumerate(places.items(), 1):
        place.say(f"**{explain.sentence(ATTRIBUTIONS[method].label)}** computing {number} of {many} …")
        for net in about.nets:
            about.measured(net, method)
        if is_image:
            with place.content():
                _pictures(about, method)
    if not is_image:
        shown = _strongest(about)
        for method, place in places.items():
            with place.content():
                _bars(about, method, shown)


def _height(about: AttributedSample, method: str) -> int:
    """Pixels of a method's column, maps or not."""
    cells = [maps.Cell(about.image, None, ("",), "", ("", "")) for _ in about.nets]
    return int(maps.sheet(cells, about.dataset.shape, None, limit=1.0, columns=1, width=CELL, head=_head(method)).layout.height)


def _in_words(about: AttributedSample) -> str:
    """What the numbers of one net say: of the explaining teacher, or else of the black box."""
    net = next((net for net in about.nets if net.which == "explaining"), about.nets[0])
    return summary([line for line in about.lines() if line.net == net.title], session.get("likeness"))


def _numbers(about: AttributedSample, net: Net, method: str) -> tuple[str, str]:
    found = about.measured(net, method)
    if found is None:
        return "does not explain itself" if method == "own" else "does not apply", ""
    own = about.chosen(about.to_own(net, method))
    agreed = [] if np.isnan(own) else [f"agr {share(own)}"]
    areas = f"del {share(found.deletion)} · ins {share(found.insertion)}"
    return areas, " · ".join([*agreed, duration(found.seconds)])


def _head(method: str) -> str:
    """The method's name on two lines, so that all columns begin at one height."""
    name = theme.wrapped(explain.sentence(ATTRIBUTIONS[method].label), 11)
    return f"<b>{name}</b>" if "<br>" in name else f"<b>{name}</b><br> "


def _alt(about: AttributedSample, method: str) -> str:
    said = [f"{net.title}: {', '.join(filter(None, _numbers(about, net, method)))}" for net in about.nets]
    return f"{ATTRIBUTIONS[method].label} of sample {about.sample} for each net. {'; '.join(said)}."


def _pictures(about: AttributedSample, method: str) -> None:
    """The maps of one method, net under net."""
    figure = about.figure(f"map-{method}", lambda: _sheet(about, method))
    plot(figure, f"map-{method}", alt=_alt(about, method), select=())


def _sheet(about: AttributedSample, method: str) -> go.Figure:
    cells = []
    for net in about.nets:
        found, name = about.measured(net, method), _SHORT.get(net.which, net.title)
        values = None if found is None else _pixels(about, found.values)
        told = f"{net.title}, {ATTRIBUTIONS[method].label}"
        cells.append(maps.Cell(about.image, values, (theme.plain(name, 20),), told, _numbers(about, net, method)))
    return maps.sheet(cells, about.dataset.shape, None, limit=1.0, columns=1, width=CELL, head=_head(method))


def _pixels(about: AttributedSample, values: np.ndarray) -> np.ndarray:
    """(H, W): a pixel's channels together, as a share of the strongest pixel."""
    sides = about.dataset.shape[-2:]
    return attribution_charts.normalised(values.reshape(-1, *sides).sum(axis=0))


def _strongest(about: AttributedSample) -> list[int]:
    """The features of a table that matter most on average over all maps, in the order of their parts."""
    found = [about.measured(net, method) for net in about.nets for method in about.methods]
    weights = sum(np.abs(attribution_charts.normalised(one.values)) for one in found if one is not None)
    kept = set(np.argsort(-np.asarray(weights), kind="stable")[:_FEATURES].tolist())
    return [feature for part in about.parts for feature in part if feature in kept]


def _bars(about: AttributedSample, method: str, shown: Sequence[int]) -> None:
    """The bars of one method, net beside net."""
    panels = []
    for net in about.nets:
        found = about.measured(net, method)
        values = None if found is None else attribution_charts.normalised(found.values)
        texts = [text for line in _numbers(about, net, method) for text in line.split(" · ")]
        panels.append(attribution_charts.Panel(_SHORT.get(net.which, net.title), values, _narrow(texts)))
    groups = about.parts if about.run.has("superfeatures") else ()
    colours = [theme.GREY] * about.dataset.feature_count
    for m, group in enumerate(groups):
        for feature in group:
            colours[feature] = theme.superfeature_colour(m)
    head = explain.sentence(ATTRIBUTIONS[method].label)
    figure = attribution_charts.feature_bars(panels, about.dataset.features, shown, colours, head)
    plot(figure, f"map-{method}", alt=_alt(about, method), select=())


def _narrow(texts: Sequence[str]) -> tuple[str, ...]:
    """Texts for a panel that is as narrow as a word on a telephone."""
    return tuple(line for text in texts for line in (text.split(" ") if len(text) > 12 else [text]))


_BESIDE = 640  # pixels of the words beside the scale; under it on a telephone
_NUMBERS = (
    "Under each map, **del**: area under the class's probability while features are removed, low is good; **ins**: while they are put "
    "in, high is good; **agr**: agreement with the net's own explanation; last, the time it took."
)


def _legend(about: AttributedSample) -> None:
    """What maps and numbers are, and which methods are missing."""
    many = about.dataset.feature_count > _FEATURES and not about.dataset.is_image
    absent = "the mean of the recorded samples, unless another baseline was given" if cache.recorded(about.run) else "the training mean"
    st.caption(
        "Every map explains the class's evidence: its log-probability minus the mean over the classes, which is what the net's own "
        f"contributions add up to. Absent features take {absent}. Units differ between methods, so full colour is each "
        "map's own strongest place. Features are removed and put in by how much they speak for the class, the strongest first. A black "
        "box is compared with the explaining teacher's own explanation. Times are for one map on this machine."
        + (f" The {_FEATURES} features that matter most are shown; the table has the rest." if many else "")
    )
    with st.expander("What the methods do"):
        st.markdown("\n".join(f"- **{explain.sentence(ATTRIBUTIONS[name].label)}.** {ATTRIBUTIONS[name].help}" for name in about.methods))
    for method in ATTRIBUTIONS:
        if method not in about.methods:
            st.caption(f"**{explain.sentence(ATTRIBUTIONS[method].label)}** is missing. {about.nets[0].refusals[method]}")
    if cache.convolutional(about.run) and about.dataset.is_image:
        st.caption(
            "The superfeatures of a convolutional net are channels, which hold no pixels: ablation and Shapley sampling take "
            f"away one of {len(about.parts)} squares of the picture instead, and sums are over the squares."
        )
