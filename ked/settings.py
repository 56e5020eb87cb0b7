"""Every setting of a run, declared once: its meaning, bounds and default, and what the command line calls it.

`ked.recipe.Recipe` is made of these fields. The command line has an option for each, and the app's controls take their help, bounds
and defaults from here. Which stages of a run depend on a setting stands in `ked.runs.stage_keys`.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from ked.communities.louvain import ENGINES
from ked.data.limits import FEATURES
from ked.groupings import GROUPINGS

MLP = "mlp"
UNITS, LAYERS, PARAMETERS = 1_000_000, 100, 1_000_000_000
"""What an MLP may have at most: units of a hidden layer, hidden layers, and weights between these, of all seeds together.

What fits into a machine is less (`ked.runs.memory`); this keeps numbers that no machine could hold from being worked with at all.
"""

COOLEST, HOTTEST = 1e-3, 1e4
"""Of T and tau. Measured on students near and far from their teacher, 2 to 100 classes: between these temperatures the relative error of
the trained loss stays below 1 %; far beyond them float32 has no T^2 and no logit / T any more."""

if TYPE_CHECKING:
    Engine = str
else:
    Engine = Literal[tuple(ENGINES)]

Group = Literal["Data", "Students", "Superfeatures", "Nets", "Training", "Distillation", "Machine"]


def _setting(default: Any, group: Group, meaning: str, *, option: str = "", allowed: str = "", **bounds: Any) -> Any:
    """A field.

    Args:
        default: Where nothing is said.
        group: Among which settings it is found.
        meaning: One sentence for people. Where the default is None it says what "by default" comes to.
        option: What the command line calls it, if not by its name.
        allowed: What may be written there, where type and bounds do not say it.
        bounds: As of `pydantic.Field`.
    """
    about: dict[str, Any] = {"group": group, "option": option, "allowed": allowed}
    return Field(default, description=meaning, json_schema_extra=about, **bounds)


class Settings(BaseModel):
    """The settings, each within its own bounds; whether they fit together is the recipe's to say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = _setting(
        "digits", "Data", "The data set that teacher and students learn.",
        allowed="a name from `data list`, planted:features=40,groups=5, or the path of your own table, NPZ or zip",
    )  # fmt: skip
    label: str | None = _setting(
        None, "Data", "The column of your own table that holds the class, by its name or place; by default it is guessed."
    )
    drop: tuple[str, ...] = _setting((), "Data", "Columns of your own table that are left out.", allowed="names or places")
    keep: tuple[str, ...] = _setting(
        (), "Data", "Columns of your own table that are used although they would be left out.", allowed="names or places, * for all"
    )
    train_size: int | None = _setting(
        None, "Data", "How many training samples are used, the same number of each class; by default all.", ge=1
    )
    methods: tuple[str, ...] = _setting(
        ("plain", "kd", "ked"), "Students", "How students are trained; each method gets the same seeds.", min_length=1
    )
    superfeatures: int = _setting(
        4, "Superfeatures", "M, the number of groups into which the input features, or the channels of a convolutional net, are split.",
        ge=1, le=FEATURES,
    )  # fmt: skip
    student_superfeatures: int | None = _setting(
        None, "Superfeatures", "The students' M, whose superfeatures are matched with the teacher's by overlap; by default the teacher's.",
        ge=1, le=FEATURES,
    )  # fmt: skip
    grouping: str = _setting(
        "hessian", "Superfeatures",
        "What decides which features belong together: hessian is the paper's way, the others are controls.",
        allowed=", ".join(GROUPINGS),
    )  # fmt: skip
    reduce: Literal["abs_mean", "mean_abs"] = _setting(
        "abs_mean", "Superfeatures",
        "Whether interactions of opposite sign cancel when they are averaged over the samples (abs_mean), or count in full (mean_abs).",
    )  # fmt: skip
    scale: Literal["std"] | None = _setting(
        None, "Superfeatures", "Interactions per unit of input by default, or per standard deviation of the two features (std)."
    )
    dependency_samples: int = _setting(1000, "Superfeatures", "Training samples that the dependency matrix is averaged over.", ge=1)
    engine: Engine | None = _setting(
        None, "Superfeatures", "Which implementation of Louvain searches for communities; by default the fast one above 128 features."
    )
    net: str = _setting(
        MLP, "Nets", "The form of the students; the superfeatures of a convolutional net are groups of channels.",
        allowed="mlp, or a convolutional net such as small-cnn, resnet8, wrn-16-1, vgg8",
    )  # fmt: skip
    teacher_net: str | None = _setting(
        None, "Nets", "The form of the teachers; by default the net that the paper pairs with the students'."
    )
    teacher_hidden: tuple[int, ...] = _setting((500, 500), "Nets", "Units of each hidden layer of the teacher.", min_length=1)
    student_hidden: tuple[int, ...] = _setting(
        (20, 20), "Nets", "Units of each hidden layer of the plain student; the KED student gets no more parameters.", min_length=1
    )
    activation: Literal["relu", "gelu", "silu", "tanh"] = _setting(
        "relu", "Nets", "The nonlinearity of MLPs; smooth ones take the general Hessian path, which is slower."
    )
    seeds: int = _setting(
        5, "Students", "Students of each method, one per seed; they train together and give bands and intervals.", ge=1, le=100
    )
    seed: int = _setting(0, "Students", "The first seed: of the teachers and of the first student.", ge=0, lt=2**31)
    epochs: int = _setting(20, "Training", "Passes of the students over the training data.", ge=0, le=100_000)
    teacher_epochs: int = _setting(20, "Training", "Passes of both teachers over the training data.", ge=0, le=100_000)
    batch_size: int | None = _setting(
        None, "Training", "Batch size of the students; by default 100, or max(16, n // 20) of n training samples where that is less.", ge=1
    )
    teacher_batch_size: int | None = _setting(
        None, "Training", "Batch size of the teachers; by default 500, or max(16, n // 20) of n training samples where that is less.", ge=1
    )
    chimeras: int = _setting(
        20_000, "Distillation", "Chimeras per epoch, or real samples in the control, for students that train further.",
        ge=1, le=1_000_000_000,
    )  # fmt: skip
    chimera_epochs: int = _setting(5, "Distillation", "Epochs of students that train further.", ge=1, le=100_000)
    lr: float = _setting(1e-3, "Training", "The largest learning rate, for all nets.", gt=0, allow_inf_nan=False)
    optimiser: Literal["adam", "sgd"] = _setting("adam", "Training", "Adam, or SGD with Nesterov momentum 0.9.")
    schedule: Literal["constant", "cifar", "tiny-imagenet"] = _setting(
        "constant", "Training", "How the learning rate falls over the epochs; the named ones are the paper's."
    )
    weight_decay: float = _setting(
        0.0, "Training", "Pulls the weights of kernels, and nothing else, towards zero.", ge=0, allow_inf_nan=False
    )
    augment: Literal["none", "crop", "crop+flip"] = _setting(
        "none", "Training", "How pictures are moved and mirrored at random; teachers answer for what the student sees."
    )
    temperature: float = _setting(
        10.0, "Distillation", "T, softens the teacher's predictions: higher shows the student more of the wrong classes.",
        ge=COOLEST, le=HOTTEST, allow_inf_nan=False,
    )  # fmt: skip
    tau: float = _setting(
        10.0, "Distillation", "τ, softens the teacher's explanations as T softens its predictions.",
        ge=COOLEST, le=HOTTEST, allow_inf_nan=False,
    )  # fmt: skip
    lam: float = _setting(
        0.7, "Distillation", "λ, how much of the loss comes from the teacher; the rest from the labels.", option="--lambda", ge=0, le=1
    )
    mu: float = _setting(
        0.7, "Distillation", "μ, how much of the teacher's share comes from explanations; the rest from predictions.", ge=0, le=1
    )
    rho: float = _setting(
        0.7, "Distillation", "ρ, how much of the explanations' share, or of the predictions' without them, goes to a hint.", ge=0, le=1
    )
    if_collapsed: Literal["stop", "continue"] = _setting(
        "stop", "Training",
        "What to do if a teacher is right no more often than the most frequent class, or has a dependency matrix of zeros.",
        allowed="stop, or continue all the same",
    )  # fmt: skip
    device: str = _setting(
        "auto", "Machine", "Where everything is computed; auto takes CUDA where there is one.",
        allowed="auto, cpu, cuda or cuda:1", pattern=r"^(auto|cpu|cuda(:\d+)?)$",
    )  # fmt: skip
    precision: Literal["auto", "float32"] = _setting(
        "auto", "Machine", "Whether convolutional nets compute in bfloat16 on CUDA, as auto does."
    )


