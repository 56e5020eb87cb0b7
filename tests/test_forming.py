"""Superfeatures as they form: colours stay where they are, states are what the library finds, and watching stays cheap."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ked import data
from ked.communities.superfeatures import find_superfeatures, from_labels, normalised
from ked.dependency import dependency_matrix
from ked.nets.subnets import mlp
from ked.recipe import Recipe
from ked.runs import forming
from ked.runs.forming import SuperfeatureTracker, states, strongest
from ked.store import Run, create_run
from ked.training.loop import fit

M = 3
RECIPE = Recipe(superfeatures=M, teacher_hidden=(16,))


def _blocks(order: list[int], noise: float = 0.0) -> Tensor:
    """W (12, 12) with strong links inside groups of 4, listed in some order of the features."""
    W = noise * torch.rand(12, 12, generator=torch.Generator().manual_seed(1))
    for start, weight in ((0, 1.0), (4, 0.9), (8, 0.8)):
        group = torch.tensor(order[start : start + 4])
        W[group[:, None], group] = weight
    return (W + W.T).fill_diagonal_(0)


def _watch(monkeypatch: pytest.MonkeyPatch, matrices: list[Tensor]) -> list[dict[str, Any]]:
    """The states that come of these dependency matrices, one an epoch."""
    queue = iter(matrices)
    monkeypatch.setattr(forming, "dependency_matrix", lambda *_, **__: next(queue))
    watching = SuperfeatureTracker(mlp(12, (4,), 3), RECIPE, torch.rand(50, 12), len(matrices))
    told = [watching.after(epoch, 1e9) for epoch in range(1, len(matrices) + 1)]
    assert all(told)
    return [event for event in told if event]


def test_a_permuted_partition_comes_back_unpermuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same three groups, each time with another one the strongest, keep their numbers."""
    a, b, c = [0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]
    told = _watch(monkeypatch, [_blocks(order) for order in (a + b + c, c + a + b, b + c + a)])
    assert told[0]["labels"] == told[1]["labels"] == told[2]["labels"]
    assert len(set(told[0]["labels"])) == M


def test_a_group_that_loses_a_feature_keeps_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [8, 9, 10, 3, 4, 5, 6, 7, 0, 1, 2, 11]
    first, second = (event["labels"] for event in _watch(monkeypatch, [_blocks(before), _blocks(after)]))
    moved = [i for i in range(12) if first[i] != second[i]]
    assert moved == [3, 11]


def test_states_are_what_the_library_finds_on_the_same_samples() -> None:
    x, y = data.load("digits").part("train")
    net = mlp(64, (16,), 10)
    list(fit(net, (x, y), (x[:10], y[:10]), seeds=[0], epochs=1, batch_size=50, lr=1e-2))
    watching = SuperfeatureTracker(net, RECIPE, x, 20)
    told = watching.after(1, 1e9)
    assert told is not None
    W = dependency_matrix(net.sequential(), watching.x)
    found = find_superfeatures(W, M, "scikit-network")
    assert told["labels"] == found.labels().tolist()
    assert told["sizes"] == [told["labels"].count(m) for m in range(M)] == list(found.sizes)
    assert told["modularity"] == pytest.approx(found.modularity, abs=1e-4)
    assert len(watching.x) == len(x) // 8


def test_the_strongest_links_are_those_of_a_full_sort() -> None:
    W = torch.rand(9, 9, dtype=torch.float64)
    W = (W + W.T).fill_diagonal_(0)
    pairs = sorted(((float(W[i, j]), i, j) for i in range(9) for j in range(i + 1, 9)), reverse=True)[:10]
    assert strongest(W, 10) == [[i, j, round(w / pairs[0][0], 3)] for w, i, j in pairs]
    assert len(strongest(W, 500)) == 36
    assert strongest(torch.zeros(4, 4), 10) == []


