"""Anybody's nets, wherever they stand, and whatever they answer with: asked as they are meant, or refused with what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import ked
from ked.errors import InvalidInput

C = 4


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


class _Holder:
    """A plain object with nets in it, as scripts have them."""

    def __init__(self) -> None:
        self.nets = {"one": _noisy(), "other": _noisy()}

    def predict(self, x: Tensor) -> Tensor:
        return sum(net(x) for net in self.nets.values())


class _Unregistered(nn.Module):
    """Its parts stand in a list of its own, of which torch knows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.nets = [_noisy()]

    def forward(self, x: Tensor) -> Tensor:
        return self.nets[0](x)


def _noisy() -> nn.Module:
    net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, C))
    net(torch.randn(20, 6) + 1)
    return net


def _of_list() -> tuple[Any, list[nn.Module]]:
    nets = [_noisy(), _noisy()]
    return (lambda x: nets[0](x) + nets[1](x)), nets


def _of_object() -> tuple[Any, list[nn.Module]]:
    holder = _Holder()
    return holder.predict, list(holder.nets.values())


def _of_module() -> tuple[Any, list[nn.Module]]:
    net = _Unregistered()
    return net, net.nets


@pytest.mark.parametrize("make", [_of_list, _of_object, _of_module])
@pytest.mark.parametrize("ask", [ked.base_of, ked.dependency_matrix])
def test_nets_that_stand_in_lists_and_objects_are_asked_in_eval_mode_and_left(
    ask: Callable[..., Tensor], make: Callable[[], tuple[Any, list[nn.Module]]]
) -> None:
    asked, nets = make()
    x, before = torch.randn(9, 6), [{name: value.clone() for name, value in net.state_dict().items()} for net in nets]
    found = ask(asked, x)
    assert all(part.training for net in nets for part in net.modules())
    torch.testing.assert_close([net.state_dict() for net in nets], before, rtol=0, atol=0)
    for net in nets:
        net.eval()
    torch.testing.assert_close(found, ask(asked, x))


def test_what_forward_names_is_in_eval_mode_too() -> None:
    net, head, x = nn.Linear(6, 6), _noisy(), torch.randn(9, 6)
    base = ked.base_of(net, x, forward=lambda net, x: head(net(x)))
    head.eval()
    torch.testing.assert_close(base, head(net(x)).softmax(-1).mean(0).log())


@pytest.mark.parametrize(
    "net",
    [
        lambda x: nn.functional.dropout(x[:, :C], 0.5),
        lambda x: x[:, :C] + torch.randn(len(x), C),
        lambda x: nn.functional.batch_norm(x[:, :C], None, None, training=True),
    ],
    ids=["dropout", "noise", "batch statistics"],
)
def test_answers_that_change_from_time_to_time_have_no_base(net: Callable[[Tensor], Tensor], one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput, match="differently when they are asked again") as raised:
        ked.base_of(net, torch.randn(20, 6))
    one_sentence(str(raised.value))


def test_one_output_is_refused_with_a_way_that_is_one() -> None:
    net, x = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1)), torch.randn(9, 6)
    for ask in (ked.base_of, ked.dependency_matrix):
        with pytest.raises(InvalidInput, match=r"forward=lambda net, x: torch\.nn\.functional\.pad\(net\(x\), \(1, 0\)\)"):
            ask(net, x)
    base = ked.base_of(net, x, forward=lambda net, x: torch.nn.functional.pad(net(x), (1, 0)))
    torch.testing.assert_close(base.exp()[1], net(x).sigmoid().mean())
    of_sigmoid = nn.Sequential(net, nn.Sigmoid())
    W = ked.dependency_matrix(of_sigmoid, x, forward=lambda net, x: torch.nn.functional.pad(net(x).logit(), (1, 0)))
    torch.testing.assert_close(W, ked.dependency_matrix(net, x, forward=lambda net, x: torch.nn.functional.pad(net(x), (1, 0))))


@pytest.mark.parametrize("sigmoid", [torch.sigmoid, Tensor.sigmoid, nn.functional.sigmoid, nn.Sigmoid()])
@pytest.mark.parametrize("ask", [ked.base_of, ked.dependency_matrix, ked.attributions])
def test_sigmoids_of_several_classes_are_no_logits(ask: Callable[..., object], sigmoid: Callable[[Tensor], Tensor]) -> None:
    class Many(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(6, C)

        def forward(self, x: Tensor) -> Tensor:
            return sigmoid(self.inner(x))

    with pytest.raises(InvalidInput, match=r"are sigmoids.*net\(x\)\[:, \[c\]\]\.logit\(\)"):
        ask(Many().requires_grad_(False), torch.randn(9, 6))


def test_subnets_that_answer_with_probabilities_are_refused() -> None:
    net = ked.ExplainingNet([(0, 1), (2, 3)], torch.zeros(C), subnet=lambda size: nn.Sequential(nn.Linear(size, C), nn.Softmax(1)))
    with pytest.raises(InvalidInput, match="subnet 0's answers are probabilities"):
        net(torch.randn(5, 4))


def test_a_dataset_and_a_table_are_samples() -> None:
    from pandas import DataFrame

    net, x = nn.Linear(6, C), torch.randn(300, 6)
    data = TensorDataset(x, torch.zeros(300))
    tables = DataFrame(x.numpy()).astype("Float32"), DataFrame(x.numpy()).astype(object)
    for same in (data, torch.utils.data.Subset(data, range(300)), *tables):
        torch.testing.assert_close(ked.base_of(net, same), ked.base_of(net, x))
        torch.testing.assert_close(ked.dependency_matrix(net, same), ked.dependency_matrix(net, x))
