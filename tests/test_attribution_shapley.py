"""The own explanation is Captum's exact Shapley value of the game of switches, and brute force's; blanking is another game."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import oracles
import pytest
import torch
from attribution_samples import GROUPS, C, D, black_box, explaining, picture_question, question
from cnn_samples import SHAPE, mixed_up, pictures, small_stack

from ked.attribution.quality import timed
from ked.attribution.question import squares
from ked.attribution.shapley import MOST, exact_shapley
from ked.errors import InvalidInput
from ked.explanation import centre


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize("c", range(C))
@torch.no_grad()
def test_own_and_captums_values_are_those_by_enumeration(k: int, c: int) -> None:
    stack = explaining()
    asked = question(stack, k, target=(c,))
    log_y = oracles.explanations(oracles.subnets(stack, k), GROUPS, asked.x)

    def worth(members: tuple[bool, ...]) -> torch.Tensor:
        return centre(oracles.coalition_logits(log_y, stack.base, members))[0, c]

    expected = [float(value) for value in oracles.shapley_values(worth, len(GROUPS))]
    found = exact_shapley(asked)
    assert found.own.tolist() == pytest.approx(expected)
    assert found.captum.tolist() == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert found.error < 1e-5
    assert found.orders == 6


@torch.no_grad()
def test_blanking_is_the_game_in_which_absent_features_are_the_baselines() -> None:
    stack = explaining()
    asked = question(stack, 1, target=(2,))

    def worth(members: tuple[bool, ...]) -> torch.Tensor:
        sample = asked.baselines.clone()
        for group, member in zip(GROUPS, members, strict=True):
            if member:
                sample[:, list(group)] = asked.x[:, list(group)]
        return centre(stack(sample)[1])[0, 2]

    expected = [float(value) for value in oracles.shapley_values(worth, len(GROUPS))]
    found = exact_shapley(asked)
    assert found.blanked is not None
    assert found.blanked.tolist() == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert abs(found.blanked - found.own).max() > 1e-3  # it is another game


def test_channels_are_players_too_but_cannot_be_blanked() -> None:
    stack = mixed_up(small_stack("small-cnn")).eval()
    found = exact_shapley(picture_question(stack, pictures(1), [1], squares(SHAPE)))
    assert found.error < 1e-5
    assert found.blanked is None
    assert found.orders == 24


def test_one_pass_is_faster_than_going_through_all_orders() -> None:
    found = exact_shapley(question(explaining()))
    assert found.speed_up == found.captum_seconds / found.own_seconds
    assert found.speed_up > 1


def test_of_several_samples_the_first_is_meant() -> None:
    asked = question(explaining())
    one = replace(asked, x=asked.x[:1], target=asked.target[:1])
    assert exact_shapley(asked).own.tolist() == exact_shapley(one).own.tolist()


def test_a_black_box_and_too_many_players_are_refused(one_sentence: Callable[[str], str]) -> None:
    many = explaining(groups=[(d,) for d in range(D)])
    for stack, named in ((black_box(), "black box"), (many, "40,320 orders of 8")):
        with pytest.raises(InvalidInput, match=named) as caught:
            exact_shapley(question(stack))
        one_sentence(str(caught.value))
    assert MOST < D


@pytest.mark.parametrize(
    ("rounds", "enough", "expected"),
    [
        ([0.2, 0.003, 0.09, 0.001], 10.0, 0.003),  # the first sets things up, the third was disturbed
        ([0.2, 0.02], 0.015, 0.02),
        ([7.0], 0.015, 7.0),  # a long call is not repeated
    ],
)
def test_a_run_time_is_the_median_of_several_rounds_after_one_that_warms_up(
    rounds: list[float], enough: float, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, left = [0.0], iter(rounds)

    def work() -> int:
        clock[0] += next(left)
        return 3

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    result, seconds = timed(work, enough)
    assert result == 3
    assert seconds == pytest.approx(expected)
    assert next(left, None) is None
