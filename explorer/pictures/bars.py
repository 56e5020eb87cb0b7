"""Bars for one sample: how a prediction adds up from the base, and what several nets make of the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.pictures import theme
from explorer.pictures.frames import Change, moving
from explorer.words.inert import inert
from explorer.words.numbers import signed
from ked.shares import in_percent

Values = np.ndarray
_LETTERS = 18  # of a class's name have room beside a bar; the tooltip has it whole


def waterfall(
    phi: Values,
    base: Values,
    target: int,
    *,
    against: int = -1,
    classes: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    members: Sequence[bool] | None = None,
    selected: int | None = None,
    limits: tuple[float, float] | None = None,
) -> go.Figure:
    """From the base to the final log-probability of class `target`: a bar for each superfeature, then the normaliser.

    `phi`: (M, C) contributions log y_m - base; `base`: (C,) log-probabilities. `members`: which superfeatures take part.
    base + sum of phi + normaliser = log p exactly, where the normaliser -logsumexp shifts all classes alike. `against`: another
    class, whose log-probability is taken away throughout; then there is no normaliser.
    `selected` stands out. `limits`: the horizontal range, to give several nets one scale. A click's customdata is the
    superfeature, from 1; 0 for the other bars.
    """
    steps, final = waterfall_steps(phi, base, target, members, against)
    M, chosen = len(phi), [True] * len(phi) if members is None else list(members)
    starts = np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    rows = _waterfall_rows(steps, final, list(names or [f"superfeature {m + 1}" for m in range(M)]), classes, target, against)
    inner = [_bar_colour(m, on, selected) for m, on in enumerate(chosen)]
    rest, normaliser = len(steps) - 1 - M, "rgba(138,143,152,0.45)"  # one bar for the normaliser, if there is one
    texts = [signed(step) for step in steps]
    texts[1 : M + 1] = [text if on else "off" for text, on in zip(texts[1 : M + 1], chosen, strict=True)]
    drawing = theme.figure(32 * len(rows) + 52)
    drawing.add_bar(
        orientation="h", y=list(range(len(rows))), base=[*starts, 0.0], x=[*steps, final], width=0.62,
        marker={"color": [theme.GREY, *inner, *[normaliser] * rest, theme.INK], "line": {"width": 0}},
        customdata=[0, *range(1, M + 1), *[0] * rest, 0], name="log-probability",
        text=[*texts, f"<b>{signed(final)}</b>"], textposition="none", hovertext=_in_full(texts, final, classes, target, against),
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    ends = np.concatenate([np.cumsum(steps), [final]])
    _waterfall_marks(drawing, np.array([*starts, 0.0]), ends, drawing.data[0].text)
    span = limits or (float(min(starts.min(), ends.min())), float(max(0.0, starts.max(), ends.max())))
    width = span[1] - span[0]  # room for the values beside the bars, on a narrow screen too
    title = "log-probability" if against < 0 else "difference of log-probabilities"
    theme.put(drawing.layout.xaxis, title_text=title, range=[span[0] - 0.26 * width, span[1] + 0.2 * width])
    rest_of_axis = {"range": [len(rows) - 0.4, -0.6], "showgrid": False, "tickfont": {"color": theme.INK, "size": 13}}
    theme.put(drawing.layout.yaxis, tickvals=list(range(len(rows))), ticktext=rows, **rest_of_axis)
    theme.upright(drawing, 0)
    return drawing


def waterfall_steps(
    phi: Values, base: Values, target: int, members: Sequence[bool] | None = None, against: int = -1
) -> tuple[Values, float]:
    """The steps (base, phi_1..M, normaliser) of class `target`, shape (M + 2,), and log p, to which they add up.

    Less those of the class `against`, where one is given: shape (M + 1,), as the normaliser is the same for both.
    """
    phi = np.asarray(phi, dtype=float) * (np.ones(len(phi)) if members is None else np.asarray(members, dtype=float))[:, None]
    base = np.asarray(base, dtype=float)
    logits = base + phi.sum(0)
    if against >= 0:
        steps = np.array([base[target] - base[against], *(phi[:, target] - phi[:, against])])
        return steps, float(logits[target] - logits[against])
    normaliser = -float(np.logaddexp.reduce(logits))
    return np.array([base[target], *phi[:, target], normaliser]), float(logits[target] + normaliser)


def _waterfall_rows(
    steps: Values, final: float, names: list[str], classes: Sequence[str] | None, target: int, against: int
) -> list[str]:
    """What stands left of each bar."""
    if against >= 0:
        other = theme.wrapped(f"{_class(classes, target)} over {_class(classes, against)}", 18)
        return [f"base, {_times(steps[0])}", *names, f"<b>{other}, {_times(final)}</b>"]
    last = theme.wrapped(f"{_class(classes, target)}, {_percent(final)}", _LETTERS)
    return [f"base, {_percent(steps[0])}", *names, "normaliser", f"<b>{last}</b>"]


def _in_full(texts: Sequence[str], final: float, classes: Sequence[str] | None, target: int, against: int) -> list[str]:
    """What the tooltips say: each bar's value, beside the last one the classes' whole names."""
    asked = [inert(classes[c], "figure") if classes else f"class {c}" for c in (target, against) if c >= 0]
    return [*texts, f"{' over '.join(asked)}: {signed(final)}"]


def _bar_colour(m: int, on: bool, selected: int | None) -> str:
    colour = theme.superfeature_colour(m) if selected in (None, m) else theme.faded(theme.superfeature_colour(m), 0.25)
    return colour if on else theme.CLEAR


def _waterfall_marks(drawing: go.Figure, starts: Values, ends: Values, texts: Sequence[str]) -> None:
    """Thin lines from the end of each bar to the start of the next, and each value beside its bar's end."""
    x: list[float | None] = []
    y: list[float | None] = []
    for row, end in enumerate(ends[:-1]):
        x += [end, end, None]
        y += [row - 0.31, row + 1.31, None]
    line = {"color": theme.MUTED, "width": 1}
    drawing.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", name="connectors")
    notes = []
    for row, (start, end, text) in enumerate(zip(starts, ends, texts, strict=True)):
        right = end >= start if 0 < row < len(ends) - 1 else False
        side = {"xanchor": "left" if right else "right", "xshift": 6 if right else -6}
        notes.append({"x": end, "y": row, "text": text, "showarrow": False, **side})
    drawing.update_layout(annotations=notes)


