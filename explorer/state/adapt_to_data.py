"""What has to change in the settings when other data are chosen: a table is no picture, and has fewer features. No streamlit here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ked.recipe import MLP


def fitting(chosen: Mapping[str, Any], shape: tuple[int, ...], groups: int = 0) -> dict[str, Any]:
    """The changes that let the settings train on samples of this shape; settings that fit already are not among them.

    groups: how many superfeatures there can be at most, where some features stay together.
    """
    most = groups or math.prod(shape)
    fits: dict[str, Any] = {"superfeatures": min(chosen["superfeatures"], most)}
    if chosen["student_superfeatures"] > most:
        fits["student_superfeatures"] = 0
    if len(shape) == 1:
        fits |= {"net": MLP, "augment": "none"}
    return {name: value for name, value in fits.items() if chosen[name] != value}
