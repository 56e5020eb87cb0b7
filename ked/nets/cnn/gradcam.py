"""What each branch of a convolutional net looks at: Grad-CAM at the split (arXiv 1610.02391, METHOD 1.5).

The target of branch m and class c is log y_m[c] less its mean over the classes, which is the branch's contribution phi_m[c] as
it is shown everywhere, up to a constant. It is also the branch's logit less the mean logit. log y_m[c] itself would not do: it
saturates, so that a branch that is sure of a class would look at nothing. Neither would the bare logit: a shift that all
classes share is free, so half of what it looks at may be for no class in particular.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ked.errors import InvalidInput
from ked.explanation import centre
from ked.nets.cnn.stack import ConvStack

EVIDENCE: dict[str, Callable[[Tensor], Tensor]] = {
    "for": torch.relu,
    "against": lambda signed: (-signed).relu(),
    "signed": lambda signed: signed,
}
"""What is kept of the weighted sum of channels: the paper's ReLU, its counterfactual, or both with their signs."""


def grad_cam(
    stack: ConvStack,
    x: Tensor,
    k: int = 0,
    *,
    classes: Sequence[int] | None = None,
    against: int | None = None,
    evidence: str = "for",
    density: bool = False,
) -> Tensor:
    """Maps (B, M, len(classes), H, W) over the picture, of every branch's own channels at the split.

    The gradient of branch m's centred log y_m[c], averaged over the map, weighs the channels of group m; their sum is cut as
    `evidence` says and stretched bilinearly to the picture. Branches do not share channels, so that one backward pass gives
    all M of them.

    Args:
        stack: A convolutional net; the plain form has one branch, which looks at the trunk's map.
        x: (B, D) samples.
        k: The replica.
        classes: Which classes; all C by default, each of which takes a backward pass.
        against: A class that they are weighed against: the target is then log y_m[c] - log y_m[against], which is linear in the
            two classes' targets, and so are the signed maps.
        evidence: A key of `EVIDENCE`.
        density: Whether to count in nats per whole map: the maps are then multiplied by the pixels of the map at the split,
            so that nets that split maps of different sizes can share a scale.

    Raises:
        InvalidInput: For a class that the net does not know, or an unknown kind of evidence.
    """
    chosen = range(stack.classes) if classes is None else classes
    named = [*chosen, *([] if against is None else [against])]
    if any(not 0 <= c < stack.classes for c in named):
        raise InvalidInput(f"classes {named} are not allowed: the net knows the classes 0 to {stack.classes - 1}.")
    if evidence not in EVIDENCE:
        raise InvalidInput(f"evidence {evidence!r} is unknown; use one of {', '.join(EVIDENCE)}.")
    one = stack.replica(k).eval()
    wanted = _wanted(stack.classes, chosen, against).to(x)[:, None].expand(-1, len(x), -1)
    return _maps(one, x, wanted, evidence, density)


def grad_cam_of(stack: ConvStack, x: Tensor, target: Tensor, k: int = 0) -> Tensor:
    """Signed maps (B, M, H, W) for each sample's own class, target (B,): one backward pass for all of them."""
    wanted = nn.functional.one_hot(target, stack.classes).to(x)
    return _maps(stack.replica(k).eval(), x, wanted[None], "signed", density=False)[:, :, 0]


def branch_sums(stack: ConvStack, x: Tensor, k: int = 0) -> Tensor:
    """What Grad-CAM finds for each branch and class, summed over the map at the split: (B, M, C), in nats, both signs kept.

    Args: as of `grad_cam`; of all classes, without stretching to the picture.
    """
    one, each = stack.replica(k).eval(), torch.eye(stack.classes).to(x)[:, None]
    parts = [_weighted(one, part, each.expand(-1, len(part), -1), density=False) for part in x.split(one.chunk)]
    return torch.cat([part.sum(dim=(-2, -1)) for part in parts])


def _wanted(count: int, classes: Sequence[int], against: int | None) -> Tensor:
    """(len(classes), C) by how much each log y_m[c] counts in a target."""
    wanted = torch.eye(count)[list(classes)]
    return wanted if against is None else wanted - torch.eye(count)[against]


def _maps(one: ConvStack, x: Tensor, wanted: Tensor, evidence: str, density: bool) -> Tensor:
    """Maps (B, M, n, H, W) of a net with one replica, for targets that are mixed of classes as wanted (n, B, C) says."""
    parts = zip(x.split(one.chunk), wanted.split(one.chunk, dim=1), strict=True)
    cut = [EVIDENCE[evidence](_weighted(one, part, mixed, density)) for part, mixed in parts]
    return torch.cat([_stretched(part, one.shape[-2:]) for part in cut])


def _weighted(one: ConvStack, x: Tensor, wanted: Tensor, density: bool) -> Tensor:
    """The signed sums of channels at the split, (B, M, n, H', W'), of a net with one replica."""
    with torch.no_grad():
        groups = one.split(one.arrange(x))[0]  # (M, B, f, H', W')
    sums = []
    with torch.enable_grad():
        leaf = groups.detach().requires_grad_()
        log_y = centre(one.from_split(leaf[None])[0][0].transpose(-1, -2))  # (M, B, C)
        for mixed in wanted:
            (slope,) = torch.autograd.grad((log_y * mixed).sum(), leaf, retain_graph=True)
            weights = slope.sum(dim=(-2, -1)) if density else slope.mean(dim=(-2, -1))
            sums.append(torch.einsum("mbf,mbfhw->bmhw", weights, groups))
    return torch.stack(sums, dim=2)


def _stretched(maps: Tensor, sides: Sequence[int]) -> Tensor:
    """(B, M, n, H, W) of (B, M, n, H', W')."""
    flat = nn.functional.interpolate(maps.flatten(0, 1), size=tuple(sides), mode="bilinear", align_corners=False)
    stretched: Tensor = flat.unflatten(0, maps.shape[:2])
    return stretched


def class_averages(stack: ConvStack, x: Tensor, y: Tensor, k: int = 0, *, classes: Sequence[int], samples: int = 50) -> Tensor:
    """Where each branch finds what speaks for a class, on average over the class's own samples: (len(classes), M, H, W).

    Args:
        stack: A convolutional net.
        x: (N, D) samples.
        y: (N,) their classes.
        k: The replica.
        classes: Which classes; one without samples has maps of NaN.
        samples: So many of a class count, the first ones.
    """
    own = [grad_cam(stack, x[y == c][:samples], k, classes=[c]) for c in classes]
    return torch.stack([maps[:, :, 0].mean(dim=0) for maps in own])
