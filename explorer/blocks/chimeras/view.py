"""A sample, the chimera that is made of it by hand, and what every net says of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from explorer import cache
from explorer.blocks import explained_sample
from explorer.blocks.explained_sample import NetExplanation
from explorer.state import session
from explorer.words import chimeras
from ked.chimeras import Draws
from ked.data import Dataset
from ked.methods import METHODS
from ked.store import Run
from ked.what_if import BLUR, SELF, Donor, assemble, replaced


@dataclass(frozen=True)
class View:
    """A sample, the chimera made of it, and what is said of both.

    Attributes:
        groups: The features of each superfeature, the teacher's.
        donors, new: A donor a superfeature, and whether it is another than the sample itself.
        pair: (2, D) the sample and the chimera.
        label: The class in question.
        teacher, student: What an explaining net says of the two; no student where it is a black box.
        answers: Net -> (2, C) class log-probabilities, of the teachers and all students of the run.
    """

    run: Run
    dataset: Dataset
    sample: int
    groups: tuple[tuple[int, ...], ...]
    donors: tuple[Donor, ...]
    new: tuple[bool, ...]
    pair: np.ndarray
    label: int
    teacher: tuple[NetExplanation, NetExplanation]
    student: tuple[NetExplanation, NetExplanation] | None
    answers: dict[str, np.ndarray]

    @property
    def selected(self) -> int | None:
        """The superfeature that is lit up, counted from 0."""
        m = session.get("selected") - 1
        return m if 0 <= m < len(self.groups) else None

    @property
    def names(self) -> list[str]:
        """Superfeatures with their donors."""
        return [
            f"{m + 1} ← {chimeras.short(donor)}" if new else f"{m + 1}"
            for m, (donor, new) in enumerate(zip(self.donors, self.new, strict=True))
        ]

    @property
    def comparable(self) -> bool:
        """Whether the student's superfeatures are the teacher's."""
        return self.student is not None and self.run.superfeatures("student").groups == self.groups


def look_at(run: Run) -> View:
    """Gather it from the settings."""
    k, method = session.get("replica"), session.get("student")
    dataset, groups = cache.dataset_of(run), run.superfeatures().groups
    x, _ = dataset.part("test")
    sample = min(session.get("sample"), len(x) - 1)
    donors = _donors(run, dataset, sample, len(groups))
    mean = torch.from_numpy(cache.mean_image(run)[0])
    pair = torch.stack([x[sample], assemble(x, sample, donors, groups, mean=mean, shape=dataset.shape)]).numpy()
    teacher = _heard(run, "explaining", pair, 0)
    seeds = {"explaining": 0, "teacher": 0} | {name: k for name in METHODS if run.has(f"student-{name}")}
    answers = {name: explained_sample.answers(run, name, pair, seed) for name, seed in seeds.items()}
    student = _heard(run, method, pair, k) if METHODS[method].net == "ked" else None
    label = session.get("label") if 0 <= session.get("label") < dataset.class_count else int(answers["explaining"][0].argmax())
    return View(run, dataset, sample, groups, donors, replaced(donors, sample), pair, label, teacher, student, answers)


def _heard(run: Run, which: str, pair: np.ndarray, k: int) -> tuple[NetExplanation, NetExplanation]:
    return explained_sample.voice(run, which, pair[0], k), explained_sample.voice(run, which, pair[1], k)


def _donors(run: Run, dataset: Dataset, sample: int, M: int) -> tuple[Donor, ...]:
    """Those of the address, where it has one for each superfeature and they are there; else what decides most is another sample's."""
    text, count = session.get("donors"), len(dataset.part("test")[1])
    chosen = chimeras.parse(text) if text else ()
    known = all(donor < count if isinstance(donor, int) else donor != BLUR or dataset.is_image for donor in chosen)
    if len(chosen) == M and known:
        return chosen
    voice = NetExplanation.of("explaining", *cache.explanation(run, "explaining", 0, sample))
    most = int(voice.phi[:, voice.prediction().argmax()].argmax())
    return tuple(drawn(count, M, 0)[m] if m == most else SELF for m in range(M))


def drawn(count: int, M: int, number: int) -> list[int]:
    """A numbered draw of M donors among so many samples, the same for everyone."""
    drawn: list[int] = Draws(count, M, [0])(number, 1)[0, 0].tolist()
    return drawn


def put(donors: list[Donor]) -> None:
    """Let these be the donors."""
    session.put(donors=",".join(map(str, donors)))