def test_what_costs_too_much_is_left_out_until_it_is_cheap_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def dear(*_: Any, **__: Any) -> Tensor:
        time.sleep(0.03)
        return _blocks(list(range(12)))

    monkeypatch.setattr(forming, "dependency_matrix", dear)
    watching = SuperfeatureTracker(mlp(12, (4,), 3), RECIPE, torch.rand(50, 12), 20)
    assert watching.after(1, 0.01), "the first says what it costs"
    cost = watching.spent
    assert watching.after(2, 0.02) is None
    assert watching.after(3, 3 * cost / forming.SHARE)
    assert watching.after(4, 0.0) is None
    assert watching.after(5, 0.0, at_leisure=True), "in single steps nobody is kept waiting"


def test_a_net_whose_curvature_takes_long_is_given_up_early() -> None:
    watching = SuperfeatureTracker(mlp(400, (300, 300), 10, activation="gelu"), RECIPE, torch.rand(2000, 400), 20)
    first = watching.after(1, 0.0)
    if first is None:  # a fast machine may do it in time
        assert watching.after(2, 0.0) is None


@pytest.mark.parametrize(("step", "given_up"), [(0.001, False), (0.1, True)])
def test_warming_up_does_not_say_how_long_the_rest_takes(step: float, given_up: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, *(0.2 + step * n for n in range(18))])
    monkeypatch.setattr(forming.time, "perf_counter", lambda: next(moments))
    report = forming._not_longer_than(0.5)
    with pytest.raises(forming._TooLong) if given_up else nullcontext():
        for n in range(18):
            report((n + 1) / 18)


def test_a_net_without_finite_curvature_has_no_state() -> None:
    net = mlp(12, (4,), 3)
    with torch.no_grad():
        net.deeper[0].fill_(float("inf"))
    assert SuperfeatureTracker(net, RECIPE, torch.rand(50, 12), 3).after(1, 1e9) is None


def test_watching_changes_no_weight() -> None:
    x = torch.rand(80, 12)
    net = mlp(12, (4,), 3)
    before, drawn = [p.clone() for p in net.parameters()], torch.get_rng_state()
    SuperfeatureTracker(net, RECIPE, x, 3).after(1, 1e9)
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
    assert torch.equal(torch.get_rng_state(), drawn)


def test_a_run_tells_how_its_superfeatures_formed(small_run: Run) -> None:
    told = [event for event in small_run.events()[0] if event["kind"] == "forming"]
    assert [event["epoch"] for event in told][:1] == [1]
    for event in told:
        assert (event["stage"], len(event["labels"]), len(event["sizes"])) == ("teacher", 64, 4)
        assert len(json.dumps(event)) < 6000
        assert event["edges"][0][2] == 1


def _run_with(labels: list[list[int]], final: list[int]) -> Run:
    made = create_run(RECIPE)
    for epoch, numbers in enumerate(labels, start=1):
        sizes = [numbers.count(m) for m in range(M)]
        made.append({"kind": "forming", "stage": "teacher", "epoch": epoch, "labels": numbers, "sizes": sizes, "edges": []})
    W = normalised(_blocks(list(range(12)), noise=0.1))
    found = from_labels(W, np.array(final), 1.0, "by hand", "")
    (made.folder / "superfeatures.json").write_text(found.to_json())
    return made


def test_past_states_are_numbered_as_the_final_superfeatures_where_they_agree() -> None:
    first, last, final = [0] * 3 + [1] * 4 + [2] * 5, [0] * 2 + [1] * 4 + [2] * 6, [2] * 2 + [0] * 4 + [1] * 6
    made = _run_with([first, last], final)
    groups = made.superfeatures().labels().tolist()
    found = states(made)
    assert found[2]["labels"] == groups
    assert [i for i in range(12) if found[1]["labels"][i] != groups[i]] == [2, 6], "these two changed sides after the first epoch"
    for event in found.values():
        assert event["sizes"] == [event["labels"].count(m) for m in range(M)]


def test_the_last_state_of_a_run_agrees_with_its_superfeatures_more_than_in_any_other_numbering(small_run: Run) -> None:
    last = list(states(small_run).values())[-1]["labels"]
    final = small_run.superfeatures().labels().tolist()
    agreement = [sum(p[a] == b for a, b in zip(last, final, strict=True)) for p in permutations(range(4))]
    assert sum(a == b for a, b in zip(last, final, strict=True)) == max(agreement)
