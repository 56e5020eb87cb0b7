"""Agreement and fidelity over a whole test set: one pass, a chunk at a time, so that memory does not grow with what nets say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ked.agreements.class_means import ClassMeans
from ked.agreements.map_measures import ALL, map_measures
from ked.agreements.measures import FIDELITY, MEASURES, Measure
from ked.agreements.outputs import NetOutputs, outputs_heard, outputs_of
from ked.agreements.ranking import top
from ked.errors import InvalidInput, quoted
from ked.heard import Heard
from ked.matching import Matching
from ked.nets.stack import Stack
from ked.showing import figure

if TYPE_CHECKING:
    from pandas import DataFrame

NUMBERS = 1 << 20  # that a chunk's explanations may have: few enough for the caches, many enough for torch

Values = np.ndarray


@dataclass(frozen=True)
class Survey:
    """How K students compare with their teacher on N samples.

    Attributes:
        samples: Measure -> (K, N), float32; of explanations (where there are any) and of predictions. "beyond" (the class mean) is NaN
            for a sample that is alone in its class.
        chance: Measure -> (K, N): the same students, but the teacher speaks of another sample, drawn once for all students. So every
            net keeps its habits, and what is left is what any explanation shares with any other.
        alike: Measure -> (K, N): the same, but the other sample is one of the same class, so what an explanation shares with any other
            of its class; NaN for a sample that is alone in its class. Only what agrees beyond this is about the sample itself.
        cells: Measure -> (K, P, C) mean over the samples of a class, of each pair of superfeatures; only measures with such a form.
        correct: (K, N) whether the student is right.
        labels: (N,) true classes.
        pairs: Which of the student's superfeatures was compared with which of the teacher's; None for a black box.
        tau: What explanations were softened by.
    """

    samples: dict[str, Values]
    chance: dict[str, Values]
    alike: dict[str, Values]
    cells: dict[str, Values]
    correct: Values
    labels: Values
    pairs: Matching | None
    tau: float

    @property
    def superfeatures(self) -> tuple[int, ...]:
        """The teacher's numbers of the compared superfeatures."""
        return self.pairs.teachers if self.pairs else ()

    @property
    def k(self) -> int:
        """How many superfeatures count as the most important ones."""
        return top(len(self.superfeatures))

    def mean(self, name: str) -> Values:
        """A measure's mean over the samples, (K,), without those that have none."""
        return _mean(self.samples[name])

    def chance_mean(self, name: str) -> Values:
        """Its mean where the teacher speaks of another sample, (K,)."""
        return _mean(self.chance[name])

    def alike_mean(self, name: str) -> Values:
        """Its mean where the teacher speaks of another sample of the same class, (K,); NaN where no class has two samples."""
        return _mean(self.alike[name])

    def exact_chance(self, name: str) -> float | None:
        """Its mean for independent explanations, where there is a formula."""
        formula = ALL[name].chance
        return None if formula is None else formula(len(self.superfeatures), self.k)

    def by_class(self, name: str) -> Values:
        """(K, C) mean over the samples of each true class; NaN for a class without samples."""
        return _class_means(self.samples[name], self.labels, self._classes)

    def by_superfeature(self, name: str) -> Values:
        """(K, P) mean over all samples, of each pair of superfeatures."""
        cells = self.cells[name]
        counts = np.where(np.isnan(cells), 0, np.bincount(self.labels, minlength=self._classes))
        with np.errstate(invalid="ignore"):
            means: Values = np.nansum(cells * counts, axis=-1) / counts.sum(axis=-1)
        return means

    def least(self, name: str) -> float | None:
        """The mean of the superfeature that agrees least; None where a measure has no such form."""
        if name not in self.cells:
            return None
        means = self.by_superfeature(name).mean(axis=0)
        return float(means.min() if ALL[name].more_is_better else means.max())

    def to_frame(self) -> DataFrame:
        """A table with a row for each measure: its mean over samples and seeds, three chance levels, its value for equal nets, its unit.

        `least` is the mean of the superfeature that agrees least, which a high mean of all can hide.

        `chance` is the mean where the teacher speaks of another sample, `alike` where it speaks of another one of the same class,
        `independent` that of independent explanations, where there is a formula.
        """
        from pandas import DataFrame

        rows = {
            name: {
                "measure": ALL[name].label,
                "value": float(self.mean(name).mean()),
                "least": self.least(name),
                "chance": float(self.chance_mean(name).mean()),
                "alike": float(self.alike_mean(name).mean()),
                "independent": self.exact_chance(name) if self.pairs else None,
                "best": ALL[name].best,
                "unit": ALL[name].unit,
            }
            for name in self.samples
        }
        return DataFrame.from_dict(rows, orient="index")

    def plot(self, measure: str = "cosine") -> Any:
        """The app's figure (plotly) of one measure over the samples."""
        if measure not in self.samples:
            raise InvalidInput(f"there is no measure {quoted(measure)} here; choose one of {', '.join(self.samples)}.")
        return figure("agreement", self, measure)

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html())

    @property
    def _classes(self) -> int:
        return max((cells.shape[-1] for cells in self.cells.values()), default=int(self.labels.max()) + 1)


