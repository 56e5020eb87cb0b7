"""Explaining nets of anybody's modules: what they add up to, whom they take, and what they refuse."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import ked
from ked.errors import InvalidInput
from ked.explaining import log_probabilities
from ked.nets import SubnetStack
from ked.nets.cnn import ConvStack

C = 4


def _random_net(seed: int, M: int) -> tuple[ked.ExplainingNet, Tensor]:
    """A net of subnets of different depth and width in float64, and samples."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    order, D = rng.permutation(3 * M), 3 * M
    cuts = np.sort(rng.choice(np.arange(1, D), M - 1, replace=False))
    groups = [tuple(map(int, part)) for part in np.split(order, cuts)]

    def subnet(size: int) -> nn.Module:
        width = int(rng.integers(1, 6))
        return nn.Sequential(nn.Linear(size, width), rng.choice([nn.Tanh(), nn.GELU()]), nn.Linear(width, C))

    base = torch.randn(C).log_softmax(0)
    return ked.ExplainingNet(groups, base, subnet=subnet).double(), torch.randn(5, D).double()


@given(seed=st.integers(0, 10**6), M=st.integers(2, 4))
def test_contributions_are_shapley_values(seed: int, M: int) -> None:
    """Efficiency, additivity over coalitions and the null player, of the game that coalition() plays."""
    net, x = _random_net(seed, M)
    with torch.no_grad():
        phi, base = net.contributions(x), net.base
        torch.testing.assert_close(base + phi.sum(1), net(x))  # efficiency
        for members in itertools.product((False, True), repeat=M):
            said = net.coalition(x, members)
            torch.testing.assert_close(said, (base + phi[:, list(members)].sum(1)).log_softmax(-1))  # additivity
        for parameter in net.subnets[0].parameters():
            parameter.zero_()
        last = [part for part in net.subnets[0].modules() if isinstance(part, nn.Linear)][-1]
        last.bias.copy_(base)  # superfeature 0 says the base whatever it sees: a null player
        torch.testing.assert_close(net.contributions(x)[:, 0], torch.zeros(5, C).double())
        without = [m > 0 for m in range(M)]
        torch.testing.assert_close(net.coalition(x, without), net(x).log_softmax(-1))


def test_a_subnet_sees_its_own_superfeature_alone() -> None:
    net, x = _random_net(1, 3)
    other = x.clone()
    other[:, list(net.groups[1])] = 7.0
    same = (net.explain(x) == net.explain(other)).all(dim=-1).all(dim=0)
    assert same.tolist() == [True, False, True]


def test_subnets_of_ones_own_and_those_of_the_packages_nets_say_the_same() -> None:
    stack = SubnetStack([(0, 3), (1, 2, 4)], [6], C, base=torch.randn(C).log_softmax(0))
    net = ked.ExplainingNet(stack.groups, stack.base, subnets=[stack.subnet(m) for m in range(2)])
    x = torch.randn(7, 5)
    torch.testing.assert_close(net(x), stack(x)[0])
    torch.testing.assert_close(net.explain(x), stack.explain(x))
    torch.testing.assert_close(net(x, explain=True), stack.explain(x))


def test_a_trunk_splits_into_groups_of_its_channels() -> None:
    trunk = nn.Sequential(nn.Conv1d(2, 6, 3), nn.ReLU())
    groups = [(0, 1, 2), (3, 4, 5)]
    net = ked.ExplainingNet(
        groups, torch.zeros(C), trunk=trunk, subnet=lambda size: nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(size, C))
    )
    x = torch.randn(3, 2, 9)
    branch = net.subnets[1](trunk(x)[:, 3:]).log_softmax(-1)
    torch.testing.assert_close(net.explain(x)[:, 1], branch)
    assert net.of_channels
    assert not _random_net(0, 2)[0].of_channels


def test_the_packages_nets_fulfil_the_protocol() -> None:
    for net in (SubnetStack([(0, 1), (2, 3)], [4], C), ConvStack("small-cnn", (8, 8), C, superfeatures=2)):
        assert isinstance(net, ked.Explains)
        x = torch.rand(3, 4 if isinstance(net, SubnetStack) else 64)
        torch.testing.assert_close(net.explain(x), net.explanations(x)[0].transpose(0, 1))
    with pytest.raises(InvalidInput, match="2 replicas"):
        SubnetStack([(0, 1)], [4], C, replicas=2).explain(torch.zeros(1, 2))


def test_state_goes_where_the_net_goes() -> None:
    net, x = _random_net(2, 3)
    assert set(net.state_dict()) == {"base", *(f"subnets.{name}" for name, _ in net.subnets.named_parameters())}
    half = net.to(torch.bfloat16)
    assert half.explain(x.bfloat16()).dtype == torch.float32
    assert half(x.bfloat16()).dtype == torch.float32


def test_base_is_the_log_of_mean_probabilities_from_any_kind_of_samples() -> None:
    net, x = nn.Sequential(nn.Flatten(), nn.Linear(6, C), nn.Dropout(0.9)).train(), torch.randn(11, 2, 3)
    net.eval()
    expected = net(x).softmax(-1).mean(0).log()
    net.train()
    for given_x in (x, x.numpy(), x.double().numpy(), DataLoader(TensorDataset(x, torch.zeros(11)), batch_size=4)):
        torch.testing.assert_close(ked.base_of(net, given_x, batch=3), expected)
    assert net.training
    assert all(part.training for part in net.modules())


