"""What a student's teachers say to it: once for all training samples, or on each view of a sample that it sees (METHOD 1.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ked import losses
from ked.changes import ADJUSTABLE
from ked.chimeras import ChimeraTargets, ExplainingTeacher, black_box_targets
from ked.hint_losses import HintLoss
from ked.losses import Objective, SoftTarget, soften
from ked.matching import Matching, matching
from ked.methods import Method
from ked.nets.inference import explain, predict
from ked.nets.stack import Stack
from ked.recipe import Recipe
from ked.runs.build_nets import hint_loss
from ked.runs.context import Context
from ked.training.attribution_targets import Attributed, attributed
from ked.training.teacher_outputs import Answer, Answers


def weights(recipe: Recipe, method: Method) -> dict[str, float]:
    """The weight of each loss term of a method under a recipe."""
    return losses.weights(method, recipe.temperature, recipe.tau, recipe.lam, recipe.mu, recipe.rho)


@dataclass(frozen=True)
class Targets:
    """A method's teachers, and how the student's subnets answer to the explaining teacher's.

    Attributes:
        context: Of the run.
        method: How the student is trained.
        black_box, explaining: The teachers; None where the method has no use for them.
        matching: None where no explanations are compared.
        hint: What compares maps, if anything; it may have parameters that train along.
        answers: What the teachers say of views.
        attributed: What stands in for the explaining teacher's explanations, if anything.
    """

    context: Context
    method: Method
    black_box: Stack | None
    explaining: Stack | None
    matching: Matching | None
    hint: HintLoss | None
    answers: Answers
    attributed: Attributed | None = None

    @property
    def sees_views(self) -> bool:
        """Whether there is an objective for each batch instead of one for all samples."""
        return self.context.recipe.augment != "none" or self.hint is not None

    def whole(self) -> Objective:
        """The objective with targets for all training samples."""
        x, prediction, explanation = self.context.dataset.part("train")[0], None, None
        if self.method.prediction == "truth":
            prediction = soften(self._truth[:, None], self.context.recipe.temperature)
        elif (teacher := self._predicting) is not None:
            prediction = soften(predict(teacher, x).transpose(0, 1), self.context.recipe.temperature)
        if self.method.explanations:
            alter = _ALTERED.get(self.method.explanations, _ALTERED["true"])
            explanation = soften(alter(self._own, self.context.recipe.seed), self.context.recipe.tau)
        return self._objective(prediction, explanation)

    @torch.no_grad()
    def view(self, x: Tensor, rows: Tensor) -> Objective:
        """The objective on views (K, B, D) of the training samples numbered rows (K, B); soft targets have K * B rows."""
        nets = [net for net in (self.black_box, self.explaining) if net is not None]
        said = {id(net): self._answer(net, x.flatten(0, 1), rows.flatten()) for net in nets}
        prediction = explanation = None
        if self.method.prediction == "truth":
            prediction = soften(self._truth[rows.flatten()][:, None], self.context.recipe.temperature)
        elif (teacher := self._predicting) is not None:
            total = teacher.total(said[id(teacher)].log_y)  # (1, C, K * B)
            prediction = soften(total.permute(2, 0, 1), self.context.recipe.temperature)
        if self.attributed is not None:
            explanation = soften(self.attributed.of(x.flatten(0, 1)), self.context.recipe.tau)
        elif self.method.explanations and self.explaining is not None:
            own = said[id(self.explaining)].log_y[0].permute(2, 0, 1).unflatten(0, rows.shape)  # (K, B, M, C)
            explanation = soften(self._seen[self.method.explanations](own, rows).flatten(0, 1), self.context.recipe.tau)
        objective = self._objective(prediction, explanation)
        if self.hint is None:
            return objective
        maps = said[id(self._hinting)].maps
        assert maps is not None
        return replace(objective, hint=partial(self._compare, maps.unflatten(2, rows.shape)[0].transpose(0, 1)))

    def chimera_teacher(self) -> Callable[[Tensor, Tensor], ChimeraTargets]:
        """What says what chimeras are: from donors (K, B, M) and features (K, B, D) to targets."""
        recipe = self.context.recipe
        if self.method.prediction == "teacher" and self.black_box is not None:
            return partial(_ask_black_box, self.black_box, recipe.temperature)
        assert self.explaining is not None
        return partial(_ask_explaining, ExplainingTeacher(self._own, self.explaining.base, recipe.temperature, recipe.tau))

    def of_chimeras(self, targets: ChimeraTargets) -> Objective:
        """The objective of a batch of chimeras."""
        return self._objective(targets.prediction, targets.explanation if self.method.explanations else None)

    def _objective(self, prediction: SoftTarget | None, explanation: SoftTarget | None) -> Objective:
        columns = None
        if explanation is not None and self.matching is not None and not self.matching.whole:
            explanation, columns = self.matching.teacher_columns(explanation), self.matching.students
        return Objective(weights(self.context.recipe, self.method), prediction, explanation, columns)

    @property
    def _predicting(self) -> Stack | None:
        return {"teacher": self.black_box, "explaining": self.explaining}.get(self.method.prediction or "")

    @property
    def _truth(self) -> Tensor:
        """log P(y | x), (N, C), of the training samples."""
        p = self.context.dataset.true_probabilities("train")
        return p.clamp(min=torch.finfo(p.dtype).tiny).log().float()

    @property
    def _hinting(self) -> Stack | None:
        return self.explaining if self.method.net == "ked" else self.black_box

    @property
    def _own(self) -> Tensor:
        """The explaining teacher's explanations (N, M, C) of the training samples, or what stands in for them."""
        if self.attributed is not None:
            return self.attributed.whole()
        assert self.explaining is not None
        return explain(self.explaining, self.context.dataset.part("train")[0])[0].transpose(0, 1)

    @property
    def _seen(self) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
        """How explanations (K, B, M, C) of views become those that are taught; a batch's order is random already."""
        return {
            "true": lambda own, rows: own,
            "shuffled": lambda own, rows: own.roll(1, dims=1),
            "noise": lambda own, rows: _noise_rows(own, rows, self.context.recipe.seed),
        }

    def _answer(self, net: Stack, x: Tensor, rows: Tensor) -> Answer:
        return self.answers.of(net, x, rows, maps=self.hint is not None and net is self._hinting)

    def _compare(self, teacher: Tensor, student: Tensor) -> Tensor:
        """The hint's loss (K,) between maps (K, M, B, channels, H, W) of both, of the branches that are compared."""
        assert self.hint is not None
        if self.matching is not None and not self.matching.whole:
            student, teacher = student[:, list(self.matching.students)], teacher[:, list(self.matching.teachers)]
        loss: Tensor = self.hint(student, teacher)
        return loss