@torch.no_grad()
def survey(
    student: Stack | Heard,
    teacher: Stack | Heard,
    x: Tensor | None,
    y: Tensor,
    *,
    pairs: Matching | None,
    tau: float,
    shape: Sequence[int] = (),
    maps: Sequence[str] = (),
    seed: int = 0,
    chunk: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Survey:
    """Compare K students with their explaining teacher on samples x (N, D) with labels y (N,).

    Args:
        student: A replica a seed; or what was heard of such nets.
        teacher: Of one replica; or what was heard of it.
        x: What nets are asked about; what was heard needs none.
        pairs: Superfeatures that answer to each other (`ked.runs.build_nets.matching`); None for black boxes, which have no explanations
            of their own, so that only their answers are compared.
        tau: What explanations are softened by.
        shape: How a sample is laid out, (H, W), (channels, H, W) or (D,), where maps are compared.
        maps: Which maps over the input are compared too, of "own" and "gradient"; each takes longer than all else together.
        seed: Decides which other sample stands for chance.
        chunk: Samples at a time; by default so many that memory stays bounded. No result depends on it.
        progress: Called with the finished share, 0 to 1.

    Raises:
        InvalidInput: There is no sample, or maps are asked of what was only heard.
    """
    if not len(y):
        raise InvalidInput("agreement needs at least one sample, and there is none.")
    for name, net in (("student", student), ("teacher", teacher)):
        if isinstance(net, Heard) and (maps or net.log_p.shape[1] != len(y)):
            raise InvalidInput(f"the {name} was heard, not given as a net: it has no maps, and needs an answer for each sample.")
    mapped = map_measures(shape, maps, explains=pairs is not None) if maps else {}
    table = (MEASURES if pairs else {}) | mapped | FIDELITY
    own, its = (pairs.students, pairs.teachers) if pairs else (None, None)
    numbers = student.replicas * max(len(student.groups) * student.classes, x.shape[1] if mapped and x is not None else 0)
    through = min(net.chunk for net in (student, teacher, Stack) if not isinstance(net, Heard))  # at once, as nets answer elsewhere
    size = chunk or max(1, min(through, NUMBERS // numbers))
    tally, others = _Tally(table, student, len(y)), another(len(y), seed).to(y.device)
    like = another_alike(y.cpu(), seed).to(y.device)
    chunks = torch.arange(len(y), device=y.device).split(size)
    means = ClassMeans(student.classes)
    for rows in chunks if pairs else ():
        means.add(_said(teacher, x, rows, tau, its).phi[0], y[rows])
    for rows in chunks:
        theirs, elsewhere, alike = (_said(teacher, x, drawn, tau, its, shape=shape) for drawn in (rows, others[rows], like[rows]))
        if pairs:
            for said, drawn in ((theirs, rows), (elsewhere, others[rows]), (alike, like[rows])):
                said.usual = means.of_others(said.phi[0], y[drawn])
        mine = _said(student, x, rows, tau, own, theirs.asked, shape)
        tally.add(rows, mine, theirs, elsewhere, alike, y[rows], alone=like[rows] == rows)
        if progress:
            progress(min(1.0, (int(rows[-1]) + 1) / len(y)))
    return tally.survey(y, pairs, tau)


def _said(
    net: Stack | Heard,
    x: Tensor | None,
    rows: Tensor,
    tau: float,
    superfeatures: Sequence[int] | None,
    asked: Tensor | None = None,
    shape: Sequence[int] = (),
) -> NetOutputs:
    if isinstance(net, Heard):
        return outputs_heard(net, rows, tau, superfeatures, asked)
    assert x is not None, "a net is asked about samples"
    return outputs_of(net, x[rows], tau, superfeatures, asked, shape)


def another(count: int, seed: int) -> Tensor:
    """For each of `count` samples another one, drawn with the seed, each taken once; a single sample has only itself. (count,)"""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    others = torch.empty_like(order)
    others[order] = order.roll(-1)  # along one cycle through all samples, so that none meets itself
    return others


def another_alike(y: Tensor, seed: int) -> Tensor:
    """For each sample another one of its class (N,), drawn with the seed, each taken once; one that is alone in its class has itself."""
    others = torch.empty_like(y)
    for c in y.unique():
        members = torch.nonzero(y == c).flatten()
        others[members] = members[another(len(members), seed)]
    return others


class _Tally:
    """What a survey knows after some of its chunks."""

    def __init__(self, table: dict[str, Measure], student: Stack | Heard, samples: int) -> None:
        self._table, K = table, student.replicas
        self._samples = {name: np.empty((K, samples), np.float32) for name in table}
        self._chance = {name: np.empty((K, samples), np.float32) for name in table}
        self._alike = {name: np.empty((K, samples), np.float32) for name in table}
        self._correct = np.empty((K, samples), bool)
        self._classes = torch.eye(student.classes, dtype=torch.float64, device=student.base.device)
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor] = {}

    def add(
        self, rows: Tensor, mine: NetOutputs, theirs: NetOutputs, elsewhere: NetOutputs, alike: NetOutputs, y: Tensor, *, alone: Tensor
    ) -> None:
        """Take in what is said of the samples numbered rows (B,); `alone`: whether there is no other of the class."""
        place, members, single = slice(int(rows[0]), int(rows[-1]) + 1), self._classes[y], alone.cpu().numpy()
        for name, measure in self._table.items():
            whole, each = measure.compare(mine, theirs)
            self._samples[name][:, place] = whole.cpu().numpy()
            self._chance[name][:, place] = measure.compare(mine, elsewhere).whole.cpu().numpy()
            self._alike[name][:, place] = np.where(single, np.nan, measure.compare(mine, alike).whole.cpu().numpy())
            if each is not None:
                there = ~each.isnan().any(dim=1).any(dim=0)
                for found, values in ((self._sums, each.nan_to_num(0).to(members)), (self._counts, there.to(members))):
                    found[name] = values @ members + found.get(name, 0)
        self._correct[:, place] = (mine.answers == y).cpu().numpy()

    def survey(self, y: Tensor, pairs: Matching | None, tau: float) -> Survey:
        """The whole, when all chunks are in."""
        cells = {name: (sums / self._counts[name]).cpu().numpy() for name, sums in self._sums.items()}  # NaN for a class without samples
        return Survey(self._samples, self._chance, self._alike, cells, self._correct, y.cpu().numpy(), pairs, tau)


def _mean(values: Values) -> Values:
    """(K,) mean over the samples (K, N) that have a value; NaN where none has."""
    there = ~np.isnan(values).any(axis=0)
    if not there.any():
        return np.full(len(values), np.nan)
    return np.asarray(values[:, there].mean(axis=1, dtype=np.float64))


def _class_means(values: Values, labels: Values, classes: int) -> Values:
    counts = np.bincount(labels, minlength=classes).astype(float)
    sums = np.stack([np.bincount(labels, weights=row, minlength=classes) for row in values])
    with np.errstate(invalid="ignore"):
        means: Values = sums / counts
    return means
