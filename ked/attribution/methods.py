"""The methods: a table of what attributes a net's evidence to its input features, each by one call of Captum.

Every method gives a value a feature, (B, D). Methods that take features away by groups give each feature an equal share of
its group's value, so that a map can be summed over any superfeature, whichever method made it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import (
    DeepLift,
    FeatureAblation,
    GradientShap,
    InputXGradient,
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    Occlusion,
    Saliency,
    ShapleyValueSampling,
)
from torch import Tensor, nn

from ked.attribution.own import own_map
from ked.attribution.question import Question
from ked.errors import InvalidInput, quoted
from ked.explaining import Explains
from ked.nets.cnn.stack import ConvStack
from ked.nets.stack import Stack

STEPS = 50  # of integrated gradients
DRAWS = 25  # points of GradientSHAP, orders of Shapley value sampling
NOISE = 0.1  # of GradientSHAP's samples, in spreads of the features
AT_ONCE = 64  # perturbed samples that go through the net together
_BEYOND_RULES = "Captum's DeepLift has no rule for something in this net, such as a nonlinearity that is no module of its own"


@dataclass(frozen=True)
class Attribution:
    """One method.

    name: a short key.  label: as on a chart.  help: one sentence for people.
    compute: the map (B, D) of a question.
    signed: whether values below zero speak against the class; if not, the map only says how much a feature matters.
    refuse: why the method does not apply to a net, or an empty text.
    compares: whether it compares the sample with what stands for absent features.
    """

    name: str
    label: str
    help: str
    compute: Callable[[Question], Tensor]
    signed: bool = True
    refuse: Callable[[nn.Module], str] = lambda net: ""
    compares: bool = True


def attribute(name: str, question: Question, seed: int = 0) -> Tensor:
    """The map (B, D) of a method, in nats where the method's values are such; methods that draw do so from the seed.

    Raises:
        InvalidInput: There is no such method, or it does not apply to the net.
    """
    reason = refusal(name, question.stack)
    if reason:
        raise InvalidInput(reason)
    with seeded(seed), torch.enable_grad():
        return ATTRIBUTIONS[name].compute(question).detach().to(question.x)


def refusal(name: str, net: nn.Module) -> str:
    """Why a method does not apply to a net, in one sentence that says what does; empty where it applies."""
    if name not in ATTRIBUTIONS:
        raise InvalidInput(f"attribution method {quoted(name)} is unknown; use one of {', '.join(ATTRIBUTIONS)}.")
    return ATTRIBUTIONS[name].refuse(net)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Captum draws from the shared generators of torch and numpy: start them from the seed, and leave no trace for others."""
    before = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(before)


def _leaf(question: Question) -> Tensor:
    return question.x.detach().clone().requires_grad_()


def _grad_cam(question: Question) -> Tensor:
    """Signed, not cut at zero as in the paper, so that what speaks against the class is seen as well."""
    maps = LayerGradCam(question.net, question.net.split).attribute(_leaf(question), target=question.target)
    sides = question.shape[-2:]
    stretched: Tensor = LayerAttribution.interpolate(maps, sides, interpolate_mode="bilinear").flatten(1)
    channels = question.x.shape[-1] // stretched.shape[-1]
    return stretched.repeat(1, channels) / channels


def _integrated_gradients(question: Question) -> Tensor:
    method = IntegratedGradients(question.net)
    values: Tensor = method.attribute(_leaf(question), question.baselines, target=question.target, n_steps=STEPS)
    return values


def _saliency(question: Question) -> Tensor:
    values: Tensor = Saliency(question.net).attribute(_leaf(question), target=question.target)
    return values


def _input_x_gradient(question: Question) -> Tensor:
    values: Tensor = InputXGradient(question.net).attribute(_leaf(question), target=question.target)
    return values


def _deep_lift(question: Question) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting forward, backward hooks")  # on our own copy of the net
        try:
            values: Tensor = DeepLift(question.net).attribute(_leaf(question), question.baselines, target=question.target)
        except (AssertionError, RuntimeError) as error:
            raise InvalidInput(f"{_BEYOND_RULES} ({str(error).split('. ')[0].strip()}).") from error
    if not isinstance(question.stack, Stack):  # whose layers were not written for these rules
        said = question.evidence(question.x) - question.evidence(question.baselines)
        if not torch.allclose(values.sum(dim=1), said, rtol=0.02, atol=0.02 * float(said.abs().max()) + 1e-6):
            raise InvalidInput(f"{_BEYOND_RULES}: its values do not add up to what the net says.")
    return values


def _gradient_shap(question: Question) -> Tensor:
    baseline, noise = question.reference.baseline.to(question.x)[None], NOISE * question.reference.spread
    values: Tensor = GradientShap(question.net).attribute(
        _leaf(question), baseline, n_samples=DRAWS, stdevs=noise, target=question.target
    )
    return values


def window(side: int) -> int:
    """The side of the square that occlusion slides over a picture: an eighth of the picture's, at least two pixels."""
    return min(side, max(2, round(side / 8)))


