"""What the attributions page draws beside maps: bars of a table's features, how alike maps are, and Shapley values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.pictures import theme
from explorer.words.inert import inert
from explorer.words.numbers import signed

_BAR = 15  # pixels of a feature's bar
_LINE = 14  # of a line of text
_NAMES = 136  # of the features' names
_MARK = 7  # of a pair's dot


@dataclass(frozen=True)
class Panel:
    """A net: its title, (D,) values as shares of their strongest or None where it has none, and lines of text under them."""

    title: str
    values: np.ndarray | None
    under: tuple[str, ...]


def normalised(values: np.ndarray) -> np.ndarray:
    """A map as a share of its own strongest place, -1 to 1; zeros stay zeros."""
    most = float(np.abs(values).max(initial=0.0))
    shares: np.ndarray = values / most if most > 0 else values
    return shares


def scale() -> go.Figure:
    """The diverging scale that all maps share, in words: against the class, nothing, for it."""
    drawing = theme.figure(40, margin={"l": 1, "r": 1, "t": 2, "b": 22}, dragmode=False)
    drawing.add_heatmap(
        z=np.linspace(-1, 1, 101)[None].astype(np.float32), colorscale=theme.DIVERGING, showscale=False, hoverinfo="skip"
    )
    drawing.update_xaxes(
        tickvals=[0, 50, 100], ticktext=["against", "nothing", "for"], fixedrange=True, range=[-12, 112], showgrid=False
    )
    drawing.update_yaxes(visible=False, fixedrange=True)
    return drawing


def feature_bars(
    panels: Sequence[Panel], names: Sequence[str], shown: Sequence[int], colours: Sequence[str], head: str
) -> go.Figure:
    """A panel a net, side by side: how much each feature of a table speaks for (right) or against the class.

    Args:
        panels: The nets.
        names: D names.
        shown: Which features, from top to bottom.
        colours: D colours, of the features' superfeatures.
        head: Above everything.
    """
    below = _LINE * max(len(panel.under) for panel in panels) + 4
    margin = {"l": _NAMES, "r": 6, "t": 3 * _LINE + 10, "b": below}
    blank = theme.figure(_BAR * len(shown) + margin["t"] + below, margin=margin, dragmode=False)
    drawing = make_subplots(figure=blank, rows=1, cols=len(panels), shared_yaxes=True, horizontal_spacing=0.03)
    notes = [_note(f"<b>{head}</b>", "paper", 0, "left", 13, theme.INK) | {"y": 1, "yanchor": "bottom", "yshift": 2 * _LINE + 6}]
    notes[0] |= {"xshift": 4 - _NAMES}
    for column, panel in enumerate(panels, start=1):
        across = f"x{'' if column == 1 else column} domain"
        title = _note(panel.title.replace(" ", "<br>"), across, 0.5, "center", 11, theme.INK)
        under = _note("<br>".join(panel.under), across, 0.5, "center", 10, theme.MUTED)
        notes += [title | {"y": 1, "yanchor": "bottom"}, under | {"y": 0, "yanchor": "top", "yshift": -2}]
        drawing.add_trace(_bars(panel, names, shown), row=1, col=column)
    short = theme.told_apart([names[d] for d in shown], 18)
    ticks = [theme.key(colours[d], name) for d, name in zip(shown, short, strict=True)]
    drawing.update_layout(annotations=notes)
    drawing.update_yaxes(tickvals=list(range(len(shown))), ticktext=ticks, range=[len(shown) - 0.4, -0.6], showgrid=False)
    drawing.update_yaxes(tickfont={"color": theme.INK, "size": 11}, automargin=False, fixedrange=True)
    drawing.update_xaxes(range=[-1.05, 1.05], showticklabels=False, showgrid=False, fixedrange=True)
    drawing.update_xaxes(zeroline=True, zerolinecolor=theme.MUTED, zerolinewidth=1)
    return drawing


def _bars(panel: Panel, names: Sequence[str], shown: Sequence[int]) -> go.Bar:
    chosen = [0.0] * len(shown) if panel.values is None else [float(panel.values[d]) for d in shown]
    tints = ["rgba({},{},{},{:.3f})".format(*theme.diverging(value, 1.0)) for value in chosen]
    return go.Bar(
        orientation="h", x=chosen, y=list(range(len(shown))), width=0.7, customdata=[inert(names[d], "figure") for d in shown],
        marker={"color": tints, "line": {"color": theme.LINE, "width": 1}}, name=panel.title,
        hovertemplate=f"{panel.title}, %{{customdata}}: %{{x:+.2f}}<extra></extra>",
    )  # fmt: skip


def _note(text: str, across: str, x: float, anchor: str, size: int, colour: str) -> dict[str, Any]:
    font = {"size": size, "color": colour}
    return {"text": text, "xref": across, "x": x, "xanchor": anchor, "yref": "paper", "showarrow": False, "font": font}


def matrix(values: np.ndarray, labels: Sequence[str]) -> go.Figure:
    """How alike every two methods are: (n, n) from -1 to 1; NaN where a map says nothing."""
    drawing = theme.figure(30 * len(labels) + 130, margin={"l": 4, "r": 4, "t": 4, "b": 4}, dragmode=False)
    texts = [[f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–" for value in row] for row in values]
    pairs = [[f"{a} and {b}" for b in labels] for a in labels]
    drawing.add_heatmap(
        z=values.astype(np.float32), zmin=-1, zmax=1, colorscale=theme.DIVERGING, opacity=0.68, xgap=2, ygap=2, showscale=False,
        text=texts, texttemplate="%{text}", textfont={"size": 11, "color": theme.INK}, customdata=pairs,
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )  # fmt: skip
    ticks = {"tickvals": list(range(len(labels))), "ticktext": list(labels), "showgrid": False, "fixedrange": True}
    drawing.update_xaxes(**ticks, tickangle=-90, side="top", tickfont={"size": 11, "color": theme.INK})
    drawing.update_yaxes(**ticks, autorange="reversed", tickfont={"size": 11, "color": theme.INK})
    return drawing


def pairs(values: Mapping[str, Sequence[float]], labels: Sequence[str], colours: Mapping[str, str]) -> go.Figure:
    """Between two nets, under each method: a dot a pair of nets, from -1 (opposite) over 0 to 1 (alike).

    Args:
        values: Title of a pair -> one value a method, NaN where there is none.
        labels: The methods.
        colours: Title of a pair -> its colour.
    """
    top = 20 * len(values) + 12
    drawing = theme.figure(30 * len(labels) + top + 50, margin={"l": 4, "r": 14, "t": top, "b": 4}, dragmode=False)
    places = list(range(len(labels)))
    for level, (title, row) in enumerate(values.items()):
        mark = {"color": colours[title], "size": 2 * _MARK, "line": {"color": theme.PAPER, "width": 2}}
        drawing.add_scatter(
            x=list(row), y=places, mode="markers", marker=mark, name=title, customdata=list(labels), cliponaxis=False,
            hovertemplate=f"{title}, %{{customdata}}: %{{x:.2f}}<extra></extra>",
        )  # fmt: skip
        drawing.add_annotation(
            text=theme.key(colours[title], title), xref="paper", x=0, yref="paper", y=1, xanchor="left", yanchor="bottom",
            yshift=20 * (len(values) - 1 - level),
        )  # fmt: skip
    theme.upright(drawing, 0)
    drawing.update_yaxes(tickvals=places, ticktext=list(labels), range=[len(labels) - 0.4, -0.6], fixedrange=True)
    drawing.update_yaxes(tickfont={"size": 11, "color": theme.INK})
    drawing.update_xaxes(range=[-1.05, 1.05], fixedrange=True, tickvals=[-1, -0.5, 0, 0.5, 1])
    return drawing


def shapley(games: Mapping[str, np.ndarray]) -> go.Figure:
    """Shapley values of the superfeatures: a group of bars a superfeature, a bar a game, the first game in full colour.

    `games`: name -> (M,) values in nats.
    """
    first, *others = games
    M, count = len(games[first]), len(games)
    drawing = theme.figure(M * (20 * count + 16) + 52, barmode="group", margin={"l": 4, "r": 40, "t": 4, "b": 4}, dragmode=False)
    colours = [theme.superfeature_colour(m) for m in range(M)]
    looks = {first: 1.0} | dict(zip(others, (0.55, 0.25), strict=False))
    for name, values in games.items():
        drawing.add_bar(
            orientation="h", y=list(range(M)), x=values, name=name, cliponaxis=False,
            marker={"color": [theme.faded(colour, looks[name]) for colour in colours], "line": {"color": colours, "width": 1}},
            text=[f"{signed(value)} {name}" for value in values], textposition="none",
            hovertemplate="superfeature %{y}: %{x:+.5f} nats, " + name + "<extra></extra>",
        )  # fmt: skip
    theme.upright(drawing, 0)
    drawing.update_yaxes(
        tickvals=list(range(M)), ticktext=[theme.key(colours[m], f"<b>{m + 1}</b>") for m in range(M)], autorange="reversed",
        showgrid=False, fixedrange=True,
    )  # fmt: skip
    drawing.update_xaxes(title_text="contribution φ, nats", fixedrange=True)
    return drawing
