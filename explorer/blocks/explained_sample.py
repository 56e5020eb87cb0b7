"""Who speaks about what: a sample, the class in question, and the explanations and answers of the nets that look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from explorer import cache
from explorer.state import session
from ked.data import Dataset
from ked.explanation import centre, coalition, contributions
from ked.methods import METHODS
from ked.nets.inference import explain, predict
from ked.store import Run

BESIDE = ("plain", "kd")  # black-box students whose answers stand beside every explanation


@dataclass(frozen=True)
class NetExplanation:
    """A net's own explanation of a sample: log y_m (M, C), base (C,), contributions centred over the classes (M, C)."""

    name: str
    log_y: np.ndarray
    base: np.ndarray
    phi: np.ndarray

    @staticmethod
    def of(name: str, log_y: np.ndarray, base: np.ndarray) -> NetExplanation:
        """With its contributions worked out."""
        phi = centre(contributions(torch.from_numpy(log_y), torch.from_numpy(base))).numpy()
        return NetExplanation(name, log_y, base, phi)

    def prediction(self, members: list[bool] | None = None) -> np.ndarray:
        """Class log-probabilities (C,) of a coalition, by default of all."""
        log_y, base = torch.from_numpy(self.log_y)[:, None], torch.from_numpy(self.base)
        return coalition(log_y, base, [True] * len(self.phi) if members is None else members)[0].numpy()


@dataclass(frozen=True)
class ExplainedSample:
    """What is explained: a sample, the class in question, and the nets that speak about it.

    Attributes:
        sample: The test sample's number; None for a picture or row that is none of the data set's, which has no `truth` either.
        label, against: The class in question, and the class that it is weighed against, -1 for none.
        members: The switches of the teacher's superfeatures.
        selected: The superfeature that is lit up, counted from 0.
        black_boxes: Net -> class log-probabilities (C,).
    """

    run: Run
    dataset: Dataset
    sample: int | None
    image: np.ndarray
    truth: int | None
    label: int
    against: int
    members: list[bool]
    selected: int | None
    teacher: NetExplanation
    student: NetExplanation | None
    black_boxes: dict[str, np.ndarray]

    @property
    def voices(self) -> list[NetExplanation]:
        """The teacher and, where it explains itself, the student."""
        return [self.teacher, *([self.student] if self.student else [])]

    @property
    def title(self) -> str:
        """The sample in a few words."""
        if self.sample is None or self.truth is None:
            return "Your picture" if self.dataset.is_image else "Your row"
        return f"{self.dataset.classes[self.truth]}, test sample {self.sample}"

    @property
    def unit(self) -> str:
        """What superfeatures are made of."""
        return "channels" if cache.convolutional(self.run) else "pixels" if self.dataset.is_image else "features"

    @property
    def question(self) -> str:
        """The class in question, and the class that it is weighed against, if any."""
        classes = self.dataset.classes
        return classes[self.label] + (f" rather than {classes[self.against]}" if self.against >= 0 else "")

    def evidence(self, voice: NetExplanation) -> np.ndarray:
        """(M,) what each of a net's superfeatures says for the class in question, less what it says for the other one."""
        column: np.ndarray = voice.phi[:, self.label]
        return column - voice.phi[:, self.against] if self.against >= 0 else column

    def members_of(self, voice: NetExplanation) -> list[bool]:
        """The switches of a net's superfeatures; a student with others than its teacher has none, so all of its are on."""
        return self.members if len(voice.phi) == len(self.members) else [True] * len(voice.phi)

    def selected_of(self, voice: NetExplanation) -> int | None:
        """The lit superfeature among a net's own; a student's are not the teacher's where their numbers differ."""
        return self.selected if len(voice.phi) == len(self.members) else None

    def groups_of(self, voice: NetExplanation) -> tuple[tuple[int, ...], ...]:
        """The features of each of a net's superfeatures."""
        return self.run.superfeatures("teacher" if voice is self.teacher else "student").groups


def subject(run: Run) -> ExplainedSample:
    """The test sample that the settings name."""
    k, method, dataset = session.get("replica"), session.get("student"), cache.dataset_of(run)
    x, y = dataset.part("test")
    sample = min(session.get("sample"), len(y) - 1)
    boxes = {
        name: cache.test_predictions(run, name, 0 if name == "teacher" else k)[sample]
        for name in _black_boxes(run, method)
    }
    teacher = NetExplanation.of("explaining", *cache.explanation(run, "explaining", 0, sample))
    student = NetExplanation.of(method, *cache.explanation(run, method, k, sample)) if _speaks(method) else None
    asked = _asked(dataset, teacher)
    return ExplainedSample(
        run, dataset, sample, x[sample].numpy(), int(y[sample]), **asked, teacher=teacher, student=student, black_boxes=boxes
    )


def about(run: Run, x: np.ndarray) -> ExplainedSample:
    """A picture or row x (D,) that is none of the data set's."""
    k, method, dataset = session.get("replica"), session.get("student"), cache.dataset_of(run)
    boxes = {name: answers(run, name, x[None], 0 if name == "teacher" else k)[0] for name in _black_boxes(run, method)}
    teacher = voice(run, "explaining", x, 0)
    student = voice(run, method, x, k) if _speaks(method) else None
    return ExplainedSample(run, dataset, None, x, None, **_asked(dataset, teacher), teacher=teacher, student=student, black_boxes=boxes)


def voice(run: Run, which: str, x: np.ndarray, k: int) -> NetExplanation:
    """What an explaining net's replica k says of x (D,)."""
    stack = cache.net(run, which)
    return NetExplanation.of(which, explain(stack, torch.from_numpy(x)[None])[k, :, 0].numpy(), stack.base.numpy())


def answers(run: Run, which: str, x: np.ndarray, k: int) -> np.ndarray:
    """Class log-probabilities (B, C) of a net's replica k on x (B, D)."""
    return predict(cache.net(run, which), torch.from_numpy(x))[k].numpy()


def _speaks(method: str) -> bool:
    return METHODS[method].net == "ked"


def _black_boxes(run: Run, method: str) -> list[str]:
    """The teacher and the black-box students whose answers are shown: the chosen one, and the usual ones of the run."""
    students = [name for name in METHODS if name in (method, *BESIDE) and not _speaks(name) and run.has(f"student-{name}")]
    return ["teacher", *students]


def _asked(dataset: Dataset, teacher: NetExplanation) -> dict[str, Any]:
    """What is asked about a sample: classes, switches, the lit superfeature."""
    M, C = len(teacher.phi), dataset.class_count
    answer = int(teacher.prediction().argmax())
    label = session.get("label") if 0 <= session.get("label") < C else answer
    against = session.get("against") if session.get("against") < C and session.get("against") != label else -1
    lit = session.get("selected")
    return {"label": label, "against": against, "members": switches(M), "selected": lit - 1 if 1 <= lit <= M else None}


def switches(M: int) -> list[bool]:
    """Which of M superfeatures take part; all of them where the address speaks of another number."""
    text = session.get("coalition")
    return [digit == "1" for digit in text] if len(text) == M else [True] * M
