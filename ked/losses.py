"""The distillation losses: tensors in, one value a replica out (METHOD 1.4; arXiv 2310.02572, equations of section 4).

Student: (1-lam) CE + T^2 lam (1-mu) KL(prediction) + tau^2 lam mu (1/M) sum_m KL(explanation_m).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import torch
from torch import Tensor

from ked.errors import InvalidInput
from ked.methods import Method
from ked.settings import COOLEST, HOTTEST

EXACT = 10.0
"""A temperature above which divergences are taken in float64: they fall as 1 / T^2, and what float32 rounds away does not. Up to here
T^2 times the rounding stays below 5e-5 nats; at T = 1000 it would be some per cent of the loss, and at 10 000 more than all of it."""


class SoftTarget(NamedTuple):
    """A teacher's softened distributions for every training sample.

    Attributes:
        probabilities: (N, M, C); M = 1 for predictions.
        negentropy: (N, M) sum_c p log p, the part of the KL that no student can change.
        temperature: What the logits were divided by.
    """

    probabilities: Tensor
    negentropy: Tensor
    temperature: float


def soften(log_probabilities: Tensor, temperature: float) -> SoftTarget:
    """Softmax of (N, M, C) or (N, C) logits or log-probabilities divided by the temperature, as a target.

    Raises:
        InvalidInput: A temperature at which float32 has nothing left of the loss.
    """
    check_temperature("a temperature", temperature)
    log_p = _softened(log_probabilities, temperature, dim=-1)
    p = log_p.exp()
    return SoftTarget(p, (p * log_p).sum(dim=-1), temperature)


def check_temperature(name: str, temperature: float) -> None:
    """InvalidInput unless float32 has something left of the loss at this temperature."""
    if not isinstance(temperature, Real) or not COOLEST <= temperature <= HOTTEST:
        told = f"{temperature:g}" if isinstance(temperature, Real) else repr(temperature)
        raise InvalidInput(f"{name} of {told} is not allowed: take one from {COOLEST:g} to {HOTTEST:g}.")


def _softened(logits: Tensor, temperature: float, dim: int) -> Tensor:
    """Log-probabilities along dim, in as many digits as divergences at this temperature need."""
    return ((logits.double() if temperature > EXACT else logits) / temperature).log_softmax(dim=dim)


def mean_divergence(
    p: Tensor, negentropy: Tensor, logits: Tensor, temperature: float, *, classes: int, over: tuple[int, ...]
) -> Tensor:
    """KL(teacher || student) in nats: summed over the classes, mean over the other axes named in `over`.

    For runs, which know the softened teacher beforehand; `batch_divergence` is the same where it is new in every batch.

    Args:
        p: The softened teacher's probabilities.
        negentropy: sum_c p log p, with its mean over the same axes taken.
        logits: The student's logits or log-probabilities, of p's shape, not yet softened.
        temperature: What they are divided by.
        classes: The axis of the classes.
        over: Axes that vanish, the classes' among them.
    """
    log_q = _softened(logits, temperature, dim=classes)
    count = math.prod(p.shape[axis] for axis in over if axis != classes)
    return torch.sub(negentropy, (p * log_q).sum(dim=over) / count).to(logits.dtype)


def batch_divergence(teacher: Tensor, student: Tensor, temperature: float, *, over: tuple[int, ...]) -> Tensor:
    """KL(teacher || student) in nats of logits (B, ..., C) that are not yet softened: summed over `over`, mean over the batch alone."""
    log_p, log_q = (_softened(logits, temperature, dim=-1) for logits in (teacher, student))
    p = log_p.exp()
    return (log_p.sub_(log_q).mul_(p).sum(dim=over) / len(student)).to(student.dtype)  # in place, as new memory is what costs


def divergences(target: SoftTarget, rows: Tensor, logits: Tensor) -> Tensor:
    """KL(teacher || student) in nats of each of the M distributions, (K, M): mean over the batch.

    Args: as in `divergence`, which is the mean of these over the M.
    """
    p, negentropy = _of_rows(target, rows)
    return mean_divergence(p, negentropy.mean(dim=1), logits, target.temperature, classes=2, over=(2, 3))


def divergence(target: SoftTarget, rows: Tensor, logits: Tensor) -> Tensor:
    """KL(teacher || student) in nats, (K,): mean over the batch and over the M distributions.

    Args:
        target: Softened teacher, N samples.
        rows: (K, B) which training samples the batch holds.
        logits: (K, M, C, B) the student's logits or log-probabilities, not yet softened, batch last.
    """
    p, negentropy = _of_rows(target, rows)
    return mean_divergence(p, negentropy.flatten(1).mean(dim=1), logits, target.temperature, classes=2, over=(1, 2, 3))


def _of_rows(target: SoftTarget, rows: Tensor) -> tuple[Tensor, Tensor]:
    """A batch's target probabilities, batch last, (K, M, C, B), and their negentropy (K, B, M)."""
    flat = rows.reshape(-1)
    p, negentropy = (part.index_select(0, flat).unflatten(0, rows.shape) for part in target[:2])
    return p.permute(0, 2, 3, 1), negentropy


