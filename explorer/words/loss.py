"""What a KED student minimises, with the numbers that are set now, and what each of them does. No streamlit here."""

from __future__ import annotations

from collections.abc import Mapping

from ked.losses import weights
from ked.methods import METHODS
from ked.recipe import Recipe

NAMES = {"mu": "μ", "lam": "λ", "temperature": "T", "tau": "τ"}
"""The loss's own settings, in the order of their controls."""

PAPER: dict[str, float] = {name: Recipe.model_fields[name].default for name in NAMES}
"""The paper's values (arXiv 2310.02572), which are a recipe's defaults."""

RAISED = {
    "mu": "Raise μ, and the student copies each superfeature's reasons more, and the teacher's whole answer less.",
    "lam": "Raise λ, and the student listens more to its teacher, and less to the labels.",
    "temperature": "Raise T, and the teacher's unlikely classes count more; the factor T² keeps the term's strength.",
    "tau": "Raise τ, and the unlikely classes of each explanation count more; the factor τ² keeps the term's strength.",
}
"""Setting -> what happens if it is raised."""

_PARTS = {
    "ce": (r"(1-\lambda)", r"\mathrm{CE}", ("lam",)),
    "prediction": (r"\lambda\,(1-\mu)\,T^2", r"\mathrm{KL}_T(\text{answer})", ("lam", "mu", "temperature")),
    "explanation": (r"\lambda\,\mu\,\tau^2", r"\tfrac1M\sum_m\mathrm{KL}_\tau(\text{superfeature }m)", ("lam", "mu", "tau")),
}


def formula(values: Mapping[str, float], moved: str = "") -> str:
    """The loss in LaTeX, in letters and below them in numbers; the terms that the setting `moved` is part of are framed."""
    found = weights(METHODS["ked"], *(values[name] for name in ("temperature", "tau", "lam", "mu")))
    rows: list[str] = []
    for name, (letters, term, settings) in _PARTS.items():
        written = rf"{letters}\;{term}"
        framed = rf"\boxed{{{written}}}" if moved in settings else written
        rows.append(rf"&{'+' if rows else ''}\;{framed} & &= {found[name]:.3g}\;{term}")
    return r"\begin{aligned}\mathcal{L}=" + r"\\[4pt] ".join(rows) + r"\end{aligned}"
