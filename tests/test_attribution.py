"""Attributions against direct calls of Captum, closed forms of linear nets, and the laws that they keep."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from attribution_samples import GROUPS, REFERENCE, C, D, black_box, explaining, linear, picture_question, question
from captum import attr
from cnn_samples import FAMILIES, SHAPE, mixed_up, pictures, small_stack
from torch import Tensor, nn

from ked.attribution import ATTRIBUTIONS, Evidence, Question, Reference, attribute, refusal
from ked.attribution.methods import DRAWS, NOISE, STEPS, window
from ked.attribution.own import own_contributions
from ked.attribution.question import squares
from ked.data import load
from ked.data.planted import make
from ked.errors import InvalidInput
from ked.explanation import centre, contributions
from ked.nets.stack import Stack
from ked.nets.subnets import ACTIVATIONS
from ked.recipe import Recipe
from ked.store import Run

NETS: dict[str, Callable[[], Stack]] = {"black box": black_box, "explaining": explaining}
SQUARES = squares(SHAPE)


class Said(nn.Module):
    """Evidence of a stack's replica, in one line, for Captum."""

    def __init__(self, stack: Stack, k: int) -> None:
        super().__init__()
        self.stack, self.k = stack, k

    def forward(self, x: Tensor) -> Tensor:
        logits = self.stack(x)[self.k]
        return logits - logits.mean(1, keepdim=True)


# What is attributed


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("net", ["black box", "explaining"])
def test_evidence_is_the_centred_log_probability(net: str, activation: str) -> None:
    stack = explaining(activation, groups=[range(D)] if net == "black box" else GROUPS)
    x = torch.rand(5, D, dtype=torch.float64)
    for k in range(2):
        log_p = stack(x)[k].log_softmax(-1)
        torch.testing.assert_close(Evidence(stack, k)(x), centre(log_p))


@pytest.mark.parametrize("branches", [1, 4])
@pytest.mark.parametrize("name", FAMILIES)
def test_evidence_is_the_centred_log_probability_of_a_convolutional_net_too(name: str, branches: int) -> None:
    stack, x = mixed_up(small_stack(name, branches)).eval(), pictures(4)
    torch.testing.assert_close(Evidence(stack)(x), centre(stack(x)[0].log_softmax(-1)))


def test_evidence_is_what_the_own_explanation_adds_up_to() -> None:
    stack = explaining()
    asked = question(stack, 1)
    base = centre(stack.base)[asked.target]
    torch.testing.assert_close(own_contributions(asked).sum(1) + base, asked.evidence(asked.x))


# Against Captum


def captum_call(name: str, asked: Question, mask: Tensor) -> Tensor:
    net, x = Said(asked.stack, asked.k), asked.x.clone().requires_grad_()
    base, target, sizes = REFERENCE.baseline.expand(len(x), D), asked.target, mask.bincount()[mask]
    torch.manual_seed(5)
    np.random.seed(5)
    return {
        "integrated-gradients": lambda: attr.IntegratedGradients(net).attribute(x, base, target=target, n_steps=STEPS),
        "saliency": lambda: attr.Saliency(net).attribute(x, target=target),
        "input-x-gradient": lambda: attr.InputXGradient(net).attribute(x, target=target),
        "gradient-shap": lambda: attr.GradientShap(net).attribute(
            x, REFERENCE.baseline[None], n_samples=DRAWS, stdevs=NOISE * REFERENCE.spread, target=target
        ),
        "occlusion": lambda: attr.Occlusion(net).attribute(x, (1,), baselines=base, target=target),
        "feature-ablation": lambda: attr.FeatureAblation(net).attribute(x, base, target, feature_mask=mask[None]) / sizes,
        "shapley-sampling": lambda: (
            attr.ShapleyValueSampling(net).attribute(x, base, target, feature_mask=mask[None], n_samples=DRAWS) / sizes
        ),
    }[name]().detach()


CALLED = [name for name in ATTRIBUTIONS if name not in ("own", "grad-cam", "deep-lift")]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", CALLED)
def test_an_attribution_is_the_direct_call_of_captum(name: str, net: str) -> None:
    asked = question(NETS[net](), 1)
    mask = torch.tensor([1, 0, 2, 2, 2, 0, 0, 2])  # GROUPS
    expected = captum_call(name, asked, mask)
    torch.testing.assert_close(attribute(name, asked, seed=5), expected.double(), rtol=1e-5, atol=1e-6)


