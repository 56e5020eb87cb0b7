"""One batch under the magnifying glass: the loss as a sum of labelled terms, each with its weight and its number.

Plain HTML made of numbers and of our own words alone. No streamlit here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from explorer import theme

TERMS: dict[str, tuple[str, str]] = {
    "ce": ("cross-entropy", "CE"),
    "prediction": ("prediction", "KL(p)"),
    "explanation": ("explanations, mean", "KL(y<sub>m</sub>)"),
    "hint": ("hint", "H"),
}
"""Term -> what it is called, and how it is written."""

_PAUSE = 0.18  # seconds between two terms that appear


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


def equation(step: Mapping[str, Any]) -> str:
    """HTML: loss = sum of weight x term; terms come one after the other, with a card for each superfeature's explanation."""
    found = terms(step)
    total = sum(term.weight * term.value for term in found)
    cards = [_card(theme.INK, "loss of this batch", f"{total:.3f}", "", 0)]
    for number, term in enumerate(found, start=1):
        label, symbol = TERMS[term.name]
        product = f"{letters(term.name, step['loss'])} = {term.weight:.3g} &times; {term.value:.4f}"
        sign = "=" if number == 1 else "+"
        head = f"{sign} {_dot(theme.TERMS[term.name])} {label} <i>{symbol}</i>"
        cards.append(_card(theme.TERMS[term.name], head, f"{term.weight * term.value:.3f}", product, number))
    parts = _superfeatures(step.get("explanations", ()), len(cards))
    return f"{_STYLE}<div class='ked-terms'>{''.join(cards)}</div>{parts}"


def _superfeatures(values: Sequence[float], first: int) -> str:
    if not values:
        return ""
    cards = [
        _card(theme.superfeature_colour(m), f"{_dot(theme.superfeature_colour(m))} superfeature {m + 1}", f"{value:.4f}", "", first + m)
        for m, value in enumerate(values)
    ]
    return f"<div class='ked-terms ked-small'>{''.join(cards)}</div>"


def _dot(colour: str) -> str:
    return f"<span style='color:{colour}'>●</span>"


def _card(colour: str, head: str, number: str, foot: str, place: int) -> str:
    style = f"border-top-color:{colour};animation-delay:{_PAUSE * place:.2f}s"
    below = f"<small>{foot}</small>" if foot else ""
    return f"<div class='ked-term' style='{style}'><span>{head}</span><b>{number}</b>{below}</div>"


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
