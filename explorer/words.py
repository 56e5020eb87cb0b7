"""What the numbers on the explain page say, in plain sentences made from them. No streamlit here."""

from __future__ import annotations

import numpy as np


def verdict(net: str, log_p: np.ndarray, truth: int, classes: tuple[str, ...]) -> str:
    """What a net answers, how sure it is, and whether that is right; log_p (C,)."""
    answer = int(log_p.argmax())
    right = "which is right" if answer == truth else f"but it is {classes[truth]}"
    return f"The {net} says **{classes[answer]}** ({np.exp(log_p[answer]):.0%}), {right}."


def reasons(phi: np.ndarray, label: int, classes: tuple[str, ...]) -> str:
    """Which superfeature speaks most for a class and which most against it; phi (M, C), centred over the classes."""
    column = phi[:, label]
    most, least = int(column.argmax()), int(column.argmin())
    if column[most] <= 0:
        return f"No superfeature speaks for {classes[label]}."
    text = f"Superfeature {most + 1} speaks most for {classes[label]} ({column[most]:+.2f})"
    return text + (
        f", superfeature {least + 1} against it ({column[least]:+.2f})." if column[least] < 0 else "; none speaks against it."
    )


def comparison(teacher: np.ndarray, student: np.ndarray, label: int) -> str:
    """Whether two nets rank the superfeatures alike for a class; both phi (M, C), centred."""
    same_order = (teacher[:, label].argsort() == student[:, label].argsort()).all()
    signs = int((np.sign(teacher[:, label]) == np.sign(student[:, label])).sum())
    ranks = "the same order of importance" if same_order else "another order of importance"
    return f"Teacher and student agree on the sign of {signs} of {len(teacher)} superfeatures and give them {ranks}."
