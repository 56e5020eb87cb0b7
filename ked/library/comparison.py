"""What two runs may be compared by: the settings in which they differ, and differences paired by the seeds they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ked.recipe import Recipe
from ked.runs.stage_keys import stage_keys
from ked.statistics import Interval, paired_difference


@dataclass(frozen=True)
class Pairing:
    """A net of one run against the same net of another one, seed by seed.

    Attributes:
        seeds: Those that both have.
        difference: Of test accuracies (0 to 1), with its 95 % interval over these seeds; None where nothing can be paired.
        reason: Why not, in a few words.
        same: Whether both runs have the very same nets, so that there is nothing to measure.
    """

    seeds: tuple[int, ...] = ()
    difference: Interval | None = None
    reason: str = ""
    same: bool = False


def pair(info: Mapping[str, Any], reference: Mapping[str, Any], net: str) -> Pairing:
    """The students `net` of a run minus those of another one, paired by seed.

    Equal seeds mean the same order of batches, and the same first weights where the nets have the same form, so what
    differs is the setting. Without two shared seeds, or on other data, nothing is paired. Of recorded runs of the same samples
    the k-th net of one is paired with the k-th of the other: nets that have nothing else in common are independent pairs.

    Args:
        info, reference: What run.json says of two finished runs.
        net: A method.
    """
    ours, theirs = (_by_seed(run, net) for run in (info, reference))
    if not ours or not theirs:
        return Pairing(reason="not in both runs")
    if not same_data(info, reference):
        return Pairing(reason="other data")
    seeds = tuple(seed for seed in ours if seed in theirs)
    if len(seeds) < 2:
        return Pairing(seeds, reason="no shared seeds" if not seeds else "one shared seed")
    values = [ours[seed] for seed in seeds], [theirs[seed] for seed in seeds]
    if values[0] == values[1] and "recorded" not in info and _key(info, net) == _key(reference, net):
        return Pairing(seeds, reason="the same nets", same=True)
    return Pairing(seeds, paired_difference(*values))


def same_data(*infos: Mapping[str, Any]) -> bool:
    """Whether runs learnt, or recorded, the very same samples."""
    return len({_data(info) for info in infos}) == 1


def _data(info: Mapping[str, Any]) -> Any:
    """What says which samples with which features a run learned; a list without entries says nothing."""
    if digest := info.get("recorded", {}).get("digest"):
        return digest
    return repr([info["recipe"].get(name) or None for name in ("dataset", "label", "drop", "keep")])


def _key(info: Mapping[str, Any], net: str) -> str:
    """All that the students depend on, but for how many of them there are."""
    return stage_keys(Recipe.make(**info["recipe"]).without(seeds=1))[f"student-{net}"]


def _by_seed(info: Mapping[str, Any], net: str) -> dict[int, float]:
    values = info.get("summary", {}).get("accuracy", {}).get(net)
    return dict(zip(info["seeds"], values, strict=True)) if isinstance(values, list) else {}


def differing(recipes: Sequence[Recipe]) -> dict[str, tuple[Any, ...]]:
    """The settings that are not the same in all recipes: name -> one value a recipe."""
    values = {name: tuple(getattr(recipe, name) for recipe in recipes) for name in Recipe.model_fields}
    return {name: row for name, row in values.items() if any(value != row[0] for value in row)}
