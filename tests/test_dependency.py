"""The dependency matrix against double backward in float64, and the choice between its two paths."""

from __future__ import annotations

from functools import partial

import oracles
import pytest
import torch
from torch import Tensor, nn

from ked.dependency import dependency_matrix, probing, sample_influence
from ked.dependency.double_backward import general_path
from ked.dependency.matrix import REDUCTIONS
from ked.dependency.piecewise_linear import closed_form


class Squares(nn.Module):
    """A forward of the user's own: no activation module in sight, but curved."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x * x)


class CurvedInPlaces(nn.Module):
    """Linear but for one class where one feature is positive, as hard-swish and its kin are."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        z = self.layer(x)
        return torch.cat([z[:, :1] + x[:, :1].relu() ** 2, z[:, 1:]], dim=1)


def _mlp(activation: nn.Module, features: int = 16, classes: int = 4) -> nn.Module:
    return nn.Sequential(nn.Linear(features, 12), activation, nn.Linear(12, 9), activation, nn.Linear(9, classes))


def _conv() -> nn.Sequential:
    net = nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)),
        nn.Conv2d(1, 5, 2),
        nn.BatchNorm2d(5),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(5, 3),
    )
    net[2].running_mean.normal_()
    net[2].running_var.uniform_(0.5, 2)
    return net


PIECEWISE_LINEAR = {
    "relu": lambda: _mlp(nn.ReLU()),
    "leaky-relu": lambda: _mlp(nn.LeakyReLU(0.1)),
    "conv-batchnorm-maxpool": _conv,
    "linear": lambda: nn.Linear(16, 4),
    "log-softmax-at-the-end": lambda: nn.Sequential(_mlp(nn.ReLU()), nn.LogSoftmax(dim=1)),
    "relu-in-place-first": lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(16, 2)),
}
CURVED = {
    "gelu": lambda: _mlp(nn.GELU()),
    "silu": lambda: _mlp(nn.SiLU()),
    "tanh": lambda: _mlp(nn.Tanh()),
    "softplus": lambda: _mlp(nn.Softplus()),
    "softmax-in-between": lambda: nn.Sequential(nn.Linear(16, 3), nn.Softmax(dim=1), nn.Linear(3, 3)),
    "squares": Squares,
    "curved-in-places": CurvedInPlaces,
}
NETS = PIECEWISE_LINEAR | CURVED


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def _net(name: str) -> nn.Module:
    return NETS[name]().double().eval()


def _samples(N: int = 6, D: int = 16) -> Tensor:
    return torch.randn(N, D, dtype=torch.float64)


def _relative_error(found: Tensor, true: Tensor) -> float:
    return float((found - true).norm() / true.norm())


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("name", NETS)
def test_dependency_matrix_agrees_with_double_backward(name: str, reduce: str) -> None:
    net, x = _net(name), _samples()
    true = oracles.dependency(oracles.hessians(net, x), reduce)
    assert _relative_error(dependency_matrix(net, x, reduce), true) < 1e-6


@pytest.mark.parametrize("name", PIECEWISE_LINEAR)
def test_piecewise_linear_nets_take_the_closed_form(name: str) -> None:
    assert closed_form(_net(name), _samples()) is not None


@pytest.mark.parametrize("name", CURVED)
def test_curved_nets_take_the_general_path(name: str) -> None:
    assert closed_form(_net(name), _samples()) is None


def test_one_curved_sample_of_one_class_is_enough_for_the_general_path() -> None:
    net, x = CurvedInPlaces().double(), _samples(40)
    x[:, 0] = -1
    assert closed_form(net, x) is not None
    x[17, 0] = 1
    assert closed_form(net, x) is None


def test_frozen_nets_have_the_same_matrix() -> None:
    for name in ("relu", "linear", "gelu"):
        net, x = _net(name), _samples()
        free = dependency_matrix(net, x)
        assert torch.equal(dependency_matrix(net.requires_grad_(False), x), free)