def _occlusion(question: Question) -> Tensor:
    """On the samples' own layout: a square through all channels moves by half its side; of a table one column."""
    shape = question.shape
    sides = tuple(window(side) for side in shape[-2:]) if len(shape) > 1 else (1,)
    strides = tuple(max(1, side // 2) for side in sides)
    channels = shape[:-2] if len(shape) > 2 else ()
    values: Tensor = Occlusion(lambda laid: question.net(laid.flatten(1))).attribute(
        question.x.unflatten(1, shape), (*channels, *sides), (*channels, *strides),
        baselines=question.baselines.unflatten(1, shape), target=question.target, perturbations_per_eval=AT_ONCE,
    )  # fmt: skip
    return values.flatten(1)


def _shares(values: Tensor, question: Question) -> Tensor:
    """Captum gives every feature of a group the group's whole value: its equal share instead."""
    labels = question.labels
    return values / labels.bincount()[labels]


def _feature_ablation(question: Question) -> Tensor:
    values = FeatureAblation(question.net).attribute(
        question.x, question.baselines, target=question.target, feature_mask=question.labels[None],
        perturbations_per_eval=AT_ONCE,
    )  # fmt: skip
    return _shares(values, question)


def _shapley_sampling(question: Question) -> Tensor:
    values = ShapleyValueSampling(question.net).attribute(
        question.x, question.baselines, target=question.target, feature_mask=question.labels[None], n_samples=DRAWS,
        perturbations_per_eval=AT_ONCE,
    )  # fmt: skip
    return _shares(values, question)


def _black_box(net: nn.Module) -> str:
    if not isinstance(net, ConvStack) and getattr(net, "of_channels", False):
        return "The superfeatures are channels of the net's own trunk, which have no place in its input; other methods give one."
    if isinstance(net, Explains) and len(net.groups) > 1:
        return ""
    return "A black box has no subnets and so no explanation of its own; every other method applies to it."


def _without_maps(net: nn.Module) -> str:
    if isinstance(net, ConvStack):
        return ""
    if not isinstance(net, Stack):
        return "Grad-CAM has to know where the maps of a net branch out into superfeatures, which is known of this package's nets alone."
    return (
        "Grad-CAM weighs the maps of a convolution, and an MLP has none; integrated gradients and occlusion give maps of an MLP, "
        "and the own explanation does for an explaining net."
    )


def _smooth(net: nn.Module) -> str:
    if not isinstance(net, Stack) or net.activation in ("relu", "tanh"):  # of other nets it is seen by the values themselves
        return ""
    return (
        f"Captum's DeepLift has no rule for {net.activation} and would silently give plain gradients; "
        "integrated gradients answer the same question for such a net."
    )


ATTRIBUTIONS: dict[str, Attribution] = {
    method.name: method
    for method in (
        Attribution(
            "own",
            "own explanation",
            "What the net itself says: the contribution of each superfeature, spread evenly over its pixels or features "
            "(of a convolutional net, over where its branch looks).",
            own_map,
            refuse=_black_box,
            compares=False,
        ),
        Attribution(
            "grad-cam",
            "Grad-CAM",
            "The maps where the branches part, weighed by their mean gradients, both signs kept (Selvaraju et al. 2017).",
            _grad_cam,
            refuse=_without_maps,
            compares=False,
        ),
        Attribution(
            "integrated-gradients",
            "integrated gradients",
            "Gradients along the way from the baseline to the sample; adds up exactly (Sundararajan et al. 2017).",
            _integrated_gradients,
        ),
        Attribution(
            "saliency",
            "saliency",
            "The magnitude of the gradient: how much a feature matters, not in which direction (Simonyan et al. 2014).",
            _saliency,
            signed=False,
            compares=False,
        ),
        Attribution(
            "input-x-gradient",
            "input × gradient",
            "The feature's value times the gradient: a first guess at what it adds, with zero as the silent baseline.",
            _input_x_gradient,
            compares=False,
        ),
        Attribution(
            "deep-lift",
            "DeepLIFT",
            "What each unit does differently from the baseline, passed back layer by layer (Shrikumar et al. 2017).",
            _deep_lift,
            refuse=_smooth,
        ),
        Attribution(
            "gradient-shap",
            "GradientSHAP",
            "Gradients at random points between the baseline and noisy copies of the sample (Lundberg and Lee 2017).",
            _gradient_shap,
        ),
        Attribution(
            "occlusion",
            "occlusion",
            "What is lost when a small square, or a column of a table, is replaced by the baseline (Zeiler and Fergus 2014).",
            _occlusion,
        ),
        Attribution(
            "feature-ablation",
            "ablation",
            "What is lost when a whole superfeature is replaced by the baseline, shared among its features.",
            _feature_ablation,
        ),
        Attribution(
            "shapley-sampling",
            "Shapley sampling",
            f"The mean over {DRAWS} random orders of what a superfeature adds to those before it (Castro et al. 2009).",
            _shapley_sampling,
        ),
    )
}
