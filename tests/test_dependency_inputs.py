"""What may be given as net and samples of a dependency matrix, and what is refused in one sentence."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from unusual_nets import WIDTH, C, D, Wired, backbone_in, mlp, with_autocast

from ked.dependency import dependency_matrix, sample_influence
from ked.errors import InvalidInput

X = torch.randn(20, D, generator=torch.Generator().manual_seed(3))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def _made_in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return mlp()


def _pooled(x: Tensor) -> Tensor:
    from torchvision.ops import roi_align

    return roi_align(x.unflatten(1, (2, 3, 3)), [torch.tensor([[0.0, 0.0, 3.0, 3.0]])] * len(x), 1).flatten(1)


@pytest.mark.parametrize(
    ("net", "x", "options", "named"),
    [
        (nn.Linear(3, 2), torch.tensor([[0.0, float("nan"), 1.0]]), {}, "NaN"),
        (nn.Linear(3, 2), torch.tensor([[0.0, float("inf"), 1.0]]), {}, "infinite"),
        (nn.Linear(3, 2), torch.ones(3), {}, r"\(3,\)"),
        (nn.Linear(3, 2), torch.ones(0, 3), {}, r"\(0, 3\)"),
        (nn.Linear(3, 2), torch.ones(2, 3, dtype=torch.int64), {}, "int64"),
        (nn.Linear(3, 2), np.ones((2, 3), dtype=np.uint8), {}, "uint8"),
        (nn.Linear(3, 2), torch.ones(2, 3, dtype=torch.complex64), {}, "complex64"),
        (nn.Linear(3, 2), torch.ones(4, 3).to_sparse(), {}, "sparse"),
        (nn.Linear(3, 2), torch.ones(4, 3, device="meta"), {}, "meta"),
        (nn.Linear(3, 2), "samples.csv", {}, "array or a DataLoader, not str"),
        (nn.Linear(3, 2), None, {}, "not NoneType"),
        (nn.Sequential(nn.Linear(3, 2), nn.Softmax(1)), torch.ones(4, 3), {}, r"are probabilities .*, not logits; .*net\(x\)\.log\(\)"),
        (Wired(lambda x: 100 * x.softmax(1)), torch.eye(3), {}, "are shares or percentages .* add up to 100"),
        (Wired(lambda x: 1 - x.softmax(1)), torch.eye(3), {}, "are shares or percentages .* add up to 2"),
        (Wired(lambda x: -x.log_softmax(1)), torch.eye(3), {}, r"negative logarithms of probabilities, not logits; .*-net\(x\)"),
        (nn.Linear(3, 2).state_dict(), torch.ones(4, 3), {}, "not its weights alone: load them"),
        (nn.Linear(3, 2), [[1.0, 2.0, 3.0], [1.0]], {}, "not list"),
        (nn.Linear(3, 2), DataLoader([{"image": one} for one in X]), {}, "not dict"),
        (nn.Linear(3, 2), DataLoader([]), {}, "no batches"),
        (nn.Linear(3, 2), torch.ones(4, 5), {}, r"\(4, 5\)"),
        (nn.Linear(3, 2), torch.ones(4, 3, dtype=torch.float64), {}, r"float32 on cpu\) fails.*float64"),
        (nn.Linear(3, 2, device="meta"), torch.ones(4, 3), {}, r"float32 on meta\) fails.*on cpu"),
        (nn.Linear(3, 2).bfloat16(), torch.ones(4, 3).bfloat16(), {}, "bfloat16"),
        (nn.Linear(3, 1), torch.ones(4, 3), {}, r"C of at least 2, not torch.float32 of shape \(4, 1\)"),
        (nn.Flatten(0), torch.ones(4, 3), {}, r"\(12,\)"),
        (Wired(lambda x: x[:, None]), torch.ones(4, 3), {}, r"\(4, 1, 3\)"),
        (Wired(lambda x: x[:2]), torch.ones(4, 3), {}, r"\(2, 3\) for 4 samples"),
        (Wired(lambda x: {"logits": x}), torch.ones(4, 3), {}, "not dict"),
        (Wired(lambda x: x.long()), torch.ones(4, 3), {}, "int64"),
        (Wired(lambda x: x / 0), torch.ones(4, 3), {}, "infinite logits"),
        (Wired(lambda x: torch.where(x > 2, x / 0, x)), torch.arange(60.0).view(20, 3), {}, "infinite logits"),
        (Wired(lambda x: x + (x - x).sqrt()), torch.ones(4, 3), {}, "derivatives at these samples are NaN"),
        (Wired(lambda x: x.nothing()), torch.ones(4, 3), {}, "no attribute 'nothing'"),
        (Wired(lambda x: _pooled(x).tanh()), torch.rand(4, 18), {}, "differentiated twice.*roi_align"),
        (backbone_in(torch.inference_mode), X, {}, "Inference tensors"),
        (_made_in_inference_mode(), X, {}, "deepcopy"),
        (nn.LazyLinear(2), X, {}, "lazy"),
        (nn.Linear, X, {}, "module or a function"),
        (3, X, {}, "not 3"),
        (nn.BatchNorm1d(3, track_running_stats=False), torch.ones(1, 3), {}, "more than 1 value per channel"),
        (nn.Linear(3, 2), torch.ones(4, 3), {"reduce": "median"}, "median"),
        (nn.Linear(3, 2), torch.ones(4, 3), {"scale": "iqr"}, "iqr"),
        (nn.Linear(3, 2), torch.ones(4, 3), {"temperature": 0.0}, "0.0"),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(net: Any, x: Any, options: dict, named: str) -> None:
    with pytest.raises(InvalidInput, match=named) as refusal:
        dependency_matrix(net, x, **options)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    "given",
    {
        "array": X.numpy(),
        "array of doubles": X.double().numpy(),
        "array that may not be written to": np.broadcast_to(X.numpy(), X.shape),
        "list": X.tolist(),
        "loader": DataLoader(X, batch_size=7),
        "loader of pairs": DataLoader(TensorDataset(X, torch.zeros(20)), batch_size=7),
        "parameter": nn.Parameter(X),
    }.items(),
    ids=lambda given: given[0],
)
def test_samples_may_come_as_array_loader_or_list_in_the_nets_precision(given: tuple[str, Any]) -> None:
    net = mlp()
    W = dependency_matrix(net, given[1])
    torch.testing.assert_close(W, dependency_matrix(net, X))
    assert W.dtype == torch.float32
    assert not W.requires_grad
    torch.testing.assert_close(sample_influence(net, given[1]), sample_influence(net, X))


def test_an_array_takes_the_precision_of_a_net_of_doubles() -> None:
    assert dependency_matrix(mlp().double(), X.numpy()).dtype == torch.float64


def test_a_shuffled_loader_gives_the_same_mean_and_draws_nothing() -> None:
    net, random = mlp(), torch.get_rng_state()
    W = dependency_matrix(net, DataLoader(X, batch_size=3, shuffle=True))
    torch.testing.assert_close(W, dependency_matrix(net, X))
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, partial(torch.autocast, "cpu", dtype=torch.bfloat16)])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU])
def test_what_the_caller_has_switched_changes_nothing(context: Callable[[], Any], activation: Callable[[], nn.Module]) -> None:
    net = nn.Sequential(nn.Linear(D, WIDTH), activation(), nn.Linear(WIDTH, C))
    W = dependency_matrix(net, X)
    with context():
        inside = dependency_matrix(net, X.clone())  # made there, too
    assert torch.equal(inside, W)
    assert not inside.requires_grad


def test_what_refusals_advise_is_a_way_out() -> None:
    copied, precise = copy.deepcopy(_made_in_inference_mode()), with_autocast().double()
    assert dependency_matrix(copied, X).any()
    plain = nn.Sequential(precise.parts[0], nn.ReLU(), precise.parts[1])
    torch.testing.assert_close(dependency_matrix(precise, X.double()), dependency_matrix(plain, X.double()), rtol=1e-5, atol=0)
    answers = Wired(lambda x, net: {"logits": net(x)}, mlp())
    assert torch.equal(dependency_matrix(lambda x: answers(x)["logits"], X), dependency_matrix(answers.parts[0], X))
