"""Attributions of anybody's net: Captum's methods on some samples, how good each map is, and what it took."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ked.attribution.evidence import copy_of
from ked.attribution.methods import ATTRIBUTIONS, refusal
from ked.attribution.quality import Measured, measure
from ked.attribution.question import Question, Reference, squares
from ked.communities.groups import Superfeatures
from ked.dependency.derivatives import warn_of_slope
from ked.dependency.probing import without_backward_hooks
from ked.dependency.samples import as_tensor, check_order, check_weights, modules_of, shortened
from ked.errors import InvalidInput
from ked.explaining import Forward, evaluating, log_probabilities
from ked.nets.stack import Stack
from ked.showing import figure

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, eq=False)
class Attributions:
    """What was found for N samples.

    Attributes:
        measured: Method -> a map with its quality and seconds for each sample (`ked.attribution.quality.Measured`).
        target: (N,) the class that is asked about.
        refused: Method -> why it does not apply to this net, in one sentence.
        samples: (N, *shape) what was explained; None where that lies elsewhere, as in a recorded run.
    """

    measured: dict[str, tuple[Measured, ...]]
    target: np.ndarray
    refused: dict[str, str]
    samples: np.ndarray | None = None

    def values(self, method: str) -> np.ndarray:
        """The maps of a method, (N, D), in nats where the method's values are such."""
        if method not in self.measured:
            told = self.refused.get(method, f"there are {', '.join(self.measured)}.")
            raise InvalidInput(f"there are no maps of {method!r}: {told}")
        return np.stack([found.values for found in self.measured[method]])

    def to_frame(self) -> DataFrame:
        """A row a method and sample: areas under deletion (low is good) and insertion curve (high), infidelity (low), seconds."""
        from pandas import DataFrame

        rows = [
            (name, sample, int(self.target[sample]), found.deletion, found.insertion, found.infidelity, found.seconds)
            for name, several in self.measured.items()
            for sample, found in enumerate(several)
        ]
        return DataFrame(rows, columns=["method", "sample", "class", "deletion", "insertion", "infidelity", "seconds"])

    def plot(self, sample: int = 0, names: Sequence[str] | None = None) -> Any:
        """The app's figure (plotly) of one sample's maps, each as a share of its own strongest place; D names of a table's features."""
        if self.samples is None or not 0 <= sample < len(self.samples):
            raise InvalidInput(f"sample {sample} is not here: there are {0 if self.samples is None else len(self.samples)} to show.")
        return figure("attributions", self, sample, names)

    def _repr_html_(self) -> str:
        return str(self.to_frame().groupby("method", sort=False).mean().drop(columns=["sample", "class"]).to_html())


