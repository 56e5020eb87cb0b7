"""Planted data made to order: what a name means, its one usual form, and names that mean nothing."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from random import Random

import pytest
import torch
from command_line import Ked
from hypothesis import given
from hypothesis import strategies as st

from ked import data
from ked.data import planted, planted_spec
from ked.errors import InvalidInput
from ked.recipe import Recipe
from ked.runs.stage_keys import stage_keys
from ked.store import load_run

ORDER = "planted:features=40,groups=5,classes=3,correlation=0.8,across=yes,noise=0.1,strength=2.5,samples=400,seed=7"
VALUES = {
    "features": st.integers(16, 2500),
    "groups": st.integers(1, 16),
    "classes": st.integers(2, 20),
    "correlation": st.integers(0, 999_999).map(lambda millionths: f"{millionths / 1e6:.6f}"),
    "across": st.sampled_from(["yes", "no"]),
    "noise": st.integers(0, 1_000_000).map(lambda millionths: f"{millionths / 1e6:.6f}"),
    "strength": st.integers(1, 100_000_000).map(lambda millionths: f"{millionths / 1e6:.6f}"),
    "samples": st.integers(200, 1600),
    "seed": st.integers(0, 999_999_999),
}


def test_every_argument_of_made_data_has_a_part() -> None:
    assert {part.argument for part in planted_spec.PARTS.values()} == set(planted_spec.DEFAULTS)
    made = {name: value.default for name, value in signature(planted.make).parameters.items() if name != "name"}
    assert made == planted_spec.DEFAULTS
    assert set(VALUES) == set(planted_spec.PARTS)


def test_a_name_makes_the_data_that_its_parts_say() -> None:
    expected = planted.make(40, 5, 3, correlation=0.8, across=True, noise=0.1, strength=2.5, n=400, seed=7)[0]
    found = data.load(ORDER)
    assert torch.equal(found.x, expected.x)
    assert torch.equal(found.y, expected.y)
    assert found.truth == expected.truth
    assert found.name == ORDER


@given(st.fixed_dictionaries({}, optional=VALUES), st.randoms())
def test_a_name_has_one_usual_form_whatever_the_order_of_its_parts(chosen: dict[str, object], chance: Random) -> None:
    parts = [f"{word}={value}" for word, value in chosen.items()]
    usual = data.usual("planted:" + ",".join(parts))
    chance.shuffle(parts)
    assert data.usual("planted:" + ", ".join(parts)) == usual == data.usual(usual)
    assert planted_spec.settings(usual) == planted_spec.settings("planted:" + ",".join(parts))


def test_what_is_as_usual_is_left_out() -> None:
    assert data.usual("planted:noise=0.10,features=20,correlation=0.000") == "planted:noise=0.1"
    assert data.usual("planted:") == data.usual("planted:features=20,across=no,samples=8000,strength=1.50") == "planted"


def test_recipes_of_equal_data_are_equal_and_share_their_results() -> None:
    names = ("noise=0.1,groups=5", "groups=05,noise=0.10", "groups=5")
    one, same, other = (Recipe.make(dataset=f"planted:{parts}") for parts in names)
    assert one == same
    assert one.dataset == "planted:groups=5,noise=0.1"
    assert stage_keys(one) == stage_keys(same)
    assert not set(stage_keys(one).values()) & set(stage_keys(other).values())
    assert stage_keys(Recipe.make(dataset="planted:features=20")) == stage_keys(Recipe.make(dataset="planted"))
    assert Recipe.model_validate_json(one.model_dump_json()) == one


REFUSED = {
    "colour=3": "'colour=3'.*features, groups",
    "features": "'features' is not allowed.*whole number",
    "features=": "'features='",
    "features=4.5": "'features=4.5'.*whole number",
    "features=-1": "'features=-1'",
    "features=٣": "'features=٣'",
    "features=0": "'features=0'.*1 to 12288",
    "groups=21": "'groups=21'.*D = 20",
    "groups=3,features=2": "'groups=3'.*D = 2",
    "classes=1": "'classes=1'.*2 to 1000",
    "correlation=1": "'correlation=1'.*below 1",
    "correlation=nan": "'correlation=nan'.*0.25",
    "noise=1.5": "'noise=1.5'.*0 to 1",
    "noise=0.1,noise=0.1": "'noise=0.1' says noise a second time",
    "across=maybe": "'across=maybe'.*yes or no",
    "strength=0": "'strength=0'.*above 0",
    "samples=39": "'samples=39'.*10 C = 40",
    "samples=999999999": "'samples=999999999'.*10 million",
    "samples=10000000,features=12288": "'samples=10000000'.*20000000",
    "features=20;groups=2": "'features=20;groups=2'",
    "x" * 1000: "'x{60}'",
}


@pytest.mark.parametrize(("parts", "named"), REFUSED.items(), ids=lambda text: text[:20])
def test_a_wrong_part_is_one_sentence_that_names_it(parts: str, named: str, one_sentence: Callable[[str], str]) -> None:
    for meet in (data.check, data.load, data.fingerprint, lambda name: Recipe.make(dataset=name)):
        with pytest.raises(InvalidInput, match=named) as refusal:
            meet(f"planted:{parts}")
        assert str(refusal.value).count("\n") == 0
    assert str(refusal.value).endswith(".")


def test_made_data_have_no_column_to_choose() -> None:
    with pytest.raises(InvalidInput, match="'colour'"):
        data.load("planted:samples=400", label="colour")


def test_data_made_to_order_are_one_command_away_and_say_how_well_their_groups_were_found(ked: Ked) -> None:
    small = ["--superfeatures", "2", "--teacher-hidden", "32", "--student-hidden", "12", "--seeds", "1", "--epochs", "1"]
    answer = ked(
        "run", "--dataset", "planted:samples=2000,groups=2,features=8,classes=2", "--methods", "ked", *small,
        "--teacher-epochs", "30", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    run = load_run(str(answer.result["run"]))
    assert run.recipe.dataset == "planted:features=8,groups=2,classes=2,samples=2000"
    assert -0.5 <= run.info["summary"]["recovery"] <= 1
    assert "planted:features=40" in ked("data", "list").out.replace("\n", "")