def _percent(log_probability: float) -> str:
    share = 100 * float(np.exp(log_probability))
    return f"{share:.1f} %" if share >= 0.1 else "under 0.1 %"


def _times(difference: float) -> str:
    """How many times as likely, of a difference of log-probabilities."""
    ratio = float(np.exp(min(difference, 50.0)))
    return f"{ratio:.3g}×" if 1e-3 <= ratio <= 1e3 else "over 1000×" if ratio > 1 else "under 0.001×"


def _class(classes: Sequence[str] | None, c: int) -> str:
    return theme.plain(classes[c], _LETTERS) if classes else f"class {c}"


def class_names(classes: Sequence[str]) -> list[str]:
    """What a click on a bar of `class_probabilities` gives as customdata: each class's name as its hover text shows it."""
    return [inert(name, "figure") for name in classes]


def class_probabilities(
    probabilities: Mapping[str, Values],
    classes: Sequence[str],
    *,
    labels: Mapping[str, str] | None = None,
    truth: int | None = None,
    before: Mapping[str, Values] | None = None,
    most: int = 10,
) -> go.Figure:
    """Class probabilities side by side: a column for each net, a row for each class; at most `most` classes, the likeliest.

    `probabilities`: net or "coalition" -> (C,). `truth`: the sample's class, set in bold. `before`: net -> (C,), what each was
    before something was changed, as a mark on its bar.
    """
    labels = labels or {}
    table = np.array([np.asarray(p, dtype=float) for p in probabilities.values()])
    heights = np.maximum(table.max(0), np.max([*(before or {}).values()], axis=0)) if before else table.max(0)
    shown = np.sort(np.argsort(-heights, kind="stable")[:most])
    columns: list[dict[str, Any]] = []
    crowded = len(table) > 4  # then a name has no room for its sign beside it
    top = 54 if crowded else 40
    notes, axes, width = [], {}, (1 - _GAP * (len(table) - 1)) / len(table)
    for place, (name, row) in enumerate(zip(probabilities, table[:, shown], strict=True)):
        axis, label = f"x{place + 1 if place else ''}", theme.wrapped(labels.get(name, name), 7)
        start = place * (width + _GAP)
        room = 0.12 * max(len(table), 3)  # for the number beside a whole bar
        axes[axis.replace("x", "xaxis")] = {"domain": [start, min(start + width, 1)], "anchor": "y", "range": [0, 1 + room], **_SHARES}
        columns.append(_probability_column(axis, name, label, row, [classes[c] for c in shown]))
        columns += [_marks_before(axis, np.asarray(before[name])[shown])] if before else []
        head = theme.net_key(name, f"<br>{label}" if crowded else label)
        notes.append({"text": head, "xref": f"{axis} domain", **_HEAD, "font": {"size": 11 if crowded else 12}})
    names = theme.told_apart([classes[c] for c in shown], _LETTERS)
    ticks = [f"<b>{name}</b>" if c == truth else name for c, name in zip(shown, names, strict=True)]
    # All at once: plotly takes milliseconds for everything that is added to a figure, and a drawn stroke waits for this one.
    drawing = theme.figure(
        26 * len(shown) + 8 + top, margin={"l": 8, "r": 8, "t": top, "b": 8}, bargap=0.3, annotations=notes, **axes,
        yaxis={
            "tickvals": list(range(len(shown))), "ticktext": ticks, "range": [len(shown) - 0.4, -0.6], "showgrid": False,
            "tickfont": {"color": theme.INK},
        },
    )  # fmt: skip
    return drawing.add_traces(columns)


