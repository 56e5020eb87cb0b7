"""How accuracy grows with the number of training samples, over stored runs that differ in nothing else (METHOD 1.7)."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ked.errors import InvalidInput
from ked.recipe import Recipe
from ked.statistics import Interval, paired_difference

STUDENTS = ("kd", "ked", "ked+chimera", "ked+real")
"""What is compared: two that see the samples alone, one that goes on with chimeras, one that goes on for as many steps without."""

_FREE = {"train_size", "methods", "seeds", "seed", "device", "precision", "changes"}  # in which compared runs may differ
_OPTIONS = {"lam": "lambda"}  # fields whose name is another one on the command line

Curves = dict[str, dict[int, np.ndarray]]
"""Method -> training samples -> test accuracies (0 to 1), one a student."""


def curves(infos: Iterable[Mapping[str, Any]], like: Recipe, whole: int) -> Curves:
    """Test accuracies against the number of training samples, of finished runs with the same settings.

    Args:
        infos: What run.json says of each run.
        like: The settings. Only training samples, methods, seeds and device may be others; runs that were steered are left out.
        whole: How many training samples the data set has.

    Returns:
        Sizes in order; a student that several runs have trained from the same seeds counts once.
    """
    found = _by_seed(infos, like, whole)
    return {
        method: {n: np.array([*found[method][n].values()]) for n in sorted(found[method])} for method in STUDENTS if method in found
    }


def gained(infos: Iterable[Mapping[str, Any]], like: Recipe, whole: int) -> dict[int, Interval]:
    """What chimeras add to as many steps on real samples: n -> difference of accuracies, paired by seed, with its interval.

    Of those numbers of samples for which two or more seeds have trained both.
    """
    found = _by_seed(infos, like, whole)
    chimeras, real = (found.get(method, {}) for method in ("ked+chimera", "ked+real"))
    shared = {n: [key for key in chimeras[n] if key in real[n]] for n in sorted(chimeras) if n in real}
    return {
        n: paired_difference([chimeras[n][key] for key in keys], [real[n][key] for key in keys])
        for n, keys in shared.items()
        if len(keys) > 1
    }


def _by_seed(
    infos: Iterable[Mapping[str, Any]], like: Recipe, whole: int
) -> dict[str, dict[int, dict[tuple[int, int], float]]]:
    """Method -> training samples -> seeds of teacher and student -> test accuracy."""
    found: dict[str, dict[int, dict[tuple[int, int], float]]] = {}
    for info in infos:
        recipe = _same(info, like)
        if recipe is None:
            continue
        for method, values in info.get("summary", {}).get("accuracy", {}).items():
            if method in STUDENTS:
                seen = found.setdefault(method, {}).setdefault(recipe.train_size or whole, {})
                seen |= {(recipe.seed, seed): value for seed, value in zip(recipe.seed_list, values, strict=True)}
    return found


def _same(info: Mapping[str, Any], like: Recipe) -> Recipe | None:
    """The recipe of a finished run whose settings are those of `like`."""
    if info.get("status") != "done":
        return None
    try:
        recipe = Recipe.make(**info["recipe"])
    except InvalidInput:  # of a later version, or damaged
        return None
    same = all(getattr(recipe, name) == getattr(like, name) for name in Recipe.model_fields if name not in _FREE)
    return recipe if same and not recipe.changes else None


def sizes(whole: int) -> tuple[int, ...]:
    """A few numbers of training samples that show a curve; the last is all."""
    return (*(n for n in (50, 200, 1000, 5000) if 2 * n <= whole), whole)


def with_few(recipe: Recipe, n: int, whole: int) -> Recipe:
    """The run that adds n training samples to the curve."""
    return recipe.without(train_size=None if n == whole else n, methods=STUDENTS, changes=())


def command(recipe: Recipe) -> str:
    """The command line that makes a recipe's run; what is as usual is left out."""
    usual, parts = Recipe(), ["python", "-m", "ked", "run"]
    for name in Recipe.model_fields:
        value = getattr(recipe, name)
        if name != "changes" and value not in (None, getattr(usual, name)):
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            parts += [f"--{_OPTIONS.get(name, name).replace('_', '-')}", text]
    return shlex.join(parts)