def test_deep_lift_is_captums_on_the_net_that_anybody_would_write() -> None:
    stack = black_box()
    asked = question(stack, 1)
    net = stack.sequential(1)
    centring = nn.Linear(C, C).double()
    with torch.no_grad():
        centring.weight.copy_(torch.eye(C) - 1 / C)
        centring.bias.zero_()
    x = asked.x.clone().requires_grad_()
    with pytest.warns(UserWarning, match="hooks"):
        expected = attr.DeepLift(nn.Sequential(net, centring)).attribute(x, asked.baselines, target=asked.target)
    torch.testing.assert_close(attribute("deep-lift", asked), expected.detach())


@pytest.mark.parametrize("branches", [1, 4])
def test_grad_cam_is_captums_at_the_split(branches: int) -> None:
    stack, x = mixed_up(small_stack("small-cnn", branches)).eval(), pictures(2)
    net, target = Said(stack, 0), [0, 2]
    maps = attr.LayerGradCam(net, stack.nets[0].branches.divide).attribute(x, target=target)
    expected = attr.LayerAttribution.interpolate(maps, SHAPE[1:], interpolate_mode="bilinear").flatten(1)
    found = attribute("grad-cam", picture_question(stack, x, target, SQUARES)).view(2, 3, -1)
    assert (found[:, 0] == found[:, 2]).all()  # a pixel's channels share its value
    torch.testing.assert_close(found.sum(1), expected.detach())


def test_occlusion_of_a_picture_slides_a_square_through_all_channels() -> None:
    stack, x = mixed_up(small_stack("small-cnn")).eval(), pictures(2)
    asked = picture_question(stack, x, [0, 2], SQUARES)
    height, width = SHAPE[1:]
    total, count = torch.zeros(2, *SHAPE).double(), torch.zeros(SHAPE).double()
    for top in range(height - 1):
        for left in range(width - 1):
            laid = x.view(2, *SHAPE).clone()
            laid[:, :, top : top + 2, left : left + 2] = 0.2
            lost = asked.evidence(x) - asked.evidence(laid.flatten(1))
            total[:, :, top : top + 2, left : left + 2] += lost[:, None, None, None]
            count[:, top : top + 2, left : left + 2] += 1
    assert window(height) == window(width) == 2
    torch.testing.assert_close(attribute("occlusion", asked), (total / count).flatten(1), rtol=1e-5, atol=1e-6)


def test_methods_that_draw_give_the_same_map_again_and_leave_the_generator_alone() -> None:
    asked = question(explaining())
    torch.manual_seed(3)
    np.random.seed(3)
    expected = torch.rand(2), np.random.rand()
    torch.manual_seed(3)
    np.random.seed(3)
    for name in ("gradient-shap", "shapley-sampling"):
        torch.testing.assert_close(attribute(name, asked), attribute(name, asked))
    assert (attribute("gradient-shap", asked) != attribute("gradient-shap", asked, seed=1)).any()
    assert (torch.rand(2) == expected[0]).all()
    assert np.random.rand() == expected[1]


# Laws

ADDS_UP = ("integrated-gradients", "deep-lift", "shapley-sampling")


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", ADDS_UP)
def test_what_adds_up_does_so_to_the_sample_less_the_baseline(name: str, net: str) -> None:
    asked = question(NETS[net]())
    whole = asked.evidence(asked.x) - asked.evidence(asked.baselines)
    error = 0.02 if name == "integrated-gradients" else 1e-5  # a sum of 50 steps over kinks; rounding
    torch.testing.assert_close(attribute(name, asked).sum(1), whole, rtol=error, atol=error)


@pytest.mark.parametrize("branches", [1, 4])
@pytest.mark.parametrize("name", FAMILIES)
def test_deep_lift_adds_up_through_every_kind_of_layer(name: str, branches: int) -> None:
    stack, x = mixed_up(small_stack(name, branches)).eval(), pictures(2)
    asked = picture_question(stack, x, [0, 2], SQUARES)
    whole = asked.evidence(x) - asked.evidence(asked.baselines)
    torch.testing.assert_close(attribute("deep-lift", asked).sum(1), whole)


def test_of_a_linear_net_every_method_gives_its_closed_form() -> None:
    weights = torch.randn(C, D, dtype=torch.float64)
    asked = question(linear(weights))
    w = centre(weights.T).T[asked.target]  # (B, D): the evidence's own weights
    step = w * (asked.x - asked.baselines)
    shared = torch.empty_like(step)
    for group in GROUPS:
        shared[:, list(group)] = step[:, list(group)].mean(1, keepdim=True)
    expected = {
        "integrated-gradients": step,
        "deep-lift": step,
        "occlusion": step,
        "saliency": w.abs(),
        "input-x-gradient": w * asked.x,
        "feature-ablation": shared,
        "shapley-sampling": shared,
    }
    for name, values in expected.items():
        torch.testing.assert_close(attribute(name, asked), values, rtol=1e-5, atol=1e-5)


