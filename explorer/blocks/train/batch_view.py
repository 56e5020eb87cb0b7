"""One batch under the magnifying glass: the loss as a sum of labelled terms, each with its weight and its number.

Plain HTML made of numbers and of our own words alone. No streamlit here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from explorer.pictures import theme

TERMS: dict[str, tuple[str, str]] = {
    "ce": ("cross-entropy", "CE"),
    "prediction": ("prediction", "KL(p)"),
    "explanation": ("explanations, mean", "KL(y<sub>m</sub>)"),
    "hint": ("hint", "H"),
}
"""Term -> what it is called, and how it is written."""

_PAUSE = 0.18  # seconds between two terms that appear, if the next batch leaves the time


class Term(NamedTuple):
    """A term of the loss: unweighted value in nats, mean over the seeds, and its weight."""

    name: str
    value: float
    weight: float


def terms(step: Mapping[str, Any]) -> list[Term]:
    """The terms of a "step" event, as far as they have a weight."""
    means = {name: sum(values) / len(values) for name, values in step["loss"].items()}
    return [Term(name, value, step["weights"][name]) for name, value in means.items() if step["weights"].get(name)]


def letters(name: str, among: Collection[str]) -> str:
    """What the weight of a term is made of, where these are the terms of the loss (`ked.losses.weights`)."""
    explains, hinted = "explanation" in among, "hint" in among
    parts = {
        "ce": "1 − λ" if len(among) > 1 else "1",
        "prediction": "T²λ" + ("(1 − μ)" if explains else "(1 − ρ)" if hinted else ""),
        "explanation": "τ²λμ" + ("(1 − ρ)" if hinted else ""),
        "hint": "λμρ" if explains else "λρ",
    }
    return parts[name]


def equation(step: Mapping[str, Any], seconds: float = math.inf) -> str:
    """HTML: loss = sum of weight x term; terms come one after the other, with a card for each superfeature's explanation.

    Args:
        step: A "step" event.
        seconds: Until the next one: in half of them everything has appeared.
    """
    found = terms(step)
    total = sum(term.weight * term.value for term in found)
    place = f"epoch {step['epoch']}, batch {step['step']} of {step['steps']}"  # a run that rests may be some batches ahead
    cards = [_Card(theme.INK, "loss", f"{total:.3f}", place), *_summands(found, step["loss"])]
    parts = [_superfeature(m, value) for m, value in enumerate(step.get("explanations", ()))]
    pause = min(_PAUSE, 0.5 * seconds / (len(cards) + len(parts)))
    return f"{_STYLE}{_row(cards, 0, pause)}{_row(parts, len(cards), pause, 'ked-small') if parts else ''}"


def _summands(found: Sequence[Term], among: Collection[str]) -> Iterator[_Card]:
    for number, term in enumerate(found):
        label, symbol = TERMS[term.name]
        alone = len(found) == 1 and term.weight == 1
        product = "" if alone else f"{letters(term.name, among)} = {term.weight:.3g} &times; {term.value:.4f}"
        head = f"{'+' if number else '='} {theme.TERMS[term.name][1]} {label} <i>{symbol}</i>"
        yield _Card(theme.MUTED, head, f"{term.weight * term.value:.3f}", product)


class _Card(NamedTuple):
    """A number under its name, over what it is made of."""

    colour: str
    head: str
    number: str
    foot: str = ""


def _superfeature(m: int, value: float) -> _Card:
    colour = theme.superfeature_colour(m)
    return _Card(colour, f"{_dot(colour)} superfeature {m + 1}", f"{value:.4f}")


def _row(cards: Sequence[_Card], first: int, pause: float, look: str = "") -> str:
    """Cards side by side, each a pause after the one before; `first`: how many have appeared already."""
    shown = "".join(_card(card, pause * place) for place, card in enumerate(cards, start=first))
    return f"<div class='ked-terms {look}'>{shown}</div>"


def _dot(colour: str) -> str:
    return f"<span style='color:{colour}'>●</span>"


def _card(card: _Card, delay: float) -> str:
    style = f"border-top-color:{card.colour};animation-delay:{delay:.2f}s"
    below = f"<small>{card.foot}</small>" if card.foot else ""
    return f"<div class='ked-term' style='{style}'><span>{card.head}</span><b>{card.number}</b>{below}</div>"


_STYLE = """<style>
.ked-terms { display: flex; flex-wrap: wrap; gap: 0.6rem; margin-bottom: 0.6rem }
.ked-term { border-top: 3px solid; padding: 0.35rem 0.7rem 0.35rem 0; min-width: 9.5rem; display: flex; flex-direction: column;
  animation: ked-appear 0.35s ease-out both; font-size: 0.85rem }
.ked-term b { font-size: 1.35rem; font-variant-numeric: tabular-nums }
.ked-term small { opacity: 0.75; font-variant-numeric: tabular-nums }
.ked-term sub { line-height: 0 }
.ked-small .ked-term { min-width: 7rem } .ked-small .ked-term b { font-size: 1.05rem }
@keyframes ked-appear { from { opacity: 0; transform: translateY(6px) } to { opacity: 1 } }
@media (prefers-reduced-motion: reduce) { .ked-term { animation: none } }
</style>"""
