"""Attributions of anybody's net: the same numbers as of the package's own nets, and refusals where a method would be silently wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable

import attribution_samples as samples
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

import ked
from ked.attribution import ATTRIBUTIONS, Reference, attribute
from ked.attribution.question import Question
from ked.errors import InvalidInput
from ked.nets.cnn import ConvStack

X = torch.rand(2, samples.D, generator=torch.Generator().manual_seed(5))
QUICK = ("saliency", "input-x-gradient", "integrated-gradients", "deep-lift", "occlusion", "feature-ablation")


def test_a_net_of_ones_own_is_attributed_as_the_same_net_of_the_package() -> None:
    stack = samples.explaining(replicas=1).float()
    own = ked.ExplainingNet(stack.groups, stack.base, subnets=[stack.subnet(m) for m in range(3)])
    found = ked.attributions(own, X, groups=stack.groups)
    reference = Reference(X.mean(0), float(X.std(dim=0, correction=0).mean()))
    question = Question(stack, 0, X, torch.from_numpy(found.target), reference, stack.groups, (samples.D,))
    assert (found.target == stack(X)[0].argmax(-1).numpy()).all()
    assert list(found.refused) == ["grad-cam"]
    for name in ATTRIBUTIONS:
        if name not in found.refused:
            drawn = name in ("gradient-shap", "shapley-sampling")  # a batch and single samples draw other numbers
            expected = attribute(name, question.about(X[:1], question.target[:1])) if drawn else attribute(name, question)
            np.testing.assert_allclose(found.values(name)[: len(expected)], expected.numpy(), rtol=1e-3, atol=1e-5)


def test_the_table_has_quality_and_time_of_every_map() -> None:
    net = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 16, 3))
    found = ked.attributions(net, torch.rand(2, 1, 4, 4), torch.tensor([2, 0]), methods=QUICK)
    table = found.to_frame()
    assert len(table) == 2 * len(QUICK)
    assert table["class"].tolist()[:2] == [2, 0]
    assert table[["deletion", "insertion"]].to_numpy().min() >= 0
    assert (table.seconds > 0).all()
    assert np.isfinite(table.infidelity).all()
    assert "deep-lift" in found._repr_html_()
    drawn = found.plot(1)
    assert [trace.name for trace in drawn.data if trace.name] == [ATTRIBUTIONS[name].label for name in QUICK]
    with pytest.raises(InvalidInput, match="there are 2 to show"):
        found.plot(2)


def test_of_a_table_the_strongest_features_are_drawn_as_bars() -> None:
    net = nn.Linear(30, 3)
    found = ked.attributions(net, torch.randn(1, 30), methods=("saliency", "input-x-gradient"))
    bars = found.plot().data
    assert len(bars) == 2
    shares = np.abs(np.array([bar.x for bar in bars]))
    assert shares.shape == (2, 20)
    assert shares.max(axis=1) == pytest.approx([1, 1])


class _Functional(nn.Module):
    """ReLUs that are no modules: DeepLift's hooks never see them."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(samples.D, 20), nn.Linear(20, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.first(x)))


@pytest.mark.parametrize("net", [_Functional(), nn.Sequential(nn.Linear(samples.D, 9), nn.GELU(), nn.Linear(9, 3))])
def test_deep_lift_is_refused_where_its_rules_do_not_hold(net: nn.Module, one_sentence: Callable[[str], str]) -> None:
    found = ked.attributions(net, X, methods=("deep-lift", "integrated-gradients"), baseline=torch.full((samples.D,), -2.0))
    assert "DeepLift" in one_sentence(found.refused["deep-lift"])
    total = found.values("integrated-gradients").sum(1)
    with torch.no_grad():
        said = net(X) - net(torch.full_like(X, -2.0))
    evidence = (said - said.mean(1, keepdim=True))[range(2), found.target]
    np.testing.assert_allclose(total, evidence.numpy(), rtol=0.1, atol=0.02)


def test_a_net_is_left_as_it_was_and_dropout_is_off() -> None:
    net = nn.Sequential(nn.Linear(samples.D, 9), nn.ReLU(), nn.Dropout(0.5), nn.Linear(9, 3)).train()
    twice = [ked.attributions(net, X, [0, 1], methods=("saliency",)).values("saliency") for _ in range(2)]
    assert (twice[0] == twice[1]).all()
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert not any(part._forward_hooks for part in net.modules())


def test_an_answer_of_ones_own_is_taken_through_forward() -> None:
    net = nn.Linear(samples.D, 3)
    found = ked.attributions(net, X, [1, 1], methods=("saliency",), forward=lambda net, x: {"logits": net(x)}["logits"])
    assert (found.values("saliency") == ked.attributions(net, X, [1, 1], methods=("saliency",)).values("saliency")).all()


def _evidence(net: Callable[[Tensor], Tensor], x: Tensor, target: np.ndarray) -> Tensor:
    z = net(x)
    return (z - z.mean(1, keepdim=True))[range(len(x)), target]


def _slopes(net: Callable[[Tensor], Tensor], x: Tensor, target: np.ndarray) -> np.ndarray:
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(_evidence(net, leaf, target).sum(), leaf)[0].abs().numpy()


def _mlp() -> nn.Sequential:
    return nn.Sequential(nn.Linear(samples.D, 9), nn.ReLU(), nn.Linear(9, 3))