class LiveTargets:
    """What a student is taught under the settings in force, which may change between two batches.

    Args:
        teachers: Under the settings at the beginning.
    """

    def __init__(self, teachers: Targets) -> None:
        self.teachers = teachers
        self._whole: Objective | None = None
        self._chimeras: Callable[[Tensor, Tensor], ChimeraTargets] | None = None

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each loss term."""
        return weights(self.teachers.context.recipe, self.teachers.method)

    def change(self, recipe: Recipe) -> None:
        """Teach under another recipe's settings from now on."""
        context = self.teachers.context
        if any(getattr(recipe, name) != getattr(context.recipe, name) for name in ADJUSTABLE if name != "lr"):
            self._whole = self._chimeras = None
        self.teachers = replace(self.teachers, context=replace(context, recipe=recipe))

    def whole(self) -> Objective:
        """The objective with targets for all training samples, made when the settings have changed."""
        self._whole = self._whole or self.teachers.whole()
        return self._whole

    def view(self, x: Tensor, rows: Tensor) -> Objective:
        """The objective on views; see `Targets.view`."""
        return self.teachers.view(x, rows)

    def ask(self, donors: Tensor, x: Tensor) -> ChimeraTargets:
        """What the teacher says of chimeras; see `Targets.chimera_teacher`."""
        self._chimeras = self._chimeras or self.teachers.chimera_teacher()
        return self._chimeras(donors, x)

    def of_chimeras(self, targets: ChimeraTargets) -> Objective:
        """The objective of a batch of chimeras."""
        return self.teachers.of_chimeras(targets)


def targets_of(context: Context, method: Method, net: Stack) -> Targets:
    """The teachers of a method's student, read from the run."""
    black_box = context.load(context.run.teacher()) if method.prediction == "teacher" else None
    explaining = context.load(context.run.explaining()) if method.needs_explaining_teacher else None
    pairs = matching(net, explaining) if method.explanations and explaining is not None else None
    hint = None
    if method.hint:
        hinting = explaining if method.net == "ked" else black_box
        assert hinting is not None
        hint = hint_loss(method.hint, net, hinting, len(pairs.pairs) if pairs else 1, context)
    samples = (lambda: context.dataset.part("train")[0]) if context.recipe.augment == "none" else None
    answers = Answers(samples, mixed=context.mixed)
    return Targets(context, method, black_box, explaining, pairs, hint, answers, _attributed(context, method, net))


def _attributed(context: Context, method: Method, net: Stack) -> Attributed | None:
    if method.attribution is None:
        return None
    teacher = context.load(context.run.teacher() if method.prediction == "teacher" else context.run.explaining())
    return attributed(method.attribution, teacher, net, context.dataset.part("train")[0])


def _ask_black_box(black_box: Stack, temperature: float, donors: Tensor, x: Tensor) -> ChimeraTargets:
    return black_box_targets(lambda flat: black_box(flat)[0], x, temperature)


def _ask_explaining(teacher: ExplainingTeacher, donors: Tensor, x: Tensor) -> ChimeraTargets:
    return teacher(donors)


def _shuffled(log_y: Tensor, seed: int) -> Tensor:
    """Another sample's explanations: rolled along a random order, so that no sample keeps its own."""
    order = torch.randperm(len(log_y), generator=torch.Generator().manual_seed(seed)).to(log_y.device)
    return log_y[order].roll(1, dims=0)[order.argsort()]


def _noise(log_y: Tensor, seed: int) -> Tensor:
    """Random log-probabilities with the spread of the true ones."""
    noise = torch.randn(log_y.shape, generator=torch.Generator().manual_seed(seed)).to(log_y)
    return noise * log_y.std() + log_y.mean(dim=0)


def _noise_rows(own: Tensor, rows: Tensor, seed: int) -> Tensor:
    """The same of views (K, B, M, C), with the batch's spread; drawn for the batch."""
    generator = torch.Generator().manual_seed(seed + int(rows.sum()))
    noise = torch.randn(own.shape, generator=generator).to(own)
    return noise * own.std() + own.mean(dim=(0, 1))


_ALTERED: dict[str, Callable[[Tensor, int], Tensor]] = {
    "true": lambda log_y, seed: log_y,
    "shuffled": _shuffled,
    "noise": _noise,
}
