"""The field's words, each explained once, in at most twenty words. No streamlit here."""

from __future__ import annotations

import re

GLOSSARY = {
    "teacher": "A large net that has learnt from the labels, and from which a student learns.",
    "student": "A small net that learns from a teacher.",
    "knowledge distillation (KD)": "A student copies the teacher's probabilities of all classes, not only the right class.",
    "KED": "Knowledge explaining distillation: the student copies the teacher's explanations too, superfeature by superfeature.",
    "superfeature": "A group of input features that change a net's answer together, found as a community of its dependency graph.",
    "Hessian": "The matrix of second derivatives: how the effect of one feature changes with another.",
    "dependency matrix (W)": "How strongly two features act together: the mean absolute Hessian of the log-probabilities.",
    "community (communities)": "A group of nodes with more links inside than chance would put there; Louvain's method finds them.",
    "modularity": "How much more link strength lies inside the groups than chance would put there; 0 is chance.",
    "resolution": "What Louvain's method is told instead of a number of groups: larger gives more and smaller ones.",
    "explaining net (explaining teacher)": "A net with a subnet for each superfeature; their log-probabilities are added up.",
    "explanation": "What each superfeature says for or against each class: the net's own reasons.",
    "black box": "A net that answers without reasons: it has no subnets, so it cannot explain itself.",
    "subnet": "The part of an explaining net that sees one superfeature alone.",
    "architecture only": "A control: a net with a KED student's architecture that learns from labels alone.",
    "log-probability (log-probabilities)": "The natural logarithm of a probability: products become sums.",
    "base": "The log-probabilities before any superfeature has spoken: the teacher's average answer.",
    "contribution": "What a superfeature adds to a class's log-probability: here its exact Shapley value.",
    "Shapley value": "A member's mean effect over all orders in which members may join; the effects add up to the whole.",
    "normaliser": "What is taken from all classes alike, so that their probabilities add up to 1.",
    "nat": "The unit of natural logarithms: one nat more makes something e, about 2.7 times, as likely.",
    "coalition": "The superfeatures that take part; the others are switched off.",
    "agreement": "How alike student and teacher explain the same sample; 1 is the same, beside the level of chance.",
    "fidelity": "How often, or how nearly, a student gives its teacher's answer, right or wrong.",
    "cosine": "How far two vectors point the same way: 1 the same, 0 unrelated, −1 opposite.",
    "attribution": "A number for each feature that says how much it speaks for an answer.",
    "deletion": "The area under a class's probability while features are removed, the strongest first; low is good.",
    "insertion": "The area under a class's probability while features are put in, the strongest first; high is good.",
    "Grad-CAM": "A map of where a convolutional net looks, from its last feature maps and their gradients.",
    "infidelity": "How badly an attribution foretells what small changes of the sample do to the answer.",
    "max-sensitivity": "How much an explanation changes, at most, when the sample hardly does.",
    "chimera": "A sample put together from the superfeatures of several samples.",
    "cross-entropy": "Minus the log-probability of the right class, averaged over the samples.",
    "temperature (T, τ)": "Divides log-probabilities before they are compared: larger, and unlikely classes count for more.",
    "λ": "The teacher's share of the loss: 0 learns from labels alone, 1 from the teacher alone.",
    "μ": "The explanations' share of what the teacher gives: 0 copies answers alone, 1 explanations alone.",
    "hint": "A comparison of the student's inner feature maps with the teacher's, added to the loss.",
    "epoch": "One pass over the training data.",
    "validation set (validation data)": "Samples that no net learns from, on which choices are made.",
    "test set (test data)": "Samples that no net learns from, used once, at the end, to measure it.",
    "percentage point": "The difference between two percentages: from 90 % to 92 % is 2 percentage points.",
    "95 % interval": "Made so that in 95 of 100 repetitions it holds the true mean.",
    "Holm's correction": "Makes p values stricter where many comparisons are made, so that chance finds no winner among them.",
    "not shown": "Chance alone may explain the difference, which does not mean that there is none.",
    "adjusted Rand index (recovery)": "How well groups that are found match the true ones: 1 is perfect, 0 is chance.",
    "Bayes rule": "The best possible answers, for data whose true class probabilities are known.",
    "seed": "A number that fixes first weights and order of samples: several seeds tell chance from effect.",
}
"""A term, in brackets its other forms -> what it means."""


def explained(text: str) -> str:
    """The meanings of the field's words in a text, each once; "" where it has none."""
    found: dict[str, str] = {}
    for match in _PATTERN.finditer(text):
        for form in (match[1], match[1].removesuffix("s"), match[1].removesuffix("es")):
            if told := _FORMS.get(_key(form)):
                found.setdefault(*told)
                break
    return "  \n".join(f"**{term}**: {meaning}" for term, meaning in found.items())


def spoken() -> list[tuple[list[str], str, str]]:
    """Each term with all its forms, for whoever looks for them in a text: (forms, the term, its meaning)."""
    found = []
    for entry, meaning in GLOSSARY.items():
        term, _, others = entry.partition(" (")
        found.append(([term, *filter(None, others.rstrip(")").split(", "))], term, meaning))
    return found


def _key(word: str) -> str:
    """Long words are known in capitals, too; short ones are signs."""
    return word.lower() if len(word) > 2 else word


_FORMS = {_key(form): (term, meaning) for forms, term, meaning in spoken() for form in forms}
_LONGEST_FIRST = sorted(_FORMS, key=len, reverse=True)
# The same rule as in `words.js`.
_PATTERN = re.compile(rf"(?<![\w-])((?:{'|'.join(map(re.escape, _LONGEST_FIRST))})(?:e?s)?)(?!\w)", re.IGNORECASE)