def test_a_wide_net_sees_few_samples_at_a_time_and_progress_is_told_within_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, C = list[int](), 4
    wide = nn.Sequential(nn.Linear(6, 4000), nn.ReLU(), nn.Linear(4000, C)).double()
    wide.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    x, shares = torch.randn(20, 6).double(), list[float]()
    whole = dependency_matrix(wide, x, progress=shares.append)
    assert max(seen) == 20
    assert shares == pytest.approx([share / (C - 1) for share in range(1, C)])
    seen.clear()
    monkeypatch.setattr(probing, "_CHUNK_NUMBERS", 5 * 4200)  # the first layer's answer is held, and each sample's own numbers
    torch.testing.assert_close(dependency_matrix(wide, x), whole)
    assert max(seen[len(seen) // 2 :]) <= 8  # 8 are what a net is tried on


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("path", [closed_form, general_path])
def test_chunks_do_not_change_the_result(path, reduce: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = _net("relu"), _samples(11)
    whole = path(net, x, reduce)
    monkeypatch.setattr(probing, "_CHUNK_SAMPLES", 3)
    shares: list[float] = []
    torch.testing.assert_close(path(net, x, reduce, progress=shares.append), whole)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_both_paths_agree_up_to_the_sign_that_the_absolute_value_takes_away() -> None:
    net, x = _net("relu"), _samples()
    torch.testing.assert_close(closed_form(net, x), -general_path(net, x))


@pytest.mark.parametrize("name", ["relu", "gelu"])
def test_temperature_divides_the_logits(name: str) -> None:
    net, x = _net(name), _samples()
    true = oracles.dependency(oracles.hessians(net, x, temperature=3.0), "abs_mean")
    assert _relative_error(dependency_matrix(net, x, temperature=3.0), true) < 1e-6


def test_scale_std_multiplies_by_both_features_spread() -> None:
    net, x = _net("relu"), _samples()
    true = oracles.dependency(oracles.hessians(net, x), "abs_mean", ((x - x.mean(0)) ** 2).mean(0).sqrt())
    assert _relative_error(dependency_matrix(net, x, scale="std"), true) < 1e-6


def test_scale_std_silences_a_constant_feature() -> None:
    x = _samples()
    x[:, 5] = 0.25
    W = dependency_matrix(_net("relu"), x, scale="std")
    assert float(W[5].abs().max()) == 0
    assert float(dependency_matrix(_net("relu"), x)[5].max()) > 0


@pytest.mark.parametrize("name", ["relu", "gelu"])
@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_matrix_is_symmetric_not_negative_and_hollow(name: str, reduce: str) -> None:
    W = dependency_matrix(_net(name).float(), _samples().float(), reduce)
    assert W.dtype == torch.float32
    assert torch.equal(W, W.T)
    assert float(W.min()) >= 0
    assert float(W.diagonal().abs().max()) == 0


def test_a_shift_common_to_all_classes_is_invisible() -> None:
    class Shifted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            shift: Tensor = inner(x) + x.sum(dim=1, keepdim=True) * 7
            return shift

    inner, x = _net("relu"), _samples()
    torch.testing.assert_close(dependency_matrix(Shifted(), x), dependency_matrix(inner, x))


@pytest.mark.parametrize(("N", "D", "C"), [(1, 1, 2), (1, 5, 2), (3, 1, 4), (2, 2, 2)])
@pytest.mark.parametrize("activation", [nn.ReLU(), nn.GELU()])
def test_smallest_shapes_work(N: int, D: int, C: int, activation: nn.Module) -> None:
    net, x = _mlp(activation, D, C).double(), _samples(N, D)
    true = oracles.dependency(oracles.hessians(net, x), "mean_abs")
    torch.testing.assert_close(dependency_matrix(net, x, "mean_abs"), true)


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("path", [partial(closed_form, known_flat=True), general_path])
def test_no_line_assumes_a_device(path, reduce: str) -> None:
    net = _mlp(nn.ReLU()).to("meta")
    W = path(net, torch.empty(7, 16, device="meta"), reduce)
    assert W.device.type == "meta"
    assert W.shape == (16, 16)


def test_sample_influence_is_the_share_of_the_trace() -> None:
    net, x = _net("relu"), _samples(9)
    traces = -oracles.hessians(net, x).diagonal(dim1=1, dim2=2).sum(1)
    torch.testing.assert_close(sample_influence(net, x), traces / traces.sum())


def test_sample_influence_is_even_where_every_trace_is_zero() -> None:
    net = nn.Linear(3, 2).double()
    nn.init.zeros_(net.weight)
    assert sample_influence(net, _samples(4, 3)).tolist() == [0.25] * 4
