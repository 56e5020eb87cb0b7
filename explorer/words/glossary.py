"""The field's words, each explained once, in at most twenty words. No streamlit here."""

from __future__ import annotations

GLOSSARY = {
    "teacher": "A large net that has learnt from the labels, and from which a student learns.",
    "student": "A small net that learns from a teacher.",
    "knowledge distillation (KD)": "A student copies the teacher's probabilities of all classes, not only the right class.",
    "KED": "Knowledge explaining distillation: the student copies the teacher's explanations too, superfeature by superfeature.",
    "superfeature": "A group of input features that change a net's answer together, found as a community of its dependency graph.",
    "dependency matrix W": "How strongly two features act together: the mean absolute Hessian of the log-probabilities.",
    "community": "A group of nodes with more links inside than chance would put there; Louvain's method finds them.",
    "modularity": "How much more link strength lies inside the groups than chance would put there; 0 is chance.",
    "explaining net": "A net with a subnet for each superfeature; their log-probabilities are added up.",
    "base": "The log-probabilities before any superfeature has spoken: the teacher's average answer.",
    "contribution": "What a superfeature adds to a class's log-probability: here its exact Shapley value.",
    "nat": "The unit of natural logarithms: one nat more makes something e, about 2.7 times, as likely.",
    "coalition": "The superfeatures that take part; the others are switched off.",
    "agreement": "How alike student and teacher explain the same sample; 1 is the same, beside the level of chance.",
    "fidelity": "How often, or how nearly, a student gives its teacher's answer, right or wrong.",
    "attribution": "A number for each feature that says how much it speaks for an answer.",
    "chimera": "A sample put together from the superfeatures of several samples.",
    "temperature T, τ": "Divides log-probabilities before they are compared: larger, and unlikely classes count for more.",
    "λ": "The teacher's share of the loss: 0 learns from labels alone, 1 from the teacher alone.",
    "μ": "The explanations' share of what the teacher gives: 0 copies answers alone, 1 explanations alone.",
    "seed": "A number that fixes first weights and order of samples: several seeds tell chance from effect.",
}
"""A term -> what it means."""
