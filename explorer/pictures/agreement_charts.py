"""Where and how far a student's explanations are its teacher's: a matrix, a scatter, a distribution. Arrays in, figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.words.inert import inert

Values = np.ndarray

LETTERED = 12  # classes have room beside each other
_DASHES = {"dot": "· · ·", "dash": "– – –"}
DISTINCT = 20  # values up to which a distribution has a bar for each


def matrix(
    cells: Values, rows: Sequence[str], classes: Sequence[str], *, chance: float, best: float, title: str, spread: Values | None = None
) -> go.Figure:
    """A measure for each superfeature (row) and class (column): paper is the level of chance, ink is full agreement.

    Of more classes than can be told apart, those that agree least and most by the last row, in that order (`telling`).

    `cells`: (R, C), NaN where there is nothing. `chance`, `best`: where the colours begin and end, whichever is larger. `spread`: (R, C)
    half widths of the intervals, for the tooltip.
    """
    shown = telling(cells, best > chance)
    cells, classes = np.asarray(cells, dtype=float)[:, shown], [classes[c] for c in shown]
    spread = None if spread is None else np.asarray(spread)[:, shown]
    drawing = theme.figure(40 * len(cells) + 150)
    low, high = (chance, best) if chance < best else (best, chance)
    scale = theme.SEQUENTIAL if chance < best else tuple((1 - place, colour) for place, colour in reversed(theme.SEQUENTIAL))
    ends = {chance: f"chance {chance:.2f}", best: f"equal {best:.2f}"}
    bar = theme.colourbar(title, tickvals=list(ends), ticktext=[text.replace("-", "−") for text in ends.values()])
    drawing.add_heatmap(
        z=cells, zmin=low, zmax=high if high > low else low + 1, colorscale=scale, colorbar=bar, xgap=2, ygap=2, name="agreement",
        text=_told(cells, rows, classes, spread), hovertemplate="%{text}<extra></extra>", hoverongaps=False,
        texttemplate="%{z:.2f}", textfont={"size": 11},
    )  # fmt: skip
    drawing.update_xaxes(side="top", showgrid=False, tickvals=list(range(len(classes))), ticktext=theme.told_apart(classes, 12))
    drawing.update_yaxes(tickvals=list(range(len(rows))), ticktext=list(rows), autorange="reversed", showgrid=False)
    drawing.update_yaxes(tickfont={"color": theme.INK, "size": 13})
    drawing.update_layout(meta={"lettered": 130 + 27 * len(classes)})  # on a narrow screen numbers would run into each other
    return drawing


def telling(cells: Values, rising: bool = True) -> list[int]:
    """The classes that have room: all of a few; of more the ones with the lowest and the highest values in the last row, in order.

    `rising`: whether higher values are more agreement; classes without a value are left out.
    """
    whole = np.asarray(cells, dtype=float)[-1]
    if len(whole) <= LETTERED:
        return list(range(len(whole)))
    known = [c for c in np.argsort(whole if rising else -whole, kind="stable").tolist() if not np.isnan(whole[c])]
    return known if len(known) <= LETTERED else [*known[: LETTERED // 2], *known[-(LETTERED // 2) :]]


def _told(cells: Values, rows: Sequence[str], classes: Sequence[str], spread: Values | None) -> list[list[str]]:
    """What the tooltip says of each cell."""
    half = np.full_like(cells, np.nan) if spread is None else np.asarray(spread, dtype=float)
    return [
        [
            f"{row}, {inert(name, 'figure')}: {value:.3f}{f' ± {width:.3f}' if width == width else ''}".replace("-", "−")
            for name, value, width in zip(classes, values, widths, strict=True)
        ]
        for row, values, widths in zip(rows, cells, half, strict=True)
    ]


def scatter(teacher: Values, student: Values, names: Sequence[str], numbers: Sequence[int], texts: Sequence[str]) -> go.Figure:
    """What the teacher gives each class against what the student gives it; on the diagonal they agree.

    `teacher`, `student`: (P, S, C) class-centred contributions of P superfeatures in S samples. `numbers`: of the P superfeatures, for
    their colours; `names`: what they are called. `texts`: S words about the samples, for the tooltip.
    """
    ends = np.array([min(teacher.min(), student.min()), max(teacher.max(), student.max())]) * 1.04
    drawing = theme.figure(400, margin={"l": 8, "r": 8, "t": 30, "b": 8})
    equal = {"color": theme.MUTED, "width": 1, "dash": "dash"}
    drawing.add_scatter(x=ends, y=ends, mode="lines", line=equal, hoverinfo="skip", name="equal")
    for number, name, theirs, mine in zip(numbers, names, teacher, student, strict=True):
        drawing.add_scatter(
            x=theirs.ravel(), y=mine.ravel(), mode="markers", name=name, text=np.repeat(np.asarray(texts), theirs.shape[1]),
            marker={"color": theme.superfeature_colour(number), "size": 5, "opacity": 0.55},
            hovertemplate=f"{name}, %{{text}}<br>teacher %{{x:.2f}}, student %{{y:.2f}}<extra></extra>",
        )  # fmt: skip
    legend = "  ".join(theme.key(theme.superfeature_colour(number), str(number + 1)) for number in numbers)
    drawing.add_annotation(text=f"superfeature {legend}", x=0, xref="paper", xanchor="left", y=1, yref="paper", yanchor="bottom", yshift=4)
    for axis, title in ((drawing.update_xaxes, "teacher's contribution, nats"), (drawing.update_yaxes, "student's contribution, nats")):
        axis(title_text=title, range=list(ends), zeroline=True, zerolinecolor=theme.LINE, nticks=6)
    return drawing


def distribution(
    samples: Mapping[str, Values],
    levels: Mapping[str, Mapping[str, Values]],
    title: str,
    *,
    labels: Mapping[str, str],
    bounds: tuple[float, float],
) -> go.Figure:
    """How a measure is spread over the test samples: a hill a method, and behind it what other samples give; each as high as its row.

    `samples`: method -> (K, N), all seeds together, NaN for a sample without a value. `levels`: words -> the same of something to compare
    with, of at most two. `bounds`: of the measure; infinite where it has none.
    """
    samples = {name: there for name, values in samples.items() if (there := values[~np.isnan(values)]).size}
    levels = {words: {name: of[name][~np.isnan(of[name])] for name in samples} for words, of in levels.items()}
    levels = {words: of for words, of in levels.items() if of and all(values.size for values in of.values())}
    drawing = theme.figure(70 * len(samples) + 120, margin={"l": 8, "r": 64, "t": 14 + 16 * max(1, len(levels)), "b": 8})
    if not samples:
        return drawing
    everything = [*samples.values(), *(values for of in levels.values() for values in of.values())]
    edges = _edges(np.concatenate(everything), bounds)
    for row, name in enumerate(samples):
        foot, label = len(samples) - 1 - row, labels.get(name, name)
        for dash, (words, of) in zip(_DASHES, levels.items(), strict=False):
            _hill(drawing, of[name], edges, foot, f"{label} {words}", line={"color": theme.MUTED, "width": 1.5, "dash": dash})
        colour = theme.method_colour(name)
        solid = {"color": colour, "width": 2.2, "dash": theme.method_dash(name)}
        _hill(drawing, samples[name], edges, foot, label, line=solid, fill="toself", fillcolor=theme.veil(0.3))
        middle = f"{float(np.median(samples[name])):.2f}".replace("-", "−")
        drawing.add_annotation(text=f"<b>{middle}</b>", x=1, xref="paper", y=foot + 0.2, xanchor="left", xshift=8)
    head = {"x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 4}
    told = [f"<span style='color:{theme.MUTED}'>{_DASHES[dash]} {words}</span>" for dash, words in zip(_DASHES, levels, strict=False)]
    drawing.add_annotation(text="<br>".join(told), align="left", **head)
    drawing.update_xaxes(title_text=title, range=[edges[0], edges[-1]], nticks=6)
    names = [theme.wrapped(labels.get(name, name), 12) for name in reversed(list(samples))]
    drawing.update_yaxes(tickvals=[foot + 0.2 for foot in range(len(names))], ticktext=names, range=[-0.06, len(names) + 0.02])
    drawing.update_yaxes(showgrid=False, tickfont={"color": theme.INK, "size": 13})
    return drawing


def _edges(everything: Values, bounds: tuple[float, float]) -> Values:
    """Where bins begin and end: one for each value where there are few, as with shares of a few superfeatures; else forty."""
    distinct = np.unique(everything[:: max(1, len(everything) // 20_000)])
    if len(distinct) <= DISTINCT:
        step = float(np.diff(distinct).min()) if len(distinct) > 1 else 1.0
        middles = (distinct[:-1] + distinct[1:]) / 2
        return np.array([distinct[0] - step / 2, *middles, distinct[-1] + step / 2])
    low, high = np.quantile(everything, [0.001, 0.999])
    low, high = max(low, bounds[0]), min(high, bounds[1])
    return np.linspace(low, high if high > low else low + 1, 41)


def _hill(drawing: go.Figure, values: Values, edges: Values, foot: float, label: str, **look: Any) -> None:
    """A histogram that stands on `foot` and is 0.9 high."""
    clipped = np.clip(values.ravel(), edges[0], edges[-1])
    shares = np.histogram(clipped, edges)[0] / max(len(clipped), 1)
    heights = foot + 0.9 * np.repeat(shares / max(float(shares.max()), 1e-12), 2)
    drawing.add_scatter(
        x=[edges[0], *np.repeat(edges, 2)[1:-1], edges[-1]], y=[foot, *heights, foot], mode="lines", name=label, **look,
        text=[f"{100 * share:.1f} %" for share in (0, *np.repeat(shares, 2), 0)],
        hovertemplate=f"{label}, at %{{x:.3g}}: %{{text}} of the samples<extra></extra>",
    )  # fmt: skip