def test_a_net_with_an_answer_of_its_own_is_asked_through_forward() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, C))

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"logits": self.inner(x)}

    net, x = Named(), torch.randn(9, 6)
    W = ked.dependency_matrix(net, x, forward=lambda net, x: net(x)["logits"])
    torch.testing.assert_close(W, ked.dependency_matrix(net.inner, x))
    base = ked.base_of(net, x, forward=lambda net, x: net(x)["logits"])
    torch.testing.assert_close(base, ked.base_of(net.inner, x))
    with pytest.raises(InvalidInput, match="forward="):
        ked.base_of(net, x)


def test_whole_numbers_reach_a_net_that_looks_words_up() -> None:
    net = nn.Sequential(nn.Embedding(10, C), nn.Flatten(), nn.Linear(3 * C, C))
    assert log_probabilities(net, torch.randint(10, (5, 3))).shape == (5, C)


def _linear(size: int) -> nn.Module:
    return nn.Linear(size, C)


def _net(base: Tensor, **parts: object) -> ked.ExplainingNet:
    return ked.ExplainingNet([(0,), (1,)], base, **parts)


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (lambda: ked.ExplainingNet([(0, 1), (1, 2)], torch.zeros(C), subnet=_linear), "disjoint cover"),
        (lambda: _net(torch.zeros(C)), "either subnet"),
        (lambda: _net(torch.zeros(C), subnets=[nn.Linear(1, C)]), "subnets holds 1 modules"),
        (lambda: _net(torch.zeros(C, 2), subnet=nn.Identity), "base must be"),
        (lambda: _net(torch.full((C,), -torch.inf), subnet=nn.Identity), "base must be"),
        (lambda: _net(torch.full((C,), 1 / C), subnet=nn.Identity), "base holds probabilities"),
        (lambda: _net(torch.zeros(C), subnet=_linear)(torch.zeros(2, 3)), "features of x are 3"),
        (lambda: _net(torch.zeros(C), subnet=lambda s: nn.Linear(s, 3))(torch.zeros(2, 2)), "subnet 0 must answer"),
        (lambda: _net(torch.zeros(C), subnet=lambda s: nn.Linear(s, C))(np.zeros((2, 2))), "x must be a tensor, not ndarray"),
        (lambda: ked.base_of(nn.Linear(2, C), torch.tensor([[1.0, torch.nan]])), "x contains NaN"),
        (lambda: ked.base_of(nn.Linear(2, C), torch.zeros(3, 5)), "the net fails on x of shape (3, 5)"),
        (lambda: ked.base_of(nn.Linear(2, 1), torch.zeros(3, 2)), "logits of shape (N, C)"),
        (lambda: ked.base_of(nn.Softmax(1), torch.ones(3, 2)), "the net's answers are probabilities"),
        (lambda: ked.attributions(nn.Softmax(1), torch.ones(3, 2), y=torch.zeros(3).long()), "the net's answers are probabilities"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(build: Callable[[], object], names: str, one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        build()
    assert names in one_sentence(str(raised.value))


def test_a_net_that_works_in_place_leaves_its_samples_as_they_were() -> None:
    x = torch.randn(5, 4)
    before, net = x.clone(), nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, C))
    same = nn.Sequential(nn.ReLU(), net[1])
    assert torch.equal(ked.base_of(net, x), ked.base_of(same, x))
    maps = [ked.attributions(one, x, methods=("saliency", "occlusion")) for one in (net, same)]
    for method in ("saliency", "occlusion"):
        np.testing.assert_array_equal(maps[0].values(method), maps[1].values(method))
    assert torch.equal(x, before)


def test_superfeatures_as_table_and_figure() -> None:
    found = ked.find_superfeatures(np.kron(np.eye(2), np.ones((3, 3))), 2)
    frame = found.to_frame(names=list("abcdef"))
    assert frame.loc[4].tolist() == [2, "e"]
    assert found.to_frame()["superfeature"].tolist() == [1, 1, 1, 2, 2, 2]
    assert len(found.plot(shape=(2, 3)).data)
    assert len(found.plot().data)
    with pytest.raises(InvalidInput, match="shape"):
        found.plot(shape=(2, 2))
    with pytest.raises(InvalidInput, match="names"):
        found.to_frame(names=["a"])


def test_gradients_meet_where_a_wrapper_calls_forward(tmp_path: Path) -> None:
    """Under DistributedDataParallel explanations are asked of the wrapper, whose hooks know of forward alone."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meeting'}", rank=0, world_size=1)
    try:
        net, its = (ked.ExplainingNet([(0, 1), (2,)], torch.zeros(C), subnet=_linear) for _ in range(2))
        wrapped, loss = nn.parallel.DistributedDataParallel(net), ked.KEDLoss(torch.zeros(C))
        x, y = torch.randn(5, 3), torch.arange(5) % C
        for _ in range(2):  # a second backward is refused where the first did not pass through the hooks
            net.zero_grad()
            loss(wrapped(x, explain=True), its.explain(x), y).backward()
        met = [weight.grad.clone() for weight in net.parameters()]
        net.zero_grad()
        loss(net.explain(x), its.explain(x), y).backward()
        torch.testing.assert_close([weight.grad for weight in net.parameters()], met)
    finally:
        torch.distributed.destroy_process_group()
