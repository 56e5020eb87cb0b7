"""Chimeras for little data: superfeature m of training sample i_m, drawn independently for each m (METHOD 1.7).

There are N^M of them and none is ever kept. Chimera number j of a seed is a function of the seed and j, so a batch is
drawn when it is needed, on the device, and a run that resumes at batch s draws what it would have drawn.

log y_m depends on superfeature m alone. So what the explaining teacher says of a chimera is, superfeature by superfeature,
what it said of the donors, log y_m[i_m]: its targets are gathered from those of the training samples, without a forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ked.errors import InvalidInput
from ked.losses import Objective, SoftTarget, soften

_BLOCK = 4096  # chimeras whose donors are drawn together: a drawing is some 15 small operations, whatever its size
_GOLDEN, _FIRST, _SECOND = -0x61C8864680B583EB, -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15  # splitmix64's, as signed numbers
_BITS = 31  # of each random number that choose the donor; some donors come up more often by at most N / 2^31 of their share


def compose(x_donors: Tensor, groups: Sequence[Sequence[int]]) -> Tensor:
    """The chimera (D,) that takes superfeature m from row m of x_donors (M, D).

    Raises InvalidInput if there are not as many donors as groups, or the groups are no disjoint cover of the D features.
    """
    order = _order(groups, x_donors.shape[-1])
    if len(x_donors) != len(groups):
        raise InvalidInput(f"a chimera of {len(groups)} superfeatures needs as many donors, not {len(x_donors)}.")
    chimera = x_donors.new_empty(len(order))
    for donor, group in zip(x_donors, groups, strict=True):
        chimera[list(group)] = donor[list(group)]
    return chimera


class Draws:
    """Endless numbered draws of donors: those of a number depend on the replica's seed and it alone.

    Args:
        samples: N, how many there are to draw from.
        M: Superfeatures, each of which has a donor of its own.
        seeds: K seeds, one a replica.
        device: Where donors are wanted.
    """

    def __init__(self, samples: int, M: int, seeds: Sequence[int], device: torch.device | str = "cpu") -> None:
        if samples < 1:
            raise InvalidInput("chimeras need at least one sample to take superfeatures from; there is none.")
        self.sample_count = samples
        # A stream for each replica and superfeature: splitmix64 from a starting point that is itself well mixed.
        seeded = _mix(torch.tensor(list(seeds), device=device)[:, None] * _GOLDEN)
        self._keys = _mix(seeded + torch.arange(M, device=device) * _FIRST)[:, None]

    def __call__(self, first: int, count: int) -> Tensor:
        """(K, count, M) int64: which samples chimeras number first, first + 1, ... take their superfeatures from."""
        numbers = torch.arange(first + 1, first + count + 1, device=self._keys.device)[:, None]
        bits = (_mix(self._keys + numbers * _GOLDEN) >> (64 - _BITS)) & ((1 << _BITS) - 1)
        return (bits * self.sample_count) >> _BITS


class Chimeras:
    """An endless numbered stream of chimeras a replica; the donors of a number depend on the replica's seed and it alone.

    Args:
        x: (N, D) the donors, on the device where batches are wanted. One rearranged copy of it is kept, and nothing that
            grows with the number of chimeras.
        groups: M tuples of feature indices, a disjoint cover of range(D): those of the explaining teacher.
        seeds: K seeds, one a replica.
        order: (D,) the order in which a batch has the features, such as `SubnetStack.order`; x's own by default. The order
            of the groups (a KED net's) is free, any other costs a second pass over the batch.

    Attributes:
        donors: Which samples a chimera takes its superfeatures from (`Draws`).
    """

    def __init__(
        self, x: Tensor, groups: Sequence[Sequence[int]], seeds: Sequence[int], *, order: Tensor | None = None
    ) -> None:
        self.donors = Draws(len(x), len(groups), seeds, x.device)
        arranged = _order(groups, x.shape[-1])
        wanted = torch.arange(len(arranged)) if order is None else order.cpu()
        self.sample_count, self.feature_count = x.shape
        stops = list(accumulate((len(group) for group in groups), initial=0))
        self._slices = [slice(start, stop) for start, stop in pairwise(stops)]
        self._parts = [x.index_select(1, part.to(x.device)) for part in arranged.split([len(group) for group in groups])]
        same = torch.equal(wanted, arranged)
        self._columns = None if same else arranged.argsort().index_select(0, wanted).to(x.device)

    @property
    def count(self) -> int:
        """How many different chimeras there can be, N^M (the donors' own samples among them)."""
        return int(self.sample_count ** len(self._parts))

    def batches(self, count: int, batch_size: int, *, start: int = 0) -> Iterator[Tensor]:
        """Donors (K, B, M) of `count` chimeras from number `start` on, a batch at a time; the last may be smaller.

        The same numbers are the same chimeras: repeat `start` for another epoch on the same set, or move it for new ones.
        """
        block = max(_BLOCK // batch_size, 1) * batch_size
        for first in range(start, start + count, block):
            yield from self.donors(first, min(block, start + count - first)).split(batch_size, dim=1)

    def features(self, donors: Tensor, out: Tensor | None = None) -> Tensor:
        """The chimeras (K, B, D) of donors (K, B, M), in the wanted order; written to `out`, contiguous, where given."""
        flat = donors.flatten(0, 1)
        arranged = self._buffer(len(flat)) if out is None or self._columns is not None else out.view(len(flat), -1)
        for m, (part, columns) in enumerate(zip(self._parts, self._slices, strict=True)):
            # Each superfeature lies in memory of its own, so this reads whole rows: some 1.5 times a gather of whole samples,
            # where picking feature by feature would be ten times it.
            torch.index_select(part, 0, flat[:, m], out=arranged[:, columns])
        if self._columns is not None:
            result = self._buffer(len(flat)) if out is None else out.view(len(flat), -1)
            arranged = torch.index_select(arranged, 1, self._columns, out=result)
        chimeras: Tensor = arranged.unflatten(0, donors.shape[:2])
        return chimeras

    def _buffer(self, rows: int) -> Tensor:
        return self._parts[0].new_empty(rows, self.feature_count)


class ChimeraTargets(NamedTuple):
    """What a teacher says of a batch of K x B chimeras: hard labels, softened predictions, softened explanations.

    Attributes:
        y: (K, B) int64, the teacher's own prediction: a chimera has no true label.
        prediction: Over K * B rows, (K * B, 1, C).
        explanation: Over the same rows, (K * B, M, C); None from a black box.
    """

    y: Tensor
    prediction: SoftTarget
    explanation: SoftTarget | None

    @property
    def rows(self) -> Tensor:
        """(K, B): which row of the soft targets belongs to which chimera of the batch."""
        return torch.arange(self.y.numel(), device=self.y.device).view_as(self.y)

    def objective(self, weights: dict[str, float]) -> Objective:
        """The loss of this batch, of those terms that have a weight; take its terms with this batch's `y` and `rows`."""
        prediction = self.prediction if "prediction" in weights else None
        return Objective(weights, prediction, self.explanation if "explanation" in weights else None)


class ExplainingTeacher:
    """The explaining teacher of chimeras: a gather of what it said of the donors, exact, without a forward pass.

    Args:
        log_y: (N, M, C) its explanations of the donors.
        base: (C,) its base.
        temperature, tau: By which predictions and explanations are softened.
    """

    def __init__(self, log_y: Tensor, base: Tensor, temperature: float, tau: float) -> None:
        self.subnets, self.classes = log_y.shape[1:]
        self.log_y, self.base, self.temperature, self.tau = log_y.flatten(0, 1), base, temperature, tau
        softened = soften(log_y, tau)  # of one donor alone, so once for all chimeras; predictions mix donors and cannot be
        self._softened, self._negentropy = softened.probabilities.flatten(0, 1), softened.negentropy.flatten()

    def explanations(self, donors: Tensor) -> Tensor:
        """log y_m (..., M, C) of the chimeras of donors (..., M)."""
        return self.log_y.index_select(0, self._flat(donors)).view(*donors.shape, self.classes)

    def total(self, donors: Tensor) -> Tensor:
        """Total logits (..., C) = sum_m log y_m[i_m] - (M - 1) base of the chimeras of donors (..., M)."""
        return self.explanations(donors).sum(dim=-2) - (self.subnets - 1) * self.base

    def labels(self, donors: Tensor) -> Tensor:
        """(...) int64: the class that the explaining teacher gives to each chimera of donors (..., M)."""
        return self.total(donors).argmax(dim=-1)

    def __call__(self, donors: Tensor) -> ChimeraTargets:
        """Targets of the chimeras of donors (K, B, M)."""
        total, flat = self.total(donors), self._flat(donors)
        p = self._softened.index_select(0, flat).view(-1, self.subnets, self.classes)
        explanation = SoftTarget(p, self._negentropy.index_select(0, flat).view(-1, self.subnets), self.tau)
        return ChimeraTargets(total.argmax(dim=-1), _prediction(total, self.temperature), explanation)

    def _flat(self, donors: Tensor) -> Tensor:
        return (donors * self.subnets + torch.arange(self.subnets, device=donors.device)).flatten()


def black_box_targets(net: nn.Module | Callable[[Tensor], Tensor], x: Tensor, temperature: float) -> ChimeraTargets:
    """A black-box teacher's labels and softened predictions of chimeras x (K, B, D): a forward pass of all K * B.

    Args:
        net: From (B, D), features in the order of x, to logits or log-probabilities (B, C).
    """
    with torch.no_grad():
        total = net(x.flatten(0, 1)).unflatten(0, x.shape[:2])
    return ChimeraTargets(total.argmax(dim=-1), _prediction(total, temperature), None)


def _prediction(total: Tensor, temperature: float) -> SoftTarget:
    return soften(total.flatten(0, 1)[:, None], temperature)


def _order(groups: Sequence[Sequence[int]], features: int) -> Tensor:
    order = torch.tensor([i for group in groups for i in group], dtype=torch.int64)
    if not all(groups) or not torch.equal(order.sort().values, torch.arange(features)):
        raise InvalidInput(f"the {len(groups)} superfeatures must cover each of the {features} features exactly once.")
    return order


def _mix(bits: Tensor) -> Tensor:
    """splitmix64's output function (Steele, Lea and Flood 2014, doi 10.1145/2660193.2660195) on int64, which wraps around.

    The masks make torch's shifts, which carry the sign along, the logical ones that are meant.
    """
    bits = (bits ^ ((bits >> 30) & ((1 << 34) - 1))) * _FIRST
    bits = (bits ^ ((bits >> 27) & ((1 << 37) - 1))) * _SECOND
    return bits ^ ((bits >> 31) & ((1 << 33) - 1))
