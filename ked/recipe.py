"""A recipe says everything about a run: which data, which nets, how they are trained, what is compared."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from ked import data
from ked.changes import Change, ordered
from ked.errors import InvalidInput, quoted, shortened
from ked.groupings import GROUPINGS
from ked.methods import METHODS, Method, method_named
from ked.nets.cnn.architectures import ARCHITECTURES, architecture_named
from ked.settings import LAYERS, PARAMETERS, UNITS, Settings, described
from ked.settings import MLP as MLP

if TYPE_CHECKING:
    from pandas import DataFrame

_ELSEWHERE = {
    True: "it sums over input features, and the superfeatures of a convolutional net are channels; take 'ked-gradcam'",
    False: "Grad-CAM weighs the maps of a convolution; take 'ked-ig' or 'ked-gradient'",
}
Who = Literal["teacher", "student"]


class Recipe(Settings):
    """Everything that a run depends on: frozen, validated, JSON both ways. What each setting means, and its bounds, is in its field.

    Examples:
        >>> recipe = Recipe(dataset="digits", methods=("plain", "ked"), superfeatures=4, temperature=10.0)
        >>> recipe.without(mu=0.0).mu, recipe.seed_list
        (0.0, (0, 1, 2, 3, 4))
        >>> print(Recipe.model_fields["mu"].description)
        μ, how much of the teacher's share comes from explanations; the rest from predictions.
    """

    changes: tuple[Change, ...] = Field(
        (), description="What whoever steered the run changed in the middle of a training (`ked.runs.steering`), by stage and batch."
    )

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
    def _possible_widths(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if min(value) < 1:
            raise ValueError(f"{info.field_name} = {shortened(value)} is not allowed: every hidden layer needs at least one unit")
        if len(value) > LAYERS:
            raise ValueError(f"{info.field_name} with {len(value)} layers is not allowed: up to {LAYERS} are")
        if max(value) > UNITS:
            raise ValueError(f"{info.field_name} = {str(max(value))[:20]} is not allowed: a hidden layer has up to {UNITS} units")
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
                f"method {method.name!r} is not allowed with dataset {quoted(self.dataset)}: nobody knows its true class probabilities; "
                f"take data that are made here, such as 'planted' or 'planted:noise=0.1'",
            )
            yield (
                method.attribution is not None and method.only != ("cnn" if conv else MLP),
                f"method {method.name!r} is not allowed with net {self.net!r}: {_ELSEWHERE[conv]}",
            )
        for name, seeds in (("teacher_hidden", 1), ("student_hidden", self.seeds)):
            weights = seeds * sum(fan_in * fan_out for fan_in, fan_out in pairwise(getattr(self, name)))
            yield (
                weights > PARAMETERS,
                f"{name} = {','.join(map(str, getattr(self, name)))[:40]} is not allowed: these are {weights} weights"
                f"{f' of {seeds} seeds' if seeds > 1 else ''}, and {PARAMETERS} is the most; take narrower layers",
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

    def to_frame(self) -> DataFrame:
        """A table with a row a setting: its value and its default, those that differ first."""
        from pandas import DataFrame

        usual, values = type(self)().model_dump(), self.model_dump()
        names = sorted(values, key=lambda name: values[name] == usual[name])
        rows = {name: {"value": values[name], "default": usual[name]} for name in names}
        return DataFrame.from_dict(rows, orient="index").rename_axis("setting")

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html())

    def without(self, **changes: Any) -> Recipe:
        """This recipe with some values changed, validated again."""
        return Recipe.make(**(self.model_dump() | changes))


Recipe.__doc__ = "\n".join([f"{Recipe.__doc__}\n", "Attributes:", *described(Recipe)])


def __getattr__(name: str) -> Any:
    """`ked.recipe.run`, where it was until version 0.2: the package hands it on now."""
    if name != "run":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn("ked.recipe.run has moved: write `from ked import run`", DeprecationWarning, stacklevel=2)
    return sys.modules["ked"].run


def _one_of(what: str, value: str, allowed: Iterable[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{what} {quoted(value)} is unknown; use one of {', '.join(allowed)}")
    return value


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":  # our own validators say it all
        return f"{message.rstrip('.')}."
    where = ".".join(str(part) for part in first["loc"])
    return f"{shortened(where)} = {shortened(repr(first['input']))} is not allowed: {message[:1].lower()}{message[1:]}."
