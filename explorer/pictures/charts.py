"""Charts of whole runs, of loss terms, final results and resolutions: plain arrays in, plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.pictures import theme
from explorer.pictures.curves import Look, band, end_labels
from explorer.words.numbers import plus_minus

Values = np.ndarray


def loss_terms(
    history: Mapping[str, Mapping[str, Values]],
    weights: Mapping[str, Mapping[str, float | Values]],
    *,
    labels: Mapping[str, str] | None = None,
    epochs: int | None = None,
    row_height: int = 150,
) -> go.Figure:
    """What each method minimises: its loss terms, each times its weight, stacked so that the upper edge is the loss.

    `history`: method -> term ("ce", "prediction", "explanation", ...) -> (epochs so far,) or (epochs so far, K), unweighted.
    `weights`: method -> term -> its weight in the loss, one or one an epoch. One row a method; terms with weight 0 are left out.
    """
    labels = labels or {}
    count = max(len(history), 1)
    blank = theme.figure(row_height * count + 50)
    drawing = make_subplots(figure=blank, rows=count, cols=1, shared_xaxes=True, vertical_spacing=0.3 / count)
    longest = epochs or 2
    for row, (name, terms) in enumerate(history.items(), start=1):
        shares = {t: np.asarray(weights[name][t]) * _over_seeds(v) for t, v in terms.items() if np.any(weights[name].get(t, 0))}
        longest = max([longest, *(len(share) for share in shares.values())])
        _stack(drawing, row, shares, row_height)
        place = {
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "yref": f"y{row if row > 1 else ''} domain",
            "y": 1,
            "yanchor": "bottom",
        }
        total = sum((float(share[-1]) for share in shares.values() if len(share)), 0.0)
        state = f"loss {total:.2f}" if shares else "still to come"
        text = f"<b>{labels.get(name, name)}</b> <span style='color:{theme.MUTED}'>{state}</span>"
        drawing.add_annotation(text=theme.net_key(name, text), yshift=4, **place)
    drawing.update_xaxes(range=[1, longest], showgrid=False)
    drawing.update_xaxes(title_text="epoch", row=max(len(history), 1), col=1)
    drawing.update_yaxes(nticks=4)
    drawing.update_layout(margin={"t": 30, "r": 130})
    return drawing


def _over_seeds(values: Values) -> Values:
    values = np.asarray(values, dtype=float)
    return values.mean(-1) if values.ndim == 2 else values


def _stack(drawing: go.Figure, row: int, shares: Mapping[str, Values], row_height: int) -> None:
    total = sum((share[-1] for share in shares.values() if len(share)), 0.0)
    middles, texts, below = [], [], 0.0
    for term, share in shares.items():
        if not len(share):
            continue
        pattern, sign = theme.TERMS.get(term, ("", "□"))
        drawing.add_scatter(
            x=np.arange(1, len(share) + 1), y=share, name=term, stackgroup=f"row{row}", mode="lines", row=row, col=1,
            line={"color": theme.INK, "width": 1.2}, fillcolor=theme.veil(0.3),
            fillpattern={"shape": pattern, "fgcolor": theme.MUTED, "bgcolor": theme.CLEAR, "size": 7, "solidity": 0.25},
            hovertemplate=f"{term}, epoch %{{x}}: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
        percent = 100 * share[-1] / total if total else 0.0
        texts.append(f"{sign} {theme.TERM_LABELS.get(term, term)} <b>{percent:.0f} %</b>")
        middles.append(below + share[-1] / 2)
        below += share[-1]
    peak = max((float(np.sum(list(shares.values()), axis=0).max()) if texts else 0.0), 1e-9)
    drawing.update_yaxes(range=[0, 1.05 * peak], showticklabels=bool(texts), row=row, col=1)
    end_labels(drawing, texts, middles, 0.0, 1.05 * peak, round(row_height * 0.7), f"y{row if row > 1 else ''}")


def results(
    accuracies: Mapping[str, Values],
    *,
    labels: Mapping[str, str] | None = None,
    references: Mapping[str, float] | None = None,
    looks: Mapping[str, Look] | None = None,
) -> go.Figure:
    """Final accuracies: a row a method, a small dot a seed, a large dot and a line for the mean and its 95 % interval.

    `accuracies`: method -> (K,) in [0, 1]. `references`: net -> accuracy, dotted lines. `looks`: as for learning curves.
    """
    looks = {name: Look.of_method(name) for name in accuracies} | dict(looks or {})
    labels, references = dict(labels or {}), dict(references or {})
    drawing = theme.figure(
        40 * len(accuracies) + 66 + 18 * len(references),
        margin={"l": 8, "r": 90, "t": 12 + 18 * len(references), "b": 8},
    )
    for row, (name, values) in enumerate(accuracies.items()):
        _result_row(
            drawing,
            row,
            looks[name],
            100 * np.asarray(values, dtype=float),
            labels.get(name, name),
        )
    for level, (name, value) in enumerate(references.items()):
        drawing.add_vline(100 * value, line={"color": theme.method_colour(name), "width": 1.2, "dash": "dot"})
        text = f"{labels.get(name, name)} <b>{100 * value:.1f}</b>"
        place = {
            "x": 100 * value,
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "xanchor": "right",
            "xshift": 6,
            "yshift": 17 * level,
        }
        drawing.add_annotation(text=text, font={"color": theme.method_colour(name), "size": 12}, **place)
    names = [labels.get(name, name) for name in accuracies]
    drawing.update_yaxes(tickvals=list(range(len(names))), ticktext=[theme.wrapped(n) for n in names], showgrid=False)
    drawing.update_yaxes(range=[len(names) - 0.4, -0.6], tickfont={"color": theme.INK, "size": 13})
    drawing.update_xaxes(title_text="test accuracy, %")
    return drawing


def _result_row(drawing: go.Figure, row: int, look: Look, values: Values, label: str) -> None:
    mean, low, high = (float(v) for v in band(values))
    colour = look.colour
    drawing.add_scatter(x=[low, high], y=[row, row], mode="lines", line={"color": colour, "width": 3}, hoverinfo="skip")
    seeds = {"color": colour, "size": 6, "opacity": 0.5}
    hover = f"{label}, one seed: %{{x:.2f}} %<extra></extra>"
    drawing.add_scatter(x=values, y=np.full(len(values), row + 0.24), mode="markers", marker=seeds, hovertemplate=hover)
    large = {"color": colour, "symbol": look.symbol, "size": 13, **theme.rim(look.symbol, 2)}
    drawing.add_scatter(x=[mean], y=[row], mode="markers", marker=large, hovertemplate=f"{label}: %{{x:.2f}} %<extra></extra>")
    text = f"<b>{mean:.1f}</b>{plus_minus(high - mean, 1)}"
    drawing.add_annotation(text=text, x=1, xref="paper", y=row, xanchor="left", xshift=10)


def staircase(resolutions: Values, counts: Values, modularities: Values, *, chosen: float, height: int = 320) -> go.Figure:
    """Number of communities (steps) and modularity (line) against the resolution, with the chosen resolution marked.

    `resolutions`, `counts`, `modularities`: (R,) each, the resolutions rising.
    """
    blank = theme.figure(height, margin={"l": 8, "r": 8, "t": 30, "b": 8})
    drawing = make_subplots(figure=blank, rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.14, row_heights=[0.58, 0.42])
    steps = {
        "line": {"shape": "hv", "width": 2.4, "color": theme.INK},
        "mode": "lines",
        "name": "communities",
    }
    drawing.add_scatter(
        x=resolutions,
        y=counts,
        row=1,
        col=1,
        hovertemplate="resolution %{x:.3g}: %{y}<extra></extra>",
        **steps,
    )
    line = {"line": {"width": 2.4, "color": theme.MUTED}, "mode": "lines", "name": "modularity"}
    drawing.add_scatter(x=resolutions, y=modularities, row=2, col=1, hovertemplate="%{y:.3f}<extra></extra>", **line)
    at = min(max(int(np.searchsorted(resolutions, chosen, side="right")) - 1, 0), len(counts) - 1)
    theme.upright(drawing, chosen, theme.INK, 1.5)
    mark = {"color": theme.INK, "size": 11, "line": {"color": theme.PAPER, "width": 2}}
    for row, values in ((1, counts), (2, modularities)):
        drawing.add_scatter(x=[chosen], y=[values[at]], mode="markers", marker=mark, hoverinfo="skip", row=row, col=1)
    for axis, text in (
        ("y", f"communities, <b>{int(counts[at])}</b> chosen"),
        ("y2", f"modularity, <b>{float(modularities[at]):.3f}</b>"),
    ):
        drawing.add_annotation(
            text=text,
            x=0,
            xref="paper",
            xanchor="left",
            y=1,
            yref=f"{axis} domain",
            yanchor="bottom",
            yshift=2,
        )
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]
    drawing.update_xaxes(type="log", tickvals=ticks, showgrid=False)
    drawing.update_xaxes(title_text="resolution", row=2, col=1)
    drawing.update_yaxes(nticks=5)
    return drawing
