"""One palette and one layout for every figure: a hue a superfeature, ink and signs for nets, one diverging scale for and against.

Colours of text, grid and ground are CSS variables of Streamlit's theme; `plot.js` puts their values in when it draws, so a
figure is right in light and dark without being made twice.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import plotly.graph_objects as go

from explorer.words.inert import inert
from ked.errors import shortened

INK = "var(--st-text-color)"
MUTED = "var(--st-gray-text-color)"
LINE = "var(--st-border-color)"
PAPER = "var(--st-background-color)"
PANEL = "var(--st-secondary-background-color)"
FONT = "var(--st-font)"
CLEAR = "rgba(0,0,0,0)"
GREY = "#8A8F98"

# The first eight are Okabe-Ito's orange and Tol's bright and muted colours, chosen so that the closest pair stays as far
# apart as possible for deuteranopes and protanopes too; the others were added greedily by the same measure.
SUPERFEATURES = (
    "#0077BB", "#E69F00", "#AA3377", "#228833", "#88CCEE", "#DDCC77", "#CC6677", "#77AADD",
    "#3124FF", "#246124", "#7986FF", "#E79292", "#4949AA", "#5592B6", "#9EDBC2", "#316DF3",
)  # fmt: skip

class Net(NamedTuple):
    """How a net is told from others: by ink, line and sign, since hues are superfeatures; its name stands at the line.

    Attributes:
        colour: Ink, or one of its two greys.
        dash: How its line is broken.
        symbol: The sign of its points.
    """

    colour: str
    dash: str
    symbol: str


# Full ink learns from explanations or has their form, muted ink from predictions, grey from labels. A hint breaks the line.
METHODS = {
    "teacher": Net(INK, "dot", "star"),
    "explaining": Net(MUTED, "dot", "star-open"),
    "bayes-rule": Net(MUTED, "dot", "cross-open"),
    "coalition": Net(MUTED, "solid", "circle"),
    "plain": Net(GREY, "solid", "square"),
    "kd": Net(MUTED, "solid", "triangle-up"),
    "kd-explaining": Net(MUTED, "dash", "triangle-up-open"),
    "ked": Net(INK, "solid", "circle"),
    "architecture": Net(INK, "dash", "circle-open"),
    "mu0": Net(INK, "dashdot", "diamond-open"),
    "shuffled": Net(INK, "2px,3px", "diamond"),
    "noise": Net(GREY, "2px,3px", "x"),
    "kd+chimera": Net(MUTED, "longdash", "triangle-down"),
    "kd+real": Net(MUTED, "2px,3px", "triangle-down-open"),
    "ked+chimera": Net(INK, "longdash", "hexagon"),
    "ked+real": Net(INK, "2px,6px", "hexagon-open"),
    "kd-architecture": Net(MUTED, "dashdot", "square-open"),
    "ked-ig": Net(INK, "longdashdot", "cross"),
    "ked-gradient": Net(INK, "8px,2px", "pentagon"),
    "ked-gradcam": Net(INK, "8px,2px,2px,2px", "pentagon-open"),
    "bayes": Net(GREY, "longdash", "x-open"),
    "bayes-architecture": Net(GREY, "dash", "star-square"),
}

_DASHES = {"fitnet": "dash", "at": "dashdot", "sp": "longdash"}

SIGNS = {  # a sign of a point -> the same in a text; below, how a line is broken
    "circle": "●", "circle-open": "○", "square": "■", "square-open": "□", "diamond": "◆", "diamond-open": "◇", "triangle-up": "▲",
    "triangle-up-open": "△", "triangle-down": "▼", "triangle-down-open": "▽", "star": "★", "star-open": "☆", "hexagon": "⬢",
    "hexagon-open": "⬡", "pentagon": "⬟", "pentagon-open": "⬠", "cross": "✚", "cross-open": "✛", "x": "✖", "x-open": "✕",
    "star-square": "✦",
}  # fmt: skip
STROKES = {"solid": "———", "dash": "– – ", "longdash": "— — ", "dot": "· · · ", "dashdot": "– · – "}

# Attribution methods: what a net says itself in full ink and thick, gradients muted, taking features away grey.
ATTRIBUTIONS = {
    "own": (INK, "solid"),
    "grad-cam": (INK, "dash"),
    "integrated-gradients": (MUTED, "solid"),
    "input-x-gradient": (MUTED, "dash"),
    "deep-lift": (MUTED, "dot"),
    "gradient-shap": (MUTED, "dashdot"),
    "saliency": (MUTED, "longdash"),
    "occlusion": (GREY, "solid"),
    "feature-ablation": (GREY, "dash"),
    "shapley-sampling": (GREY, "dot"),
}

TERMS = {"ce": ("", "□"), "prediction": ("/", "▨"), "explanation": ("x", "▩"), "hint": (".", "▤")}
"""A loss term -> the pattern of its area, and the same in a text."""
TERM_LABELS = {"ce": "cross-entropy"}

SPLITS = {"train": INK, "validation": MUTED, "test": GREY}

NEGATIVE, POSITIVE = (33, 102, 196), (214, 69, 38)

# Clear at zero, so that what lies beneath (paper or picture) is the neutral colour in light and dark alike.
DIVERGING = tuple(
    (place, "rgba({},{},{},{})".format(*colour, opacity))
    for place, colour, opacity in (
        (0.0, NEGATIVE, 1),
        (0.5, NEGATIVE, 0),
        (0.5, POSITIVE, 0),
        (1.0, POSITIVE, 1),
    )
)
SEQUENTIAL = INK_SCALE = ((0.0, PAPER), (1.0, INK))


def superfeature_colour(m: int) -> str:
    """Colour of superfeature m (counted from 0) as #RRGGBB; repeats after sixteen."""
    return SUPERFEATURES[m % len(SUPERFEATURES)]


