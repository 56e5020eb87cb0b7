"""The loss as it is read: its numbers are those that training uses, and a control marks the terms that it is part of."""

from __future__ import annotations

import re

import pytest
from visitor import address, sound, visit

from explorer.words.loss import PAPER, RAISED, formula
from ked.losses import weights
from ked.methods import METHODS


def test_the_numbers_are_those_of_the_loss() -> None:
    found = weights(METHODS["ked"], temperature=3.0, tau=5.0, lam=0.4, mu=0.25)
    told = formula({"temperature": 3.0, "tau": 5.0, "lam": 0.4, "mu": 0.25})
    assert re.findall(r"&= ([\d.]+)", told) == [f"{found[name]:.3g}" for name in ("ce", "prediction", "explanation")]


@pytest.mark.parametrize(("name", "terms"), [("mu", 2), ("lam", 3), ("temperature", 1), ("tau", 1), ("", 0)])
def test_a_control_marks_its_terms(name: str, terms: int) -> None:
    assert formula(PAPER, name).count("boxed") == terms


def test_moving_a_control_marks_it_and_one_press_leads_back_to_the_paper() -> None:
    app = sound(visit("train"), "train")
    app.slider(key="widget.lam").set_value(0.4).run()
    assert f"**{RAISED['lam']}**" in [text.value for text in app.caption]
    assert address(app)["lam"] == "0.4"
    (back,) = [button for button in app.button if button.label == "The paper's values"]
    app = sound(back.click().run(), "train")
    assert "lam" not in address(app)
