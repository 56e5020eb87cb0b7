"""The ways to train a student: each is one row of a table, so that a control is never a special case (METHOD 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ked.errors import InvalidInput, quoted
from ked.hints import HINTS, Hint

ATTRIBUTIONS: dict[str, Literal["mlp", "cnn"]] = {"integrated-gradients": "mlp", "gradient": "mlp", "grad-cam": "cnn"}
"""Attributions that can stand in for explanations (`ked.training.attribution_targets`), and the nets that they speak of."""


@dataclass(frozen=True)
class Method:
    """How a student is built and what it learns from.

    Attributes:
        name: As on the command line.
        label: As on a chart.
        description: One sentence for people.
        net: "plain" (black box) or "ked" (a subnet for each superfeature, same parameter budget).
        prediction: Whose softened predictions are distilled, if any: a teacher's, or the "truth", P(y | x), where data tell it.
        explanations: Which explanations are distilled: the explaining teacher's of this sample, of another sample
            ("shuffled"), random ones ("noise"), a teacher's attributions (a key of `ATTRIBUTIONS`), or none.
        continues: The method whose finished students go on training, if any.
        further: On what they go on: "chimeras", or as many real samples ("real").
        plural: Whether its label is of several, for the grammar of sentences.
        hint: Whether the last maps are compared too, and how (a key of `ked.hints.HINTS`): convolutional nets only.
    """

    name: str
    label: str
    description: str
    net: Literal["plain", "ked"]
    prediction: Literal["teacher", "explaining", "truth"] | None = None
    explanations: Literal["true", "shuffled", "noise", "integrated-gradients", "gradient", "grad-cam"] | None = None
    continues: str | None = None
    further: Literal["chimeras", "real"] | None = None
    hint: str | None = None
    plural: bool = False

    @property
    def needs_explaining_teacher(self) -> bool:
        """Whether the explaining teacher has to be trained first."""
        own = self.explanations is not None and self.attribution is None
        return self.prediction == "explaining" or own or self.further == "chimeras"

    @property
    def attribution(self) -> str | None:
        """The kind of attribution that is taught in place of explanations, if any."""
        return self.explanations if self.explanations in ATTRIBUTIONS else None

    @property
    def only(self) -> Literal["mlp", "cnn"] | None:
        """The nets that it means something with: hints compare maps, chimeras are made of input features; None for all."""
        if self.attribution:
            return ATTRIBUTIONS[self.attribution]
        return "cnn" if self.hint else "mlp" if self.further == "chimeras" else None


def _with_hint(hint: Hint) -> tuple[Method, Method]:
    """KD and KED with a hidden-representation hint (METHOD 1.6)."""
    names, labels = (f"kd+{hint.name}", f"ked+{hint.name}"), (f"KD + {hint.label}", f"KED + {hint.label}")
    return (
        Method(names[0], labels[0], f"KD with a hint. {hint.description}", "plain", "teacher", hint=hint.name),
        Method(names[1], labels[1], f"KED with a hint. {hint.description}", "ked", "explaining", "true", hint=hint.name),
    )


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("plain", "plain", "A student that learns from the labels alone.", "plain"),
        Method("kd", "KD", "Knowledge distillation: the black-box teacher's softened predictions.", "plain", "teacher"),
        Method(
            "kd-explaining",
            "KD, explaining teacher",
            "The plain net taught by the explaining teacher's predictions: same teacher as KED, other architecture.",
            "plain",
            "explaining",
        ),
        Method(
            "ked",
            "KED",
            "Knowledge explaining distillation: the explaining teacher's predictions and its explanations.",
            "ked",
            "explaining",
            "true",
        ),
        Method("architecture", "architecture only", "The KED net on labels alone: what its architecture buys by itself.", "ked"),
        Method(
            "mu0",
            "KED without explanations",
            "The KED net with the explaining teacher's predictions only.",
            "ked",
            "explaining",
        ),
        Method(
            "shuffled",
            "shuffled explanations",
            "KED with the explanations of another training sample: plausible, but of the wrong sample.",
            "ked",
            "explaining",
            "shuffled",
            plural=True,
        ),
        Method(
            "noise",
            "noise explanations",
            "KED with random explanations in place of the teacher's.",
            "ked",
            "explaining",
            "noise",
            plural=True,
        ),
        Method(
            "kd-architecture",
            "KD in the KED net",
            "The KED net with the black-box teacher's predictions only: same teacher as KD, other architecture.",
            "ked",
            "teacher",
        ),
        Method(
            "ked-ig",
            "integrated-gradient KED",
            "The black-box teacher's predictions, and its integrated gradients summed over each superfeature in place of explanations.",
            "ked",
            "teacher",
            "integrated-gradients",
        ),
        Method(
            "ked-gradient",
            "gradient KED",
            "The black-box teacher's predictions, and its gradient times input summed over each superfeature in place of explanations.",
            "ked",
            "teacher",
            "gradient",
        ),
        Method(
            "ked-gradcam",
            "Grad-CAM KED",
            "The explaining teacher's predictions, and Grad-CAM summed over each branch's map in place of its explanations.",
            "ked",
            "explaining",
            "grad-cam",
        ),
        Method(
            "bayes",
            "KD from the truth",
            "The plain net taught by the true class probabilities, known of data made here: KD from a teacher without fault.",
            "plain",
            "truth",
        ),
        Method(
            "bayes-architecture",
            "KD from the truth in the KED net",
            "The KED net taught by the true class probabilities, known of data made here: what is left for a teacher to add.",
            "ked",
            "truth",
        ),
        Method(
            "kd+chimera",
            "KD, then chimeras",
            "KD students train further on chimeras, which the black-box teacher answers.",
            "plain",
            "teacher",
            continues="kd",
            further="chimeras",
        ),
        Method(
            "kd+real",
            "KD, then more steps",
            "KD students train further, for as many steps on real samples: what the steps alone buy.",
            "plain",
            "teacher",
            continues="kd",
            further="real",
        ),
        Method(
            "ked+chimera",
            "KED, then chimeras",
            "KED students train further on chimeras, which the explaining teacher answers and explains.",
            "ked",
            "explaining",
            "true",
            continues="ked",
            further="chimeras",
        ),
        Method(
            "ked+real",
            "KED, then more steps",
            "KED students train further, for as many steps on real samples: what the steps alone buy.",
            "ked",
            "explaining",
            "true",
            continues="ked",
            further="real",
        ),
        *(method for hint in HINTS.values() for method in _with_hint(hint)),
    )
}


def method_named(name: str) -> Method:
    """The row of `METHODS` with that name; an error that lists what there is."""
    if name not in METHODS:
        raise InvalidInput(f"method {quoted(name)} is unknown; use any of {', '.join(METHODS)}.")
    return METHODS[name]