def test_the_own_map_gives_each_feature_an_equal_share_of_its_superfeature() -> None:
    stack = explaining()
    asked = question(stack, 1)
    phi = centre(contributions(stack.explanations(asked.x)[1], stack.base)).detach()
    found = attribute("own", asked)
    for b, c in enumerate(asked.target.tolist()):
        for m, group in enumerate(GROUPS):
            for feature in group:
                assert float(found[b, feature]) == pytest.approx(float(phi[m, b, c]) / len(group))


def test_the_own_map_of_a_convolutional_net_adds_up_and_lies_where_the_branches_look() -> None:
    stack, x = mixed_up(small_stack("small-cnn")).eval(), pictures(3)
    asked = picture_question(stack, x, [0, 2, 0], SQUARES)
    found = attribute("own", asked)
    torch.testing.assert_close(found.sum(1), own_contributions(asked).sum(1))
    again = torch.cat([attribute("own", replace(asked, x=x[b : b + 1], target=asked.target[b : b + 1])) for b in range(3)])
    torch.testing.assert_close(found, again)


def test_the_own_explanation_finds_what_the_planted_groups_say(finish: Callable[[Recipe], Run]) -> None:
    sizes = {"teacher_hidden": (64, 64), "dependency_samples": 200, "teacher_epochs": 25, "lr": 3e-3}
    name = "planted:features=8,groups=2,classes=3,samples=4000"
    run = finish(Recipe.make(dataset=name, methods=("ked",), superfeatures=2, seeds=1, epochs=1, **sizes))
    dataset, stack = load(name), run.explaining()
    assert {frozenset(group) for group in stack.groups} == {frozenset(group) for group in dataset.truth}
    truth = make(8, 2, 3, n=4000)[1]
    x = dataset.part("test")[0]
    asked = question(stack, x=x, target=[0] * len(x), parts=stack.groups, reference=Reference(x.mean(0), 1.0))
    found = attribute("own", asked)
    says = ((x.double() @ truth.weights.T) ** 2 - 1) * truth.evidence[:, 0]  # (B, M): what each group was made to say
    sums = torch.stack([found[:, list(group)].sum(1) for group in dataset.truth])
    alike = torch.corrcoef(torch.cat([sums, says.T.to(sums)]))[:2, 2:]  # (found, planted)
    assert float(alike.diagonal().min()) > 0.7
    assert float((alike - alike.diagonal().diag()).abs().max()) < 0.2


# Parts, and what is refused


@pytest.mark.parametrize("shape", [(8, 8), (3, 12, 10), (28, 28), (1, 5), (7,)])
def test_squares_cover_every_feature_once_and_go_through_all_channels(shape: tuple[int, ...]) -> None:
    parts = squares(shape)
    assert sorted(d for part in parts for d in part) == list(range(math.prod(shape)))
    if len(shape) == 3:
        pixels = shape[1] * shape[2]
        assert all({d % pixels for d in part if d < pixels} == {d % pixels for d in part} for part in parts)


def test_what_does_not_apply_is_refused_in_one_sentence(one_sentence: Callable[[str], str]) -> None:
    for name, stack in (("own", black_box()), ("grad-cam", explaining()), ("deep-lift", explaining("gelu"))):
        said = one_sentence(refusal(name, stack))
        with pytest.raises(InvalidInput) as caught:
            attribute(name, question(stack))
        assert str(caught.value) == said
    assert not refusal("deep-lift", explaining("tanh"))


WRONG = {
    "layout": lambda: question(black_box(), shape=(2, 3)),
    "each of the 8 features once": lambda: question(black_box(), parts=((0, 1),)),
    "classes 0 to 2": lambda: question(black_box(), target=(0, 3, 1)),
    "replicas 0 to 1": lambda: question(black_box(), 2),
    "is unknown": lambda: attribute("magic", question(black_box())),
    "no maps": lambda: Evidence(black_box()).split,
}


@pytest.mark.parametrize("named", WRONG)
def test_a_question_that_does_not_fit_together_is_refused(named: str, one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput, match=named) as caught:
        WRONG[named]()
    one_sentence(str(caught.value))


def test_every_method_has_a_sentence_of_help() -> None:
    for method in ATTRIBUTIONS.values():
        assert method.help.endswith(".")
        assert method.label
    assert next(iter(ATTRIBUTIONS)) == "own"
