"""What a net's modules are called decides nothing: masked, hooked, parametrised, shared and curved layers against double backward."""

from __future__ import annotations

import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from unusual_nets import (
    BENT,
    CURVED_FIRST,
    FIRST,
    FLAT,
    LINEAR_FIRST,
    PIECEWISE_FIRST,
    WIDTH,
    C,
    D,
    Transformer,
    Wired,
    starting_with,
)

from ked.dependency import dependency_matrix, probing
from ked.dependency.matrix import REDUCTIONS
from ked.dependency.narrowing import find_narrowing
from ked.dependency.piecewise_linear import closed_form


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def _samples(N: int = 6, D: int = D) -> Tensor:
    return torch.randn(N, D, dtype=torch.float64)


def _error(net: nn.Module, x: Tensor, reduce: str = "abs_mean") -> float:
    """The largest difference to the oracle, relative to its norm, so that a W of zero counts too."""
    net.eval()
    true = oracles.dependency(oracles.hessians(net, x), reduce)
    return float((dependency_matrix(net, x, reduce) - true).norm() / true.norm().clamp_min(1e-300))


@pytest.mark.filterwarnings("ignore:The net's derivative is not that of its answers")
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_a_first_layer_counts_as_what_it_does(first: str, reduce: str) -> None:
    assert _error(starting_with(FIRST[first](D, WIDTH)), _samples(), reduce) < 1e-12


@pytest.mark.parametrize("first", LINEAR_FIRST)
def test_a_narrowing_linear_map_is_found_whatever_it_is_made_of(first: str) -> None:
    net, x = starting_with(LINEAR_FIRST[first](D, WIDTH)).eval(), _samples()
    entry = find_narrowing(net, x)
    assert entry is not None
    if first not in ("low-rank", "recomputed"):  # a low rank is a still narrower way, but not the only one
        assert torch.allclose(entry.matrix, torch.autograd.functional.jacobian(lambda one: net[0](one[None])[0], x[0]))
        assert entry.trace(net, x, torch.Generator()) is not None


@pytest.mark.parametrize("first", PIECEWISE_FIRST | CURVED_FIRST)
def test_no_other_map_is_taken_for_one(first: str) -> None:
    net, x = starting_with(FIRST[first](D, WIDTH)).eval(), _samples(30)
    entry = find_narrowing(net, x)
    assert entry is None or entry.module is not net[0] or entry.trace(net, x, torch.Generator()) is None


LAYERS = st.sampled_from(sorted(FIRST))
ACTIVATIONS = st.sampled_from(sorted(FLAT | BENT))


@settings(max_examples=15, deadline=None)
@given(
    first=LAYERS, second=LAYERS, activations=st.tuples(ACTIVATIONS, ACTIVATIONS), skip=st.booleans(), seed=st.integers(0, 99),
    reduce=st.sampled_from(REDUCTIONS), widths=st.tuples(st.integers(2, 6), st.integers(2, 6)), classes=st.integers(2, 4),
)  # fmt: skip
def test_any_mixture_of_layers_agrees_with_double_backward(
    first: str, second: str, activations: tuple[str, str], skip: bool, seed: int, reduce: str, widths: tuple[int, int], classes: int
) -> None:
    torch.manual_seed(seed)
    one, two = ((FLAT | BENT)[name]() for name in activations)
    body = nn.Sequential(FIRST[first](4, widths[0]), one, FIRST[second](*widths), two, nn.Linear(widths[1], classes))
    net = Wired(lambda x, body: body(x) + skip * x[:, :1].sin(), body).double()
    torch.testing.assert_close(_error(net, _samples(3, 4), reduce), 0.0, rtol=0, atol=1e-9)


def _curved_for(sign: float) -> nn.Module:
    """Linear but where the first feature has that sign."""

    def forward(x: Tensor, layer: nn.Module, last: nn.Module) -> Tensor:
        h = layer(x)
        return last(torch.where(sign * x[:, :1] > 0, h.square(), h))

    return Wired(forward, nn.Linear(D, WIDTH), nn.Linear(WIDTH, C)).double()


