"""The losses as modules for anybody's training loop: KED and KD of one batch (METHOD 1.4; arXiv 2310.02572, section 4).

The formulas and weights are those of `ked.losses`, which the package's own runs descend too.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ked.dependency.samples import check_no_probabilities
from ked.errors import InvalidInput
from ked.explaining import SLIGHT, check_shape, check_sums, checked_base
from ked.explanation import full, total_logits
from ked.losses import batch_divergence, check_temperature, weights
from ked.methods import METHODS

_TELLING = 8  # samples whose logits do not all add up to 1 by chance
_NONE = -(1 << 60)  # torch would pass over labels of -100 in silence


@dataclass(frozen=True)
class LossTerms:
    """The loss of a batch, in nats, and what it is made of; the terms are not weighted, and each is a mean over the batch.

    Attributes:
        total: The scalar to descend, the weighted sum of the terms.
        ce: Cross-entropy of the labels.
        prediction: KL(teacher || student) of the softened predictions.
        explanation: (M,) KL(teacher || student) of each superfeature's softened explanation; empty for KD.
    """

    total: Tensor
    ce: Tensor
    prediction: Tensor
    explanation: Tensor

    @staticmethod
    def of(weights: dict[str, float], **terms: Tensor) -> LossTerms:
        """With the total worked out; an explanation's weight is that of the mean over the superfeatures."""
        total = weights["ce"] * terms["ce"] + weights["prediction"] * terms["prediction"]
        if weights.get("explanation"):
            total = total + weights["explanation"] * terms["explanation"].mean()
        return LossTerms(total, **terms)

    def backward(self, gradient: Tensor | None = None) -> None:
        """`total.backward()`."""
        self.total.backward(gradient)


class KEDLoss(nn.Module):
    """Knowledge explaining distillation: labels, the explaining teacher's predictions and its explanations.

    (1 - lam) CE + T^2 lam (1 - mu) KL(prediction) + tau^2 lam mu (1/M) sum_m KL(explanation_m), with KL(teacher || student) of the
    distributions softened by T, and by tau.

    It has no parameters and keeps nothing between calls, so it can be used under gradient accumulation, DistributedDataParallel and
    with samples augmented anew in every batch (let teacher and student see the same ones). Under autocast it computes in float32. No
    gradient flows to the teacher.

    Args:
        base: (C,) from `ked.base_of`, the same that teacher and student were built with.
        temperature: T.
        tau: What explanations are softened by.
        lam: Share of the teacher, 0 to 1.
        mu: Share of the explanations in it, 0 to 1; 0 is the control without explanations, whose `explanation` is only told.
        check: Whether every batch is looked at for what is wrong with it, for which a GPU is waited for once.

    Raises:
        InvalidInput: A setting outside its bounds.

    Examples:
        >>> net = torch.nn.Linear(6, 4)
        >>> log_y, labels = net(torch.randn(5, 2, 6)).log_softmax(-1), torch.tensor([0, 1, 2, 3, 0])  # (B, M, C)
        >>> terms = KEDLoss(torch.zeros(4))(log_y, log_y.detach(), labels)
        >>> terms.backward()
        >>> terms.explanation.shape, bool(terms.prediction.abs() < 1e-6)
        (torch.Size([2]), True)
    """

    base: Tensor

    def __init__(
        self,
        base: Tensor,
        temperature: float = 10.0,
        tau: float = 10.0,
        lam: float = 0.7,
        mu: float = 0.7,
        *,
        check: bool = True,
    ) -> None:
        super().__init__()
        check_temperature("a tau", tau)
        self.register_buffer("base", checked_base(base))
        self.classes, self.temperature, self.tau, self.check = len(self.base), temperature, tau, check
        self.weights = _weights("ked", temperature, tau, lam, mu)

    def forward(self, student: Tensor, teacher: Tensor, y: Tensor) -> LossTerms:
        """The loss of a batch.

        Args:
            student: log y_m (B, M, C) of the student, `student.explain(x)`.
            teacher: The same of the explaining teacher.
            y: (B,) labels.

        Raises:
            InvalidInput: Shapes, classes or superfeatures do not fit, explanations are no log-probabilities, or something is NaN.
        """
        if self.check:
            check_shape("student", student, self.classes)
            check_shape("teacher", teacher, self.classes, student.shape[1])
            _check_labels(y, student, teacher)
        with _no_autocast(student):
            log_y, its = full(student), full(teacher.detach())
            base = self.base.to(log_y.device)
            own, taught = (total_logits(said, base, superfeatures=1) for said in (log_y, its))
            told = log_y if self.weights["explanation"] else log_y.detach()
            terms = LossTerms.of(
                self.weights,
                ce=_cross_entropy(own, y, self.check),
                prediction=batch_divergence(taught, own, self.temperature, over=(0, 1)),
                explanation=batch_divergence(its, told, self.tau, over=(0, 2)),
            )
        if self.check:
            sums = torch.cat([log_y.detach()[0], its[0]]).exp().sum(dim=-1)
            _check_values(terms.total, y, self.classes, sums, student=student, teacher=teacher)
        return terms

    def extra_repr(self) -> str:
        """The settings, for print."""
        return f"temperature={self.temperature:g}, tau={self.tau:g}, weights={self.weights}"