def method_colour(name: str) -> str:
    """The ink of a method or net; "ked+fitnet" has that of "ked", an unknown name the grey of "plain"."""
    return _net(name).colour


def method_dash(name: str) -> str:
    """How a method's line is broken: by its hint, if it has one."""
    return _net(name).dash if name in METHODS else _DASHES.get(name.partition("+")[2], "solid")


def method_symbol(name: str) -> str:
    """The sign of a method's points."""
    return _net(name).symbol


def _net(name: str) -> Net:
    return METHODS.get(name, METHODS.get(name.split("+")[0], METHODS["plain"]))


def rim(symbol: str, width: float) -> dict[str, Any]:
    """The edge of a sign: paper around a full one, so that it stands off its line; a hollow one is its edge."""
    return {"line": {"width": width}} if symbol.endswith("-open") else {"line": {"color": PAPER, "width": width}}


def veil(alpha: float) -> str:
    """A grey that lets through what lies below it: bands and hills of nets."""
    return faded(GREY, alpha)


def rgb(colour: str) -> tuple[int, int, int]:
    """The three bytes of a #RRGGBB colour."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def faded(colour: str, alpha: float) -> str:
    """A #RRGGBB colour as rgba(...) with opacity `alpha` in [0, 1]."""
    red, green, blue = rgb(colour)
    return f"rgba({red},{green},{blue},{alpha:g})"


def diverging(value: float, limit: float) -> tuple[int, int, int, float]:
    """Red, green, blue (0..255) and opacity (0..1) of `value` on the diverging scale from -limit to +limit."""
    share = min(abs(value) / limit, 1.0) if limit > 0 else 0.0
    return (*(POSITIVE if value > 0 else NEGATIVE), share)


def key(colour: str, text: str) -> str:
    """A label that carries its own legend: a dot of `colour`, then `text` in the colour of the text around it."""
    return f"<span style='color:{colour}'>●</span> {text}"


def net_key(name: str, text: str) -> str:
    """The same for a net: its sign in its ink, then `text`."""
    return f"<span style='color:{method_colour(name)}'>{SIGNS[method_symbol(name)]}</span> {text}"


def dot(colour: str) -> str:
    """Markdown for a dot of `colour`, before the name of what has it."""
    return f':color[⬤]{{foreground="{colour}"}}'


def plain(text: str, length: int = 24) -> str:
    """A name that a user chose, as a figure's text: no markup, and without its middle where it is too long."""
    return inert(text, "figure", most=length)