def moving_probabilities(
    ticks: Mapping[str, Mapping[str, Values]],
    classes: Sequence[str],
    *,
    labels: Mapping[str, str] | None = None,
    truth: int | None = None,
    most: int = 10,
) -> go.Figure:
    """`class_probabilities` with a frame for each tick; the classes are the likeliest at the last one."""
    last = list(ticks.values())[-1]
    table = np.array([np.asarray(p, dtype=float) for p in last.values()])
    shown = np.sort(np.argsort(-table.max(0), kind="stable")[:most])
    names = [theme.wrapped((labels or {}).get(net, net), 7) for net in last]
    base = class_probabilities(last, classes, labels=labels, truth=truth, most=most)
    changes = [
        Change(tick, {name: _probability_values(p[shown]) for name, p in zip(names, said.values(), strict=True)}, {})
        for tick, said in ticks.items()
    ]
    return moving(base, changes)


_GAP = 0.03  # between two columns, as a share of the figure
_SHARES = {"showticklabels": False, "showgrid": False, "fixedrange": True}
_HEAD = {"x": 0, "yref": "paper", "y": 1, "xanchor": "left", "yanchor": "bottom", "align": "left", "showarrow": False}


def _marks_before(axis: str, row: Values) -> dict[str, Any]:
    return {
        "type": "scatter", "x": [p if p >= 0.005 else None for p in row], "y": list(range(len(row))), "xaxis": axis, "yaxis": "y",
        "mode": "markers", "name": "before", "cliponaxis": False, "hovertext": [in_percent(p, 1) for p in row],
        "hovertemplate": "before: %{hovertext}<extra></extra>",
        "marker": {"symbol": "line-ns", "size": 15, "line": {"width": 2.5, "color": theme.INK}},
    }  # fmt: skip


def _probability_values(row: Values) -> dict[str, Any]:
    return {"x": row, "text": [f"{100 * p:.0f}" if p >= 0.005 else "" for p in row], "hovertext": [in_percent(p, 1) for p in row]}


def _probability_column(axis: str, name: str, label: str, row: Values, classes: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "bar", "orientation": "h", "y": list(range(len(row))), "name": label, "xaxis": axis, "yaxis": "y",
        "marker": {"color": theme.method_colour(name), "line": {"width": 0}}, "textposition": "outside", "cliponaxis": False,
        "textfont": {"size": 11, "color": theme.MUTED}, "customdata": class_names(classes),
        "hovertemplate": "%{customdata}: %{hovertext}<extra></extra>", **_probability_values(row),
    }  # fmt: skip
