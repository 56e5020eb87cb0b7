"""Training K replicas at once against training them one by one, and against the plain loop that anybody would write."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import oracles
import pytest
import torch
from torch import Tensor, nn

from ked import losses
from ked.errors import Unavailable
from ked.methods import METHODS
from ked.nets.inference import accuracy, explain, predict
from ked.nets.subnets import SubnetStack, mlp
from ked.training.batches import batch_order
from ked.training.loop import Diverged, Epoch, Step, fit

N, D, C = 53, 8, 3  # 53 samples: the last batch of an epoch is a smaller one
GROUPS = ((5, 1, 6), (0,), (3, 2, 4, 7))
SEEDS = (4, 0, 9)
SETTINGS = {"epochs": 3, "batch_size": 10, "lr": 1e-2}

Data = tuple[Tensor, Tensor]


def _data(dtype: torch.dtype) -> Data:
    x = torch.rand(N, D, dtype=torch.float64).to(dtype)
    return x, (4 * x[:, 0] + 4 * x[:, 3] * x[:, 5]).long().clamp(max=C - 1)


def _black_box(dtype: torch.dtype, replicas: int) -> tuple[SubnetStack, losses.Objective]:
    return mlp(D, (6, 5), C, replicas=replicas).to(dtype), losses.LABELS_ONLY


def _ked(dtype: torch.dtype, replicas: int) -> tuple[SubnetStack, losses.Objective]:
    draw = torch.Generator().manual_seed(1)
    prediction, explanations = (torch.randn(N, m, C, generator=draw, dtype=dtype) for m in (1, len(GROUPS)))
    objective = losses.Objective(
        losses.weights(METHODS["ked"], 10.0, 8.0, 0.7, 0.6), losses.soften(prediction, 10.0), losses.soften(explanations, 8.0)
    )
    base = torch.tensor([0.2, 0.5, 0.3]).log()
    return SubnetStack(GROUPS, (6, 6), C, replicas=replicas, base=base).to(dtype), objective


def _trained(stack: SubnetStack, data: Data, seeds: Sequence[int], objective: losses.Objective) -> list[Epoch]:
    stack.reset(seeds)
    points = fit(stack, data, data, seeds=seeds, objective=objective, **SETTINGS)  # type: ignore[arg-type]
    return [point for point in points if isinstance(point, Epoch)]


@pytest.mark.parametrize("make", [_black_box, _ked])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 2e-4)])
def test_replicas_train_as_if_each_were_alone(
    make: Callable[[torch.dtype, int], tuple[SubnetStack, losses.Objective]], dtype: torch.dtype, tolerance: float
) -> None:
    data = _data(dtype)
    together, objective = make(dtype, len(SEEDS))
    history = _trained(together, data, SEEDS, objective)
    for k, seed in enumerate(SEEDS):
        alone, objective = make(dtype, 1)
        own = _trained(alone, data, [seed], objective)
        for many, one in zip(together.parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(many[k], one[0], rtol=tolerance, atol=tolerance)
        for many_epoch, one_epoch in zip(history, own, strict=True):
            assert many_epoch.validation[k] == pytest.approx(one_epoch.validation[0], abs=1e-12)
            for name, values in many_epoch.loss.items():
                assert values[k] == pytest.approx(one_epoch.loss[name][0], rel=10 * tolerance)


def test_training_equals_a_plain_loop() -> None:
    x, y = _data(torch.float64)
    stack, _ = _black_box(torch.float64, 1)
    stack.reset([7])
    plain = oracles.subnets(stack)[0]
    optimiser = torch.optim.Adam(plain.parameters(), lr=SETTINGS["lr"])
    for epoch in range(1, int(SETTINGS["epochs"]) + 1):
        for rows in batch_order([7], epoch, N)[0].split(int(SETTINGS["batch_size"])):
            optimiser.zero_grad()
            nn.functional.cross_entropy(plain(x[rows]), y[rows]).backward()
            optimiser.step()
    _trained(stack, (x, y), [7], losses.LABELS_ONLY)
    torch.testing.assert_close(stack(x)[0], plain(x).log_softmax(-1), rtol=1e-8, atol=1e-10)


def test_training_lowers_the_loss() -> None:
    stack, objective = _ked(torch.float32, 2)
    history = _trained(stack, _data(torch.float32), [0, 1], objective)
    first, last = (
        sum(objective.weights[name] * sum(values) for name, values in e.loss.items()) for e in (history[0], history[-1])
    )
    assert last < 0.9 * first


def test_each_epoch_sees_every_sample_once_in_an_order_of_the_seed_and_the_epoch_alone() -> None:
    order = batch_order(SEEDS, 2, N)
    assert torch.equal(order.sort(1).values, torch.arange(N).expand(len(SEEDS), N))
    for k, seed in enumerate(SEEDS):
        torch.manual_seed(k)  # the global generator has no say
        assert torch.equal(batch_order([seed], 2, N)[0], order[k])
    different = [*order, *batch_order(SEEDS, 3, N)]
    assert len({tuple(rows.tolist()) for rows in different}) == len(different)


def test_seeds_and_epochs_do_not_share_orders() -> None:
    orders = [tuple(batch_order([seed], epoch, N)[0].tolist()) for seed in range(30) for epoch in range(1, 30)]
    assert len(set(orders)) == len(orders)


def test_the_epochs_loss_is_the_mean_over_samples_also_when_the_last_batch_is_small() -> None:
    x, y = _data(torch.float64)
    stack = mlp(D, (6,), C, replicas=2).double()
    expected = [float(nn.functional.cross_entropy(logits, y)) for logits in stack(x).detach()]
    epoch = next(
        p for p in fit(stack, (x, y), (x, y), seeds=[0, 1], epochs=1, batch_size=10, lr=1e-30) if isinstance(p, Epoch)
    )
    assert epoch.loss["ce"] == pytest.approx(expected)


def test_a_step_follows_each_batch_and_an_epoch_its_last_step() -> None:
    stack, data = mlp(D, (4,), C), _data(torch.float32)
    points = list(fit(stack, data, data, seeds=[0], epochs=2, batch_size=20, lr=1e-3))
    told = [(type(p).__name__, p.epoch, getattr(p, "step", None)) for p in points]
    one = [("Step", 1), ("Step", 2), ("Step", 3), ("Epoch", None)]
    assert told == [(kind, epoch, step) for epoch in (1, 2) for kind, step in one]
    assert all(p.steps == 3 for p in points if isinstance(p, Step))


def test_a_batch_may_be_larger_than_the_data() -> None:
    stack, data = mlp(D, (4,), C), _data(torch.float32)
    points = list(fit(stack, data, data, seeds=[0], epochs=1, batch_size=10 * N, lr=1e-3))
    assert [type(p) for p in points] == [Step, Epoch]


def test_zero_epochs_train_nothing() -> None:
    stack, data = mlp(D, (4,), C), _data(torch.float32)
    before = [parameter.clone() for parameter in stack.parameters()]
    assert list(fit(stack, data, data, seeds=[0], epochs=0, batch_size=10, lr=1e-3)) == []
    assert all(torch.equal(a, b) for a, b in zip(before, stack.parameters(), strict=True))
    assert not stack.training


def test_a_closed_training_does_no_further_step() -> None:
    stack, data = mlp(D, (4,), C), _data(torch.float32)
    training = fit(stack, data, data, seeds=[0], epochs=5, batch_size=10, lr=1e-2)
    next(training)
    after_one = [parameter.detach().clone() for parameter in stack.parameters()]
    training.close()
    assert all(torch.equal(a, b) for a, b in zip(after_one, stack.parameters(), strict=True))


def test_a_loss_that_is_not_finite_stops_with_one_sentence(one_sentence: Callable[[str], str]) -> None:
    stack, data = mlp(D, (4,), C), _data(torch.float32)
    with pytest.raises(Diverged, match=r"ce loss.*epoch \d.*1e\+30") as caught:
        list(fit(stack, data, data, seeds=[0], epochs=3, batch_size=10, lr=1e30))
    assert isinstance(caught.value, Unavailable)
    one_sentence(str(caught.value))


def test_weights_that_the_last_batch_of_an_epoch_spoiled_are_no_good_epoch(one_sentence: Callable[[str], str]) -> None:
    stack, data = mlp(D, (4,), C), _data(torch.float32)
    training = fit(stack, data, data, seeds=[0], epochs=1, batch_size=N, lr=1e39)
    step = next(training)
    assert isinstance(step, Step)
    assert bool(step.terms["ce"].isfinite().all())
    with pytest.raises(Diverged, match="weights are not finite after epoch 1") as caught:
        next(training)
    one_sentence(str(caught.value))


def test_accuracy_is_the_share_of_right_answers() -> None:
    stack, (x, y) = mlp(D, (6,), C, replicas=3), _data(torch.float32)
    expected = [float((logits.argmax(1) == y).double().mean()) for logits in stack(x)]
    assert accuracy(stack, x, y) == pytest.approx(expected)


def test_accuracy_of_no_samples_is_zero() -> None:
    assert accuracy(mlp(D, (6,), C), torch.empty(0, D), torch.empty(0, dtype=torch.int64)) == [0.0]


@pytest.mark.parametrize("chunk", [1, 7, N, 10 * N])
def test_chunks_change_no_prediction_and_no_explanation(chunk: int) -> None:
    stack, _ = _ked(torch.float64, 2)
    x = _data(torch.float64)[0]
    stack.chunk = chunk
    torch.testing.assert_close(predict(stack, x), stack(x).detach().log_softmax(-1))
    torch.testing.assert_close(explain(stack, x), stack.explanations(x).detach())


def test_training_in_the_arranged_order_is_training_in_the_given_order() -> None:
    """A net whose superfeature is a shuffle of all features equals the plain net on features shuffled alike."""
    x, y = _data(torch.float64)
    order = torch.randperm(D)
    shuffled, straight = SubnetStack([order.tolist()], (6, 5), C).double(), mlp(D, (6, 5), C).double()
    _trained(shuffled, (x, y), [3], losses.LABELS_ONLY)
    _trained(straight, (x[:, order], y), [3], losses.LABELS_ONLY)
    torch.testing.assert_close(shuffled(x), straight(x[:, order]))