def told_apart(names: Sequence[str], length: int = 24) -> list[str]:
    """The same for names that stand beside each other: where the middle tells them apart, it stays, and what all share is cut."""
    cut = [shortened(name, length) for name in names]
    if len(set(cut)) < len(set(names)):
        first, last = (_shared([name[::way] for name in names]) for way in (1, -1))
        last = min(last, min(map(len, names)) - first)
        room = max(0, length - 2 - max(len(name) - first - last for name in names))  # for some of what they share
        start, end = first - min(first, (room + 1) // 2), last - min(last, room // 2)
        cut = [shortened("…" * (start > 0) + name[start : len(name) - end] + "…" * (end > 0), length) for name in names]
    return [inert(name, "figure") for name in cut]


def _shared(names: Sequence[str]) -> int:
    """How many letters all names begin with."""
    return sum(1 for _ in takewhile(lambda signs: len(set(signs)) == 1, zip(*names, strict=False)))


def wrapped(text: str, width: int = 14) -> str:
    """`text` broken at spaces into lines of about `width` characters, for labels beside a narrow plot; "%" stays with its number."""
    return "<br>".join(textwrap.wrap(text.replace(" %", "\xa0%"), width, break_long_words=False, break_on_hyphens=False))


_AXIS: dict[str, Any] = {
    "showgrid": True, "gridcolor": LINE, "griddash": "1px,3px", "gridwidth": 1, "zeroline": False, "showline": False,
    "ticks": "", "tickfont": {"color": MUTED, "size": 12}, "automargin": True, "ticklabelstandoff": 4,
    "title": {"font": {"color": MUTED, "size": 12}, "standoff": 8},
}  # fmt: skip

_TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "color": INK, "size": 13},
        "title": {"x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 13, "color": MUTED}},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {
            "bgcolor": PANEL,
            "bordercolor": LINE,
            "font": {"color": INK, "family": FONT, "size": 13},
            "align": "left",
        },
        "annotationdefaults": {"showarrow": False, "font": {"size": 12}},
        "modebar": {"bgcolor": CLEAR, "color": MUTED, "activecolor": INK},
        "hovermode": "closest",
        "showlegend": False,
        "colorway": SUPERFEATURES,
    }
)

def _as_told(layout: dict[str, Any]) -> str:
    """The layout's template as it stands in a figure's JSON."""
    told = json.loads(go.Figure(layout=layout).to_json())["layout"]["template"]
    return f'"template":{json.dumps(told, separators=(",", ":"))}'


_NO_TEMPLATE, _HOUSE = _as_told({"template": {}}), _as_told({"template": _TEMPLATE})

# Under the picture: at the side it would drift away from a square picture in a wide column.
COLOURBAR: dict[str, Any] = {
    "orientation": "h", "thickness": 8, "len": 220, "lenmode": "pixels", "x": 0.5, "y": 0, "yanchor": "top", "ypad": 6,
    "outlinewidth": 0, "ticks": "", "tickfont": {"size": 11, "color": MUTED}, "nticks": 5,
    "title": {"side": "bottom", "font": {"size": 12, "color": MUTED}},
}  # fmt: skip


def colourbar(title: str, **settings: Any) -> dict[str, Any]:
    """The colour bar of every heat map, with `title` below it."""
    return {**COLOURBAR, "title": {**COLOURBAR["title"], "text": title}, **settings}


def figure(height: int, **layout: Any) -> go.Figure:
    """An empty figure of `height` pixels in the house style; `uirevision` is constant, so zoom and camera outlive new data."""
    defaults: dict[str, Any] = {"margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "uirevision": "keep"}
    return go.Figure(layout={"template": {}, "height": height, **defaults, **layout})


def to_json(drawing: go.Figure) -> str:
    """The figure as JSON, in the house style: `figure` leaves that to the end, as plotly checks all of it for every figure."""
    return str(drawing.to_json()).replace(_NO_TEMPLATE, _HOUSE, 1)


def put(axis: Any, **settings: Any) -> None:
    """Settings of an axis, one by one: plotly's own update takes milliseconds."""
    for name, value in settings.items():
        axis[name] = value


def upright(drawing: go.Figure, x: float, colour: str = MUTED, width: float = 1) -> None:
    """A line from bottom to top at x; plotly's own takes milliseconds."""
    place = {"x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain"}
    drawing.layout.shapes += ({"type": "line", **place, "line": {"color": colour, "width": width}},)


def pixel_axes(drawing: go.Figure, height: int, width: int) -> None:
    """Square pixels, row 0 at the top, no ticks: the axes of every picture."""
    hidden = {"visible": False, "showgrid": False, "constrain": "domain"}
    put(drawing.layout.xaxis, **hidden, range=[-0.5, width - 0.5])
    put(drawing.layout.yaxis, **hidden, range=[height - 0.5, -0.5], scaleanchor="x")


def fitted(drawing: go.Figure, aspect: float, room: int = 16, lettered: float = 0) -> None:
    """Let the figure be lower where its column is narrow: `aspect` times as high as wide, and `room` pixels more.

    `lettered`: pixels of width below which its annotations, or the numbers in its cells, would cover each other and are left out.
    """
    drawing.update_layout(meta={"aspect": aspect, "room": room, "lettered": lettered})
