"""One batch under the magnifying glass: the loss as a sum of labelled terms, each with its weight and its number.

Plain HTML made of numbers and of our own words alone. No streamlit here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from explorer import theme

# Term -> (what it is called, how it is written, what its weight is made of).
TERMS: dict[str, tuple[str, str, str]] = {
    "ce": ("cross-entropy", "CE", "1 − λ"),
    "prediction": ("prediction", "KL(p)", "T²λ(1 − μ)"),
    "explanation": ("explanations, mean", "KL(y<sub>m</sub>)", "τ²λμ"),
    "hint": ("hint", "H", "λμρ"),
}
_PLAIN = {"prediction": "T²λ", "hint": "λρ"}  # weights of a student without explanations
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


def equation(step: Mapping[str, Any]) -> str:
    """HTML: loss = sum of weight x term; terms come one after the other, with a card for each superfeature's explanation."""
    found = terms(step)
    total = sum(term.weight * term.value for term in found)
    explains = any(term.name == "explanation" for term in found)
    place = f"epoch {step['epoch']}, batch {step['step']} of {step['steps']}"  # a run that rests may be some batches ahead
    cards = [_card(theme.INK, "loss", f"{total:.3f}", place, 0)]
    for number, term in enumerate(found, start=1):
        label, symbol, weight = TERMS[term.name]
        weight = weight if explains else _PLAIN.get(term.name, weight)
        alone = len(found) == 1 and term.weight == 1
        product = "" if alone else f"{weight} = {term.weight:.3g} &times; {term.value:.4f}"
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
.ked-small .ked-term { min-width: 7rem } .ked-small .ked-term b { font-size: 1.05rem }
@keyframes ked-appear { from { opacity: 0; transform: translateY(6px) } to { opacity: 1 } }
@media (prefers-reduced-motion: reduce) { .ked-term { animation: none } }
</style>"""
