"""The loss under the magnifying glass adds up, and says what its weights are made of."""

from __future__ import annotations

import re
from typing import Any

import pytest

from explorer.blocks.train import batch_view
from ked.losses import weights
from ked.methods import METHODS

VALUES = {"ce": [0.5, 0.7], "prediction": [0.02, 0.04], "explanation": [0.01, 0.03], "hint": [3.0, 5.0]}
SETTINGS = {"T": 10.0, "tau": 5.0, "lam": 0.7, "mu": 0.6, "rho": 0.3}


PLACE = {"epoch": 2, "step": 5, "steps": 9}


def step(method: str) -> dict[str, Any]:
    in_force = weights(METHODS[method], *SETTINGS.values())
    return {"loss": {name: VALUES[name] for name in in_force}, "weights": in_force, "explanations": [0.015, 0.025]} | PLACE


def numbers(html: str) -> list[float]:
    return [float(text) for text in re.findall(r"<b>([\d.]+)</b>", html)]


@pytest.mark.parametrize("method", METHODS)
def test_the_terms_add_up_to_the_loss(method: str) -> None:
    terms = batch_view.terms(step(method))
    shown = numbers(batch_view.equation(step(method) | {"explanations": []}))
    assert shown[0] == pytest.approx(sum(shown[1:]), abs=0.001 * len(shown))
    assert len(shown) == 1 + len(terms)


@pytest.mark.parametrize("method", METHODS)
def test_the_letters_of_a_weight_give_its_number(method: str) -> None:
    """Each weight is computed again from the letters that are shown beside it."""
    html = batch_view.equation(step(method))
    for letters, number in re.findall(r"<small>([^<]*?) = ([\d.e+-]+) &times;", html):
        factors = letters.replace("²", "**2").replace("−", "-").replace("λ", "*L").replace("μ", "*M").replace("ρ", "*R").replace("τ", "*A")
        factors = re.sub(r"\(1 - \*(\w)\)", r"*(1-\1)", factors.replace("1 - *L", "1-L")).lstrip("*")
        letters_mean = {"T": 10.0, "A": 5.0, "L": 0.7, "M": 0.6, "R": 0.3}
        assert eval(factors, {}, letters_mean) == pytest.approx(float(number), rel=0.01)


def test_each_superfeatures_explanation_has_a_card_in_its_colour() -> None:
    html = batch_view.equation(step("ked"))
    assert re.findall(r"superfeature (\d)", html) == ["1", "2"]
    assert numbers(html)[-2:] == [0.015, 0.025]
    assert "superfeature" not in batch_view.equation({**step("kd"), "explanations": ()})


def test_a_term_without_a_weight_is_left_out() -> None:
    silent = step("ked")
    silent["weights"]["explanation"] = 0.0
    assert "explanation" not in [term.name for term in batch_view.terms(silent)]
