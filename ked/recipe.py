"""A recipe says everything about a run: which data, which nets, how they are trained, what is compared."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from ked import data
from ked.changes import Change, Positive, Share, Temperature, ordered
from ked.errors import InvalidInput
from ked.groupings import GROUPINGS
from ked.methods import METHODS, Method, method_named
from ked.nets.cnn.architectures import ARCHITECTURES, architecture_named

MLP = "mlp"
_ELSEWHERE = {
    True: "it sums over input features, and the superfeatures of a convolutional net are channels; take 'ked-gradcam'",
    False: "Grad-CAM weighs the maps of a convolution; take 'ked-ig' or 'ked-gradient'",
}
Who = Literal["teacher", "student"]


class Recipe(BaseModel):
    """Everything that a run depends on: frozen, validated, JSON both ways.

    Attributes:
        dataset: Name of a data set (`ked.data.SOURCES`), of data made to order (`ked.data.planted_spec`), or the path of a user's file.
        label: The column that holds the class, for a CSV file of the user's own.
        train_size: Training samples used, drawn with `seed`, the same number of each class; None takes all.
        methods: How students are trained (`ked.methods.METHODS`), each with the same seeds.
        superfeatures: M, of the explaining teacher and, unless `student_superfeatures` says otherwise, of its students.
        student_superfeatures: M of the students; theirs are matched with the teacher's by overlap (`ked.matching`).
        grouping: How features are grouped (`ked.groupings.GROUPINGS`).
        reduce: "abs_mean" or "mean_abs", see `ked.dependency`.
        scale: None, or "std" for interactions in units of the features' spread.
        dependency_samples: Training samples that the dependency matrix is averaged over.
        engine: Louvain engine; None takes the fast one above 128 features.
        net: Form of the students: "mlp", or a convolutional net (`ked.nets.cnn.ARCHITECTURES`), whose superfeatures are groups of
            channels.
        teacher_net: Form of the teachers; None takes the net that the paper pairs with the students'.
        teacher_hidden, student_hidden: Widths of the black boxes; KED nets are matched to their parameter counts (MLPs).
        activation: Of all nets (MLPs).
        seeds: Number of student replicas (seed, seed + 1, ...); the teachers are trained once, from `seed`.
        seed: The first seed.
        epochs, teacher_epochs: Passes over the training data.
        batch_size, teacher_batch_size: None means 100 and 500, or what gives 20 batches an epoch where that is
            smaller, but at least 16.
        chimeras, chimera_epochs: How many chimeras (or real samples) a student sees that goes on, and how often.
        lr: The (largest) learning rate, for all nets.
        optimiser: "adam", or "sgd" with Nesterov momentum 0.9.
        schedule: How the learning rate falls (`ked.training.optimisers.SCHEDULES`).
        weight_decay: On kernels alone.
        augment: How pictures are moved and mirrored (`ked.training.augmentation.AUGMENTATIONS`); teachers see the same views.
        temperature, tau: What softens predictions and explanations; 0.001 to 10 000, beyond which float32 rounds the loss away.
        lam, mu: Share of the teacher in the loss, and of explanations in the teacher's share (0 to 1).
        rho: A hint's share of the explanations' part, or of the prediction's without explanations (0 to 1).
        device: "auto", "cpu", "cuda" or "cuda:0" and so on; not part of any hash.
        precision: "auto" lets convolutional nets compute in bfloat16 on CUDA; not part of any hash.
        changes: What whoever steered the run changed in the middle of a training (`ked.runs.steering`), by stage and batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = "digits"
    label: str | None = None
    train_size: int | None = Field(None, ge=1)
    methods: tuple[str, ...] = Field(("plain", "kd", "ked"), min_length=1)
    superfeatures: int = Field(4, ge=1)
    student_superfeatures: int | None = Field(None, ge=1)
    grouping: str = "hessian"
    reduce: Literal["abs_mean", "mean_abs"] = "abs_mean"
    scale: Literal["std"] | None = None
    dependency_samples: int = Field(1000, ge=1)
    engine: Literal["python-louvain", "scikit-network"] | None = None
    net: str = MLP
    teacher_net: str | None = None
    teacher_hidden: tuple[int, ...] = Field((500, 500), min_length=1)
    student_hidden: tuple[int, ...] = Field((20, 20), min_length=1)
    activation: Literal["relu", "gelu", "silu", "tanh"] = "relu"
    seeds: int = Field(5, ge=1, le=100)
    seed: int = Field(0, ge=0, lt=2**31)
    epochs: int = Field(20, ge=0, le=100_000)
    teacher_epochs: int = Field(20, ge=0, le=100_000)
    batch_size: int | None = Field(None, ge=1)
    teacher_batch_size: int | None = Field(None, ge=1)
    chimeras: int = Field(20_000, ge=1, le=1_000_000_000)
    chimera_epochs: int = Field(5, ge=1, le=100_000)
    lr: Positive = 1e-3
    optimiser: Literal["adam", "sgd"] = "adam"
    schedule: Literal["constant", "cifar", "tiny-imagenet"] = "constant"
    weight_decay: float = Field(0.0, ge=0, allow_inf_nan=False)
    augment: Literal["none", "crop", "crop+flip"] = "none"
    temperature: Temperature = 10.0
    tau: Temperature = 10.0
    lam: Share = 0.7
    mu: Share = 0.7
    rho: Share = 0.7
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    precision: Literal["auto", "float32"] = "auto"
    changes: tuple[Change, ...] = ()

    @field_validator("dataset")
    @classmethod
    def _known_dataset(cls, value: str) -> str:
        return data.usual(value)

    @field_validator("grouping")
    @classmethod
    def _known_grouping(cls, value: str) -> str:
        return _one_of("grouping", value, GROUPINGS)

    @field_validator("net", "teacher_net")
    @classmethod
    def _known_net(cls, value: str | None) -> str | None:
        return value if value is None else _one_of("net", value, (MLP, *ARCHITECTURES))

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            _one_of("method", name, METHODS)
        return tuple(name for name in METHODS if name in value)  # the table's order, each once

    @field_validator("teacher_hidden", "student_hidden")
    @classmethod
    def _positive_widths(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if min(value) < 1:
            raise ValueError(f"{info.field_name} = {value} is not allowed: every hidden layer needs at least one unit")
        return value

    @field_validator("changes")
    @classmethod
    def _ordered_changes(cls, value: tuple[Change, ...]) -> tuple[Change, ...]:
        return ordered(value)

    @model_validator(mode="after")
    def _nets_and_methods_fit(self) -> Self:
        for applies, sentence in self._misfits():
            if applies:
                raise ValueError(sentence)
        return self

    def _misfits(self) -> Iterator[tuple[bool, str]]:
        """Settings that mean nothing together, each with a sentence."""
        conv, teacher = self.convolutional, self.net_of("teacher")
        for method in self.method_rows:
            yield (
                conv and method.further == "chimeras",
                f"method {method.name!r} is not allowed with net {self.net!r}: chimeras are put together from input features, and "
                f"the superfeatures of a convolutional net are channels",
            )
            yield (
                not conv and method.hint is not None,
                f"method {method.name!r} is not allowed with net 'mlp': hints compare maps; take one of {', '.join(ARCHITECTURES)}",
            )
            yield (
                method.prediction == "truth" and not data.knows_truth(self.dataset),
                f"method {method.name!r} is not allowed with dataset {self.dataset!r}: nobody knows its true class probabilities; "
                f"take data that are made here, such as 'planted' or 'planted:noise=0.1'",
            )
            yield (
                method.attribution is not None and method.only != ("cnn" if conv else MLP),
                f"method {method.name!r} is not allowed with net {self.net!r}: {_ELSEWHERE[conv]}",
            )
        yield (
            conv != (teacher != MLP),
            f"teacher_net {teacher!r} is not allowed with net {self.net!r}: both are MLPs or both are convolutional",
        )
        if conv:
            for name, allowed in (("grouping", "hessian"), ("activation", "relu"), ("scale", None)):
                value = getattr(self, name)
                yield (
                    value != allowed,
                    f"{name} {value!r} is not allowed with net {self.net!r}: it is of MLPs; leave it at {allowed!r}",
                )

    @classmethod
    def make(cls, **values: Any) -> Recipe:
        """A recipe from loose values; `InvalidInput` with one sentence that names the first wrong one."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise InvalidInput(_sentence(error)) from None

    @property
    def convolutional(self) -> bool:
        """Whether the nets are convolutional, and superfeatures groups of channels."""
        return self.net != MLP

    def net_of(self, who: Who) -> str:
        """The form of the teachers' or the students' nets."""
        if who == "student" or not self.convolutional:
            return self.net if who == "student" else self.teacher_net or MLP
        return self.teacher_net or architecture_named(self.net).teacher

    def superfeatures_of(self, who: Who) -> int:
        """M of the explaining teacher or of the students."""
        return (self.student_superfeatures if who == "student" else None) or self.superfeatures

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The K seeds of the students."""
        return tuple(range(self.seed, self.seed + self.seeds))

    @property
    def method_rows(self) -> tuple[Method, ...]:
        """The methods' rows of the table, in its order."""
        return tuple(method_named(name) for name in self.methods)

    def batch_for(self, who: Who, count: int) -> int:
        """Batch size for `count` training samples: as set, else 100 or 500, less where that gives under 20 batches an epoch."""
        chosen, default = (self.teacher_batch_size, 500) if who == "teacher" else (self.batch_size, 100)
        return chosen or max(16, min(default, count // 20))

    def in_force(self, stage: str, epoch: int, step: int) -> Recipe:
        """This recipe with the values that its changes have given to a stage's settings when that batch is taken."""
        made = {c.setting: c.value for c in self.changes if c.stage == stage and c.place <= (epoch, step)}
        return self.without(**made) if made else self

    def before(self, stage: str, epoch: int, step: int) -> Recipe:
        """This recipe with only those of a stage's changes that lie before that batch; other stages keep theirs."""
        return self.without(changes=[c for c in self.changes if c.stage != stage or c.place < (epoch, step)])

    def changed(self, place: tuple[str, int, int], **values: float) -> Recipe:
        """This recipe with other values of a stage's settings from a batch (stage, epoch, step) on; later ones fall away."""
        stage, epoch, step = place
        earlier = self.before(stage, epoch, step).in_force(stage, epoch, step)
        kept = [c for c in self.changes if c.stage != stage or c.setting not in values or c.place < (epoch, step)]
        new = [
            Change(stage=stage, epoch=epoch, step=step, setting=name, value=value)
            for name, value in values.items()
            if value != getattr(earlier, name)
        ]
        return self.without(changes=[*kept, *new])

    def without(self, **changes: Any) -> Recipe:
        """This recipe with some values changed, validated again."""
        return Recipe.make(**(self.model_dump() | changes))


def __getattr__(name: str) -> Any:
    """`ked.recipe.run`, where it was until version 0.2: the package hands it on now."""
    if name != "run":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn("ked.recipe.run has moved: write `from ked import run`", DeprecationWarning, stacklevel=2)
    return sys.modules["ked"].run


def _one_of(what: str, value: str, allowed: Iterable[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{what} {value!r} is unknown; use one of {', '.join(allowed)}")
    return value


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":  # our own validators say it all
        return f"{message.rstrip('.')}."
    where = ".".join(str(part) for part in first["loc"])
    return f"{where} = {first['input']!r} is not allowed: {message[:1].lower()}{message[1:]}."