@dataclass(frozen=True)
class About:
    """What is declared of a setting.

    Attributes:
        name: The field's.
        kind: int, float or str; of its members where it is several.
        several: Whether it is a tuple.
        default: Where nothing is said.
        meaning, group, option, allowed: As declared.
        choices: What it may be, where that is one of a few names.
        low, high: The least and the largest number allowed, where there is one.
    """

    name: str
    kind: type
    several: bool
    default: Any
    meaning: str
    group: str
    option: str
    allowed: str
    choices: tuple[str, ...]
    low: float | None
    high: float | None


def _about(name: str, field: FieldInfo) -> About:
    assert isinstance(field.json_schema_extra, dict)
    kind, several, choices = _typed(field.annotation)
    said = {key: str(value) for key, value in field.json_schema_extra.items()}
    low, high = ([getattr(one, end) for one in field.metadata if isinstance(one, bound)] for end, bound in (("ge", Ge), ("le", Le)))
    return About(
        name, kind, several, field.default, field.description or "", **said, choices=choices, low=next(iter(low), None),
        high=next(iter(high), None),
    )  # fmt: skip


def _typed(annotation: Any) -> tuple[type, bool, tuple[str, ...]]:
    """What a field holds, whether several of that, and the names that are allowed, where they are listed."""
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(one for one in get_args(annotation) if one is not type(None))
    if get_origin(annotation) is Literal:
        return str, False, get_args(annotation)
    several = get_origin(annotation) is tuple
    return get_args(annotation)[0] if several else annotation, several, ()


ABOUT: dict[str, About] = {name: _about(name, field) for name, field in Settings.model_fields.items()}
"""A setting's name -> what is declared of it."""


def described(model: type[BaseModel]) -> Iterator[str]:
    """The fields of a model as lines of its docstring: name, default and meaning."""
    for name, field in model.model_fields.items():
        yield f"    {name} = {field.default!r}: {field.description}"
