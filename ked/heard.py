"""What nets said of some samples, kept in place of the nets: for nets that are not ours, or that are not there any more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from ked.communities.groups import Superfeatures
from ked.dependency.samples import as_tensor
from ked.errors import InvalidInput, Unavailable
from ked.explaining import BATCH, Explains, Forward, asking, checked_base, explanations, log_predictions, log_probabilities
from ked.explanation import full
from ked.nets.inference import explain, predict
from ked.nets.stack import Stack
from ked.nets.weights import HEARD, load_stack, read_tensors


@dataclass(frozen=True, eq=False)
class Heard:
    """What K nets of one kind said of N samples; it stands where a net stands as long as nothing new is asked.

    Attributes:
        log_p: (K, N, C) predicted class log-probabilities.
        log_y: (K, M, N, C) explanations; of black boxes log_p, M = 1.
        base: (C,).
        groups: M groups of features, or channels; one of all for black boxes.
        of_channels: Whether groups are of the nets' own channels, which no other net shares.
    """

    log_p: Tensor
    log_y: Tensor
    base: Tensor
    groups: tuple[tuple[int, ...], ...]
    of_channels: bool = False

    @property
    def replicas(self) -> int:
        """K."""
        return len(self.log_p)

    @property
    def classes(self) -> int:
        """C."""
        return self.log_p.shape[-1]

    @property
    def speaks(self) -> bool:
        """Whether the nets have explanations of their own."""
        return len(self.groups) > 1


def heard(nets: Any, x: Any, *, forward: Forward | None = None, batch: int = BATCH) -> Heard:
    """Ask nets about samples, in eval mode and without gradients; they are left as they were, and the answers lie on the CPU.

    Args:
        nets: One net, or several of one kind (one a seed): explaining nets (`ked.Explains`), or any modules from samples to logits; what
            was heard already stays as it is.
        x: (N, D) or (N, *shape), a tensor, an array or a DataLoader.
        forward: From a net and samples to logits, where a net's answer is something else.
        batch: Samples at a time.

    Raises:
        InvalidInput: A net's answer is not as it should be, or the nets speak of different superfeatures.

    >>> from ked.nets import SubnetStack
    >>> told = heard(SubnetStack([(0, 1), (2,)], [4], classes=3), torch.zeros(5, 3))
    >>> told.log_y.shape, told.speaks
    (torch.Size([1, 2, 5, 3]), True)
    """
    if isinstance(nets, Heard):
        return nets
    several = list(nets) if isinstance(nets, Sequence) else [nets]
    if not several:
        raise InvalidInput("a net is missing: the list of nets is empty.")
    parts = [_of_one(net, x, forward, batch) for net in several]
    if len({(part.groups, part.classes) for part in parts}) > 1:
        raise InvalidInput("nets of one kind must have the same superfeatures and classes, and these have different ones.")
    first = parts[0]
    log_p, log_y = (torch.cat(said) for said in zip(*((part.log_p.cpu(), part.log_y.cpu()) for part in parts), strict=True))
    return Heard(log_p, log_y, first.base.cpu(), first.groups, first.of_channels)


def heard_explanations(log_y: Any, base: Any = None, groups: Sequence[Sequence[int]] | None = None, name: str = "log_y") -> Heard:
    """The same from explanations log y_m (N, M, C) themselves; without a base contributions are measured from equal probabilities."""
    said = full(torch.as_tensor(log_y).detach().cpu())
    if said.ndim != 3 or 0 in said.shape or not bool(said.isfinite().all()):
        raise InvalidInput(f"{name} must hold finite log-probabilities of shape (N, M, C), not {tuple(said.shape)}.")
    if not bool((said.logsumexp(dim=-1).abs() < 1e-2).all()):
        raise InvalidInput(f"{name} does not sum to one as probabilities: take log_softmax over the classes.")
    C = said.shape[2]
    its = -torch.tensor(float(C)).log().expand(C).to(said) if base is None else checked_base(base).to(said)
    if len(its) != C:
        raise InvalidInput(f"{name} speaks of {C} classes, but base has {len(its)}.")
    members = tuple((m,) for m in range(said.shape[1])) if groups is None else tuple(tuple(group) for group in groups)
    return Heard(log_predictions(said, its)[None], said.transpose(0, 1)[None], its, members)


def _of_one(net: Any, x: Any, forward: Forward | None, batch: int) -> Heard:
    if isinstance(net, Stack):  # all its replicas at once, as runs ask it
        flat = as_tensor(x).flatten(1).to(net.base)
        with asking(net):
            return Heard(predict(net, flat), explain(net, flat), net.base.detach(), net.groups, net.of_channels)
    if isinstance(net, Explains):
        log_y = explanations(net, x, batch=batch)
        groups, channels = tuple(tuple(group) for group in net.groups), bool(getattr(net, "of_channels", False))
        return Heard(log_predictions(log_y, net.base)[None], log_y.transpose(0, 1)[None], net.base.detach(), groups, channels)
    log_p = log_probabilities(net, x, forward=forward, batch=batch)
    return Heard(log_p[None], log_p[None, None], torch.zeros_like(log_p[0]), ((0,),))


def save_heard(path: Path, said: Heard) -> None:
    """Write what was heard, as safetensors, where a run keeps its nets (`ked.record`)."""
    tensors = {"log_p": said.log_p, "base": said.base} | ({"log_y": said.log_y} if said.speaks else {})
    about = json.dumps({"groups": said.groups, "of_channels": said.of_channels})
    whole = {name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}
    path.write_bytes(save(whole, metadata={HEARD: about}))


def load_net(path: Path) -> Stack | Heard:
    """A stored net, or what was heard of one that was not kept; `Unavailable` if the file is missing or damaged."""
    tensors, metadata = read_tensors(path)
    if HEARD not in metadata:
        return load_stack(path)
    try:
        about, log_p = json.loads(metadata[HEARD]), tensors["log_p"]
        groups = tuple(tuple(int(member) for member in group) for group in about["groups"])
        said = Heard(log_p, tensors.get("log_y", log_p[:, None]), tensors["base"], groups, about["of_channels"] is True)
        K, N, C = log_p.shape
        fits = said.log_y.shape == (K, len(groups), N, C) and said.base.shape == (C,) and min(K, N, C) > 0
        if not fits or not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
            raise ValueError("tensors that do not belong together")
        Superfeatures.checked(groups)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unavailable(f"{path.name} in {path.parent.name} is damaged; delete that run and record it again.") from error
    return said