def test_backward_hooks_are_no_part_of_a_net() -> None:
    net = _mlp()
    plain = copy.deepcopy(net)
    net[0].register_full_backward_hook(lambda module, inputs, outputs: (2 * inputs[0],))
    found = ked.attributions(net, X, methods=("saliency", "deep-lift"))
    np.testing.assert_allclose(found.values("saliency"), _slopes(plain, X, found.target), rtol=1e-5)
    assert not found.refused
    assert net[0]._backward_hooks


def test_forward_may_name_nets_of_its_own_which_are_asked_in_eval_mode() -> None:
    net, head = _mlp(), nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).train()
    found = ked.attributions(net, X, methods=("saliency",), forward=lambda net, x: head(net(x)))
    np.testing.assert_allclose(found.values("saliency"), _slopes(lambda x: head[0](net(x)), X, found.target), rtol=1e-5)
    assert head[1].training


def test_a_compiled_net_is_the_net_that_it_was_made_from() -> None:
    net = _mlp()
    found = ked.attributions(torch.compile(net, backend="aot_eager"), X, methods=("saliency", "deep-lift"))
    assert not found.refused
    np.testing.assert_allclose(found.values("saliency"), _slopes(net, X, found.target), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*weight_norm")
def test_a_net_that_keeps_a_part_of_its_last_graph() -> None:
    net = nn.Sequential(torch.nn.utils.weight_norm(nn.Linear(samples.D, 9)), nn.ReLU(), nn.Linear(9, 3))
    net(X)
    found = ked.attributions(net, X, methods=("saliency",))
    np.testing.assert_allclose(found.values("saliency"), _slopes(net, X, found.target), rtol=1e-5)


def test_a_net_that_computes_in_half_precision_within() -> None:
    class Coarse(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = _mlp()

        def forward(self, x: Tensor) -> Tensor:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return self.inner(x)

    net = Coarse()
    found = ked.attributions(net, X, methods=("saliency",))
    expected = _slopes(net.inner, X, found.target)
    np.testing.assert_allclose(found.values("saliency"), expected, atol=0.02 * expected.max())


def test_where_the_way_from_the_input_is_cut_only_methods_without_gradients_apply() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Sequential(nn.Linear(samples.D, 9), nn.ReLU()), nn.Linear(9, 3)

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                h = self.body(x)
            return self.head(h)

    found = ked.attributions(Cut(), X, methods=QUICK)
    assert set(found.measured) == {"occlusion", "feature-ablation"}
    assert "cannot be differentiated" in found.refused["saliency"]


def test_a_sample_that_is_its_own_baseline_is_compared_with_nothing(one_sentence: Callable[[str], str]) -> None:
    found = ked.attributions(_mlp(), X[:1], methods=QUICK)
    assert set(found.measured) == {"saliency", "input-x-gradient"}
    assert "give a baseline" in one_sentence(found.refused["occlusion"])
    assert not ked.attributions(_mlp(), X[:1], methods=QUICK, baseline=torch.zeros(samples.D)).refused


def test_channels_have_no_place_in_the_input() -> None:
    trunk = nn.Sequential(nn.Linear(samples.D, 4), nn.ReLU())
    net = ked.ExplainingNet([(0, 1), (2, 3)], torch.zeros(3), trunk=trunk, subnet=lambda size: nn.Linear(size, 3))
    assert "trunk" in ked.attributions(net, X, methods=("own",)).refused["own"]
    branched = ConvStack("small-cnn", (8, 8), 3, superfeatures=2).eval()
    assert ked.attributions(branched, torch.rand(1, 64), methods=("own", "saliency")).values("own").shape == (1, 64)


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        (lambda: ked.attributions(nn.Linear(8, 3), torch.zeros(2, 8, dtype=torch.int64)), "x must hold"),
        (lambda: ked.attributions(nn.Linear(8, 3), X * torch.nan), "x must hold"),
        (lambda: ked.attributions(nn.Linear(8, 3), X, [0]), "classes 0 to 2"),
        (lambda: ked.attributions(nn.Linear(8, 3), X, [0.5] * len(X)), "y must hold whole numbers"),
        (lambda: ked.attributions(nn.Linear(8, 3), X, ["a"] * len(X)), "The classes must be a tensor, an array"),
        (lambda: ked.KDLoss(temperature="4"), "temperature of '4' is not allowed"),
        (lambda: ked.attributions(nn.Linear(8, 3), X, baseline=[torch.nan] * 8), "baseline must hold finite numbers"),
        (lambda: ked.attributions(nn.Linear(8, 3), X, groups=[(0, 1)]), "each of the 8 features once"),
        (lambda: ked.attributions(lambda x: x, X), "torch.nn.Module"),
        (lambda: ked.attributions(nn.LazyLinear(3), X), "lazy layers"),
        (lambda: ked.attributions(nn.Linear(8, 3), DataLoader(X, 2, shuffle=True), [0, 1]), "an order of its own"),
        (lambda: ked.attributions(nn.Linear(8, 3), X, methods=("beauty",)), "'beauty' is unknown"),
        (lambda: ked.attributions(nn.Linear(8, 3), X, methods=("own",)).values("own"), "there are no maps of 'own'"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_one_sentence(ask: Callable[[], object], names: str, one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        ask()
    assert names in str(raised.value)