class KDLoss(nn.Module):
    """Knowledge distillation (Hinton et al. 2015): (1 - lam) CE + T^2 lam KL(teacher || student) of predictions softened by T.

    Args:
        temperature: T.
        lam: Share of the teacher, 0 to 1.
        check: As in `KEDLoss`.

    Examples:
        >>> logits, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 0])
        >>> terms = KDLoss(temperature=4, lam=1.0)(logits, logits, labels)
        >>> bool(terms.total.abs() < 1e-4)
        True
    """

    def __init__(self, temperature: float = 10.0, lam: float = 0.7, *, check: bool = True) -> None:
        super().__init__()
        self.temperature, self.check = temperature, check
        self.weights = _weights("kd", temperature, 1.0, lam, 0.0)

    def forward(self, student: Tensor, teacher: Tensor, y: Tensor) -> LossTerms:
        """The loss of a batch of logits (B, C) of student and teacher, and labels (B,); errors as in `KEDLoss`."""
        if self.check:
            for name, logits in (("student", student), ("teacher", teacher)):
                if not isinstance(logits, Tensor) or logits.ndim != 2 or 0 in logits.shape or not logits.is_floating_point():
                    got = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
                    raise InvalidInput(f"{name} must be logits of shape (B, C), not {got}.")
            _check_labels(y, student, teacher)
        with _no_autocast(student):
            own, its = full(student), full(teacher.detach())
            prediction = batch_divergence(its, own, self.temperature, over=(0, 1))
            terms = LossTerms.of(self.weights, ce=_cross_entropy(own, y, self.check), prediction=prediction, explanation=own.new_empty(0))
        if self.check:
            _check_values(terms.total, y, own.shape[1], student=student, teacher=teacher)
            for name, logits in (("student", student), ("teacher", teacher)):
                if len(logits) >= _TELLING:
                    check_no_probabilities(logits.detach(), f"{name}'s answers")
        return terms

    def extra_repr(self) -> str:
        """The settings, for print."""
        return f"temperature={self.temperature:g}, weights={self.weights}"


def _no_autocast(student: Tensor) -> AbstractContextManager[Any]:
    """Full precision, where anything less is on; where nothing is, no time is lost over it."""
    kind = student.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def _weights(method: str, temperature: float, tau: float, lam: float, mu: float) -> dict[str, float]:
    check_temperature("a temperature", temperature)
    for name, share in (("lam", lam), ("mu", mu)):
        if not 0 <= share <= 1:
            raise InvalidInput(f"{name} of {share:g} is not allowed: take a share from 0 to 1.")
    return weights(METHODS[method], temperature, tau, lam, mu)


def _cross_entropy(logits: Tensor, y: Tensor, check: bool) -> Tensor:
    classes = logits.shape[-1]
    if check and y.is_cuda:  # where a label that is out of bounds would end the process; it is told afterwards
        y = y.clamp(0, classes - 1)
    try:
        return nn.functional.cross_entropy(logits, y, ignore_index=_NONE)
    except (IndexError, RuntimeError):
        _check_bounds(y, classes)
        raise


def _check_labels(y: Any, student: Tensor, teacher: Tensor) -> None:
    if teacher.shape != student.shape:
        raise InvalidInput(f"teacher has the shape {tuple(teacher.shape)}, but student {tuple(student.shape)}.")
    if not isinstance(y, Tensor) or y.shape != student.shape[:1] or y.dtype != torch.int64:
        got = f"{y.dtype} of shape {tuple(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
        raise InvalidInput(f"y must hold one int64 label for each of the {len(student)} samples, not {got}.")


def _check_values(total: Tensor, y: Tensor, classes: int, sums: Tensor | None = None, **given: Tensor) -> None:
    """InvalidInput that names what there is no loss of: a GPU is waited for once, as by then all of it is computed.

    Args:
        sums: Of the first sample's probabilities; whoever forgets a log-softmax does so for all.
    """
    if y.is_cuda:
        _check_bounds(y, classes)
    if sums is not None and not all(abs(value - 1) < SLIGHT for value in sums.tolist()):  # NaN too
        for name, said in given.items():
            check_sums(name, said)
    if not math.isfinite(total.item()):
        wrong = next((name for name, values in given.items() if not bool(values.isfinite().all())), "student")
        raise InvalidInput(f"{wrong} holds NaN or infinite values, so that there is no loss.")


def _check_bounds(y: Tensor, classes: int) -> None:
    low, high = (int(end) for end in y.aminmax())
    if low < 0 or high >= classes:
        raise InvalidInput(f"y holds labels from {low} to {high}, but there are the classes 0 to {classes - 1}.")