def cross_entropy(log_probabilities: Tensor, y: Tensor) -> Tensor:
    """Mean negative log-likelihood (K,) of labels y (K, B) under log-probabilities (K, C, B)."""
    return -log_probabilities.gather(1, y[:, None]).mean(dim=(1, 2))


def weights(method: Method, temperature: float, tau: float, lam: float, mu: float, rho: float = 0.0) -> dict[str, float]:
    """The weight of each loss term of a method; a method that distils nothing is cross-entropy alone.

    mu counts only where both are distilled: KD and `mu0` give all of lam to the prediction, explanations alone have all of it.
    A hint (METHOD 1.6) takes the share rho of the explanations' part: tau^2 lam mu (1-rho) for their mean over the superfeatures,
    lam mu rho for the hint's mean over the branches. Without explanations it takes its share of the prediction's part.
    """
    if method.prediction is None and method.explanations is None:
        return {"ce": 1.0}
    mu = 0.0 if method.explanations is None else 1.0 if method.prediction is None else mu
    terms = {"ce": 1 - lam}
    terms |= {"prediction": temperature**2 * lam * (1 - mu)} if method.prediction else {}
    terms |= {"explanation": tau**2 * lam * mu} if method.explanations else {}
    if method.hint is None:
        return terms
    shared, share = ("explanation", lam * mu) if method.explanations else ("prediction", lam)
    return terms | {shared: terms[shared] * (1 - rho), "hint": share * rho}


@dataclass(frozen=True)
class Objective:
    """What a net is trained on: labels, and a teacher's softened predictions, explanations and maps where given.

    Attributes:
        weights: Weight of "ce", "prediction", "explanation", "hint".
        prediction: Soft targets (N, 1, C), if distilled.
        explanation: Soft targets (N, P, C), if distilled.
        columns: The P subnets of the student that the P explanations are compared with; all in their order by default.
        hint: From the student's maps (K, M, B, channels, H, W) to a loss (K,), if there is one.
    """

    weights: dict[str, float]
    prediction: SoftTarget | None = None
    explanation: SoftTarget | None = None
    columns: tuple[int, ...] | None = None
    hint: Callable[[Tensor], Tensor] | None = None

    def terms(self, log_y: Tensor, total: Tensor, y: Tensor, rows: Tensor, maps: Tensor | None = None) -> dict[str, Tensor]:
        """Each unweighted loss term, (K,) nats.

        Args:
            log_y: (K, M, C, B) what the subnets say.
            total: (K, C, B) total logits.
            y, rows: (K, B) labels, and rows of the soft targets.
            maps: (K, M, B, channels, H, W), needed for a hint.
        """
        log_p = log_y[:, 0] if log_y.shape[1] == 1 else total.log_softmax(dim=1)
        values = {"ce": cross_entropy(log_p, y)}
        if self.prediction is not None:
            values["prediction"] = divergence(self.prediction, rows, total[:, None])
        if self.explanation is not None:
            values["explanation"] = divergence(self.explanation, rows, self._compared(log_y))
        if self.hint is not None and maps is not None:
            values["hint"] = self.hint(maps)
        return values

    def each_explanation(self, log_y: Tensor, rows: Tensor) -> Tensor | None:
        """The explanation term of each compared superfeature, (K, P) nats, whose mean is the term; None without explanations."""
        return None if self.explanation is None else divergences(self.explanation, rows, self._compared(log_y))

    def _compared(self, log_y: Tensor) -> Tensor:
        return log_y if self.columns is None else log_y[:, list(self.columns)]

    def loss(self, terms: dict[str, Tensor]) -> Tensor:
        """The scalar to descend: the weighted terms summed over replicas, whose gradients do not meet."""
        return torch.stack([self.weights[name] * value.sum() for name, value in terms.items()]).sum()


LABELS_ONLY = Objective({"ce": 1.0})