def attributions(
    net: nn.Module,
    x: Any,
    y: Any = None,
    *,
    groups: Sequence[Sequence[int]] | None = None,
    methods: Sequence[str] = tuple(ATTRIBUTIONS),
    baseline: Any = None,
    forward: Forward | None = None,
) -> Attributions:
    """How much does each feature speak for a class? Captum's methods beside a net's own explanation, on any net.

    All methods speak of the evidence for the class, log p_c less its mean over the classes, and replace absent features by the same
    baseline (`ked.attribution`). The net is copied to the CPU, in float32 at least, and left as it was.

    Args:
        net: Any module from samples (N, *shape) to logits (N, C); an explaining net's own explanation is one of the methods.
        x: (N, *shape) samples of floats; every method is asked about each, so a few are enough.
        y: (N,) the class in question; by default what the net answers.
        groups: Of features, for methods that take them away by groups; by default 16 blocks of a picture, and each column of a table.
        methods: Which, of `ked.attribution.ATTRIBUTIONS`; those that do not apply to the net are told in `refused`.
        baseline: (*shape) what stands for absent features; by default the mean of x.
        forward: From net and samples to logits, where the net's answer is something else.

    Raises:
        InvalidInput: These do not fit together.

    Examples:
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        >>> found = attributions(net, torch.randn(2, 4), methods=("saliency", "occlusion", "own"))
        >>> found.values("saliency").shape, list(found.refused), len(found.to_frame())
        ((2, 4), ['own'], 4)
    """
    if y is not None:
        check_order(x)
    samples = as_tensor(x).detach().cpu()
    if samples.ndim < 2 or 0 in samples.shape or not samples.is_floating_point() or not bool(samples.isfinite().all()):
        raise InvalidInput(f"x must hold finite floats of shape (N, *shape), not {samples.dtype} of shape {tuple(samples.shape)}.")
    asked = _on_cpu(net, samples, forward)
    home, shape = next(asked.parameters(), samples), tuple(samples.shape[1:])
    flat = samples.flatten(1).to(home.dtype)
    said = log_probabilities(asked, samples)
    target = said.argmax(dim=-1) if y is None else _classes(y)
    if groups is None:
        members: Sequence[Sequence[int]] = squares(shape)
    else:
        members = Superfeatures.checked(groups)
    absent = flat.mean(dim=0) if baseline is None else as_tensor(baseline).detach().cpu().flatten().to(flat)
    if not bool(absent.isfinite().all()):
        raise InvalidInput("baseline must hold finite numbers, as it stands for features that are absent.")
    spread = float(flat.std(dim=0, correction=0).mean()) or float(flat.std(correction=0)) or 1.0
    question = Question(asked, 0, flat, target, Reference(absent, spread), members, shape)
    measured, refused = {}, {}
    nothing_absent = bool((flat == absent).all())
    with evaluating(forward), without_backward_hooks(module for part in modules_of(forward) for module in part.modules()):
        warn_of_slope(question.net, flat[:8])
        for name in methods:
            if reason := refusal(name, asked):
                refused[name] = reason
                continue
            if nothing_absent and ATTRIBUTIONS[name].compares:
                refused[name] = "The samples are what stands for absent features, as the mean of one sample is; give a baseline."
                continue
            try:
                measured[name] = tuple(measure(name, question.about(*_one(flat, target, n))) for n in range(len(flat)))
            except InvalidInput as error:  # seen by the values themselves
                refused[name] = str(error)
            except RuntimeError as error:
                if isinstance(error, torch.OutOfMemoryError):
                    raise
                refused[name] = f"The net cannot be differentiated as the method asks for ({shortened(error)})."
    return Attributions(measured, target.numpy(), refused, samples.numpy())


class _Through(nn.Module):
    """A net whose logits are taken from its answer."""

    def __init__(self, net: nn.Module, forward: Forward) -> None:
        super().__init__()
        self.net, self.take = net, forward

    def forward(self, x: Tensor) -> Tensor:
        return self.take(self.net, x)


def _on_cpu(net: nn.Module, x: Tensor, forward: Forward | None) -> nn.Module:
    if not isinstance(net, nn.Module):
        raise InvalidInput(f"attributions hook into modules; give a torch.nn.Module, not {type(net).__name__}.")
    check_weights([*net.parameters(), *net.buffers()])
    if isinstance(net, Stack):
        return copy.deepcopy(net).cpu()
    net = getattr(net, "_orig_mod", net)  # what torch.compile made of it takes no hooks
    try:
        own = copy_of(net)
    except InvalidInput:  # it may hold a part of its last answer's graph, as torch.nn.utils.weight_norm does
        log_probabilities(net, x[:1], forward=forward)
        own = copy_of(net)
    own = own.cpu().eval()
    for module in own.modules():  # which change gradients, and not what the net says
        for hooks in ("_backward_hooks", "_backward_pre_hooks"):
            vars(module).get(hooks, {}).clear()
    if any(weight.dtype in (torch.float16, torch.bfloat16) for weight in own.parameters()):
        own = own.float()
    return own if forward is None else _Through(own, forward)


def _classes(y: Any) -> Tensor:
    found = as_tensor(y, "The classes").detach().cpu()
    if found.is_floating_point() or found.dtype == torch.bool or found.is_complex():
        raise InvalidInput(f"y must hold whole numbers, the classes in question, not {found.dtype}.")
    return found.long()


def _one(flat: Tensor, target: Tensor, n: int) -> tuple[Tensor, Tensor]:
    return flat[n : n + 1], target[n : n + 1]
