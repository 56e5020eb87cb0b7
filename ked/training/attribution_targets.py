"""Explanations made of attributions, in place of an explaining teacher's own: the targets of `ked-ig`, `ked-gradient`, `ked-gradcam`.

Of which teacher: of the black box, as it is what attributions are for where nobody has trained an explaining teacher; so its
students need none, and what they are to be compared with is `kd-architecture`, the same net with the same predictions. Grad-CAM
sums are of the explaining teacher, as a black box's channels fall into no groups that a student's branches could answer to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ked.group_sums import Sums, completed, gradient, integrated_gradients
from ked.nets.cnn.gradcam import branch_sums
from ked.nets.cnn.stack import ConvStack
from ked.nets.stack import Stack

CHUNK = 512  # samples at a time: M directions of each go through the net together

_OF_FEATURES: dict[str, Sums] = {"integrated-gradients": integrated_gradients, "gradient": gradient}


@dataclass(eq=False)
class Attributed:
    """What a teacher's attributions make of samples.

    Attributes:
        sums: From samples (B, D) to attributions summed over superfeatures (B, M, C).
        teacher: Of one replica.
        base: (C,) of the student.
        samples: The training samples (N, D).
    """

    sums: Callable[[Tensor], Tensor]
    teacher: Stack
    base: Tensor
    samples: Tensor
    _whole: Tensor | None = None

    @torch.no_grad()
    def of(self, x: Tensor, report: Callable[[float], object] = lambda share: None) -> Tensor:
        """Explanations log y_m (B, M, C) of samples (B, D), in chunks so that memory stays bounded; `report` hears the share done."""
        told = x.new_empty(0)
        for start in range(0, len(x), CHUNK):
            part = x[start : start + CHUNK]
            said = completed(self.sums(part), self.teacher(part)[0], self.base)
            told = told if start else said.new_empty(len(x), *said.shape[1:])
            told[start : start + len(part)] = said
            report((start + len(part)) / len(x))
        return told

    def whole(self, report: Callable[[float], object] = lambda share: None) -> Tensor:
        """The same of all training samples, (N, M, C); computed once, whatever temperatures and weights change afterwards."""
        if self._whole is None:
            self._whole = self.of(self.samples, report)
        return self._whole


def attributed(how: str, teacher: Stack, student: Stack, samples: Tensor) -> Attributed:
    """The explanations of a kind of attribution (`ked.methods.ATTRIBUTIONS`).

    Integrated gradients and gradients are summed over the student's own superfeatures, and begin at the mean training sample,
    as everywhere here (`ked.attribution.question`); Grad-CAM sums belong to the teacher's branches.
    """
    teacher.eval()
    if isinstance(teacher, ConvStack):
        return Attributed(partial(branch_sums, teacher), teacher, student.base, samples)
    baseline, over = samples.mean(dim=0), _OF_FEATURES[how]
    return Attributed(lambda x: over(_logits(teacher), x, baseline, student.groups), teacher, student.base, samples)


def _logits(teacher: Stack) -> Callable[[Tensor], Tensor]:
    return lambda x: teacher(x)[0]