@pytest.mark.parametrize("where", [0, 1, 7, 8, 19])
def test_one_curved_sample_in_any_chunk_is_enough_for_the_general_path(where: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_CHUNK_SAMPLES", 4)
    net, x = _curved_for(1), _samples(20)
    x[:, 0] = -x[:, 0].abs()
    assert closed_form(net, x) is not None
    x[where, 0] = 1
    assert closed_form(net, x) is None
    shares: list[float] = []
    true = oracles.dependency(oracles.hessians(net, x), "abs_mean")
    torch.testing.assert_close(dependency_matrix(net, x, progress=shares.append), true)
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize("where", [0, 1, 7, 8, 19])
def test_one_sample_in_any_chunk_that_the_first_layer_treats_otherwise_is_enough_to_leave_the_short_way(
    where: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "_CHUNK_SAMPLES", 4)
    net, x = starting_with(PIECEWISE_FIRST["doubled-in-places"](D, WIDTH)), _samples(20)
    x[:, 0] = -x[:, 0].abs()
    x[where, 0] = 1
    assert _error(net, x) < 1e-12


def test_curvature_that_shows_in_neither_value_nor_slope_is_seen() -> None:
    """At x = 0, the first layer's square is as good as nothing, but for its second derivative."""
    square = Wired(lambda x, layer: layer(x) + layer.weight.sum(1) * (x[:, :1] * x[:, 1:2]), nn.Linear(D, WIDTH))
    assert _error(starting_with(square, nn.Identity()), torch.zeros(4, D, dtype=torch.float64)) < 1e-12


@pytest.mark.filterwarnings("ignore:The net's derivative is not that of its answers")
def test_a_layer_that_is_cut_off_in_places_is_not_taken_for_the_whole() -> None:
    """Its values are linear everywhere; only its derivative is not the same."""
    cut = Wired(lambda x, layer: layer(torch.where(x[:, :1] > 0, x, x.detach())), nn.Linear(D, WIDTH))
    assert _error(starting_with(cut), _samples(9)) < 1e-12


def test_classes_whose_curvatures_cancel_each_other_are_still_curved() -> None:
    def forward(x: Tensor, layer: nn.Module) -> Tensor:
        bend = layer(x).tanh().sum(1, keepdim=True)
        return torch.cat([bend, -bend, 0 * bend], 1)

    for seed in range(40):  # with small weights for the classes, one draw in sixteen of these would see nothing
        torch.manual_seed(seed)
        assert closed_form(Wired(forward, nn.Linear(D, WIDTH)).double(), _samples(1)) is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_deep_linear_start_stays_right_where_rounding_makes_its_derivative_inexact(dtype: torch.dtype) -> None:
    net = nn.Sequential(*(nn.Linear(40, 40) for _ in range(12)), nn.Linear(40, 20), nn.ReLU(), nn.Linear(20, C)).to(dtype)
    x = _samples(8, 40)
    true = oracles.dependency(oracles.hessians(net.double(), x), "abs_mean")
    W = dependency_matrix(net.to(dtype), x.to(dtype)).double()
    assert float((W - true).norm() / true.norm()) < (1e-5 if dtype == torch.float32 else 1e-12)


def test_samples_in_their_own_shape_are_laid_out_flat() -> None:
    net = nn.Sequential(nn.Conv2d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, C)).double()
    x = _samples(5, 18)
    flat = nn.Sequential(nn.Unflatten(1, (2, 3, 3)), net)
    W = dependency_matrix(net, x.view(5, 2, 3, 3))
    torch.testing.assert_close(W, oracles.dependency(oracles.hessians(flat, x), "abs_mean"))
    assert W.shape == (18, 18)


@pytest.mark.parametrize("trained", [True, False])
def test_attention_is_computed_so_that_it_can_be_differentiated_twice(trained: bool) -> None:
    net, x = Transformer().double().eval().requires_grad_(trained), _samples(2)
    before = torch.backends.mha.get_fastpath_enabled(), torch.backends.cuda.flash_sdp_enabled()
    W = dependency_matrix(net, x)
    with sdpa_kernel(SDPBackend.MATH):
        true = oracles.dependency(oracles.hessians(net, x), "abs_mean")
    torch.testing.assert_close(W, true)
    assert (torch.backends.mha.get_fastpath_enabled(), torch.backends.cuda.flash_sdp_enabled()) == before


def test_recurrent_nets_work() -> None:
    net = Wired(lambda x, cell, last: last(cell(x[..., None])[0][:, -1]), nn.LSTM(1, 4, batch_first=True), nn.Linear(4, C)).double()
    assert _error(net, _samples(2, 5)) < 1e-12


class _Rounded(torch.autograd.Function):
    """A straight-through estimator: rounded forward, untouched backward."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: object, slope: Tensor) -> Tensor:
        return slope


def test_a_straight_through_estimator_counts_with_the_derivative_that_it_gives() -> None:
    net = Wired(lambda x, layer, last: last(_Rounded.apply(3 * layer(x)).relu()), nn.Linear(D, WIDTH), nn.Linear(WIDTH, C)).double()
    with pytest.warns(UserWarning, match="straight-through"):
        assert _error(net, _samples()) < 1e-12


@pytest.mark.filterwarnings("ignore:.*jit.script.* is deprecated")
@pytest.mark.parametrize("make", [torch.jit.script, torch.fx.symbolic_trace, lambda net: torch.compile(net, backend="aot_eager")])
def test_scripted_traced_and_compiled_nets_have_the_matrix_of_what_they_were_made_from(make) -> None:
    net, x = starting_with(nn.Linear(D, WIDTH)), _samples()
    torch.testing.assert_close(dependency_matrix(make(net), x), dependency_matrix(net, x))


def test_functions_of_a_net_have_its_matrix() -> None:
    net, x = nn.Sequential(nn.Linear(D, WIDTH), nn.BatchNorm1d(WIDTH), nn.Dropout(), nn.ReLU(), nn.Linear(WIDTH, C)).double(), _samples()
    W = dependency_matrix(net.eval(), x)
    net.train()
    likely = (lambda one: functional.log_softmax(net(one), 1), lambda one: functional.softmax(net(one), 1).log())
    for function in (lambda one: net(one), net.forward, *likely):
        torch.testing.assert_close(dependency_matrix(function, x), W)
        assert net.training
