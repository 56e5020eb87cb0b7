"""What if a superfeature said something else: a chimera put together by hand around one sample (METHOD 1.7).

log y_m of an explaining net depends on the features of superfeature m alone, so of its contributions only those of
superfeatures whose content was replaced can change. A black box promises nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from ked.chimeras import compose
from ked.errors import InvalidInput, quoted

SELF, MEAN, BLUR = "self", "mean", "blur"
Donor = int | str
"""Where a superfeature's content comes from: the sample itself, the training mean, the sample blurred, or another sample's number."""

_BLUR = 1 / 8  # standard deviation of the blur, as a share of the picture's shorter side


def assemble(
    x: Tensor, sample: int, donors: Sequence[Donor], groups: Sequence[Sequence[int]], *, mean: Tensor, shape: Sequence[int]
) -> Tensor:
    """The chimera (D,) around one sample: superfeature m from donor m.

    Args:
        x: (N, D) the samples that may be donors.
        sample: Which of them it starts from.
        donors: M donors.
        groups: M tuples of feature indices, a disjoint cover of range(D).
        mean: (D,) the mean over the training samples.
        shape: How a row of x is laid out; only pictures can be blurred.

    Raises:
        InvalidInput: There is no such donor, or not one for each superfeature.
    """
    return compose(torch.stack([_content(x, sample, donor, mean, shape) for donor in donors]), groups)


def replaced(donors: Sequence[Donor], sample: int) -> tuple[bool, ...]:
    """For each superfeature whether its content comes from elsewhere; a sample is no other donor to itself."""
    return tuple(donor not in (SELF, sample) for donor in donors)


def blurred(x: Tensor, shape: Sequence[int]) -> Tensor:
    """A picture (D,) of this shape after a Gaussian blur of an eighth of its shorter side; edges count on beyond the picture."""
    if len(shape) < 2:
        raise InvalidInput("a table's row cannot be blurred, as its features have no neighbours; take the mean or another sample.")
    width = min(shape[-2:]) * _BLUR
    picture = x.reshape(*shape).double().numpy()
    soft = gaussian_filter(picture, sigma=(0.0,) * (len(shape) - 2) + (width, width), mode="nearest")
    return torch.from_numpy(soft).to(x).flatten()


def moved(before: Tensor, after: Tensor) -> Tensor:
    """How much probability went from some classes to others, 0 to 1, (...) of log-probabilities (..., C)."""
    return (before.exp() - after.exp()).abs().sum(dim=-1) / 2


def _content(x: Tensor, sample: int, donor: Donor, mean: Tensor, shape: Sequence[int]) -> Tensor:
    if isinstance(donor, int):
        if not 0 <= donor < len(x):
            raise InvalidInput(f"there is no sample {donor} to take a superfeature from; they are numbered 0 to {len(x) - 1}.")
        return x[donor]
    known = {SELF: lambda: x[sample], MEAN: lambda: mean, BLUR: lambda: blurred(x[sample], shape)}
    if donor not in known:
        raise InvalidInput(f"{quoted(donor)} is no donor; use a sample's number or one of {', '.join(known)}.")
    return known[donor]()
