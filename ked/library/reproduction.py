"""A short script that computes a run anew and checks that its numbers come out again."""

from __future__ import annotations

import json
import pprint
import re
from collections.abc import Mapping
from typing import Any

from ked.errors import InvalidInput
from ked.store import Run

_SCRIPT = '''\
"""Computes the run {id} anew, from nothing, and checks that its test accuracies come out again.

    python reproduce.py [TOLERANCE]

Start it where KED Explorer's package `ked` can be imported. The numbers below came from
{origin}.
The same versions, device and number of threads give the same numbers. Others round differently, and training makes more of
that: TOLERANCE, 0 by default, is the largest difference of a net's mean accuracy that still counts as agreement.
"""

import os
import sys
import tempfile

import torch

from ked import Recipe, run
from ked.files.home import home

RECIPE = {recipe}

ACCURACY = {accuracy}

THREADS = {threads}  # that computed these, or None where that is not known: other numbers of threads round sums otherwise


def mean(value):
    return sum(value) / len(value) if isinstance(value, list) else value


def main(tolerance=0.0):
    with tempfile.TemporaryDirectory() as empty:  # nothing may come from a cache; but data that are here need no download
        if (home() / "data").is_dir():
            os.symlink(home() / "data", os.path.join(empty, "data"))
        os.environ["KED_HOME"] = empty
        if THREADS:
            torch.set_num_threads(THREADS)
        for event in run(Recipe.make(**RECIPE), presets=False):
            if event["kind"] == "stage":
                print(event["stage"], "...", file=sys.stderr)
    wrong = []
    for net, before in ACCURACY.items():
        now = event["accuracy"][net]
        same = now == before or abs(mean(now) - mean(before)) <= tolerance
        wrong += [] if same else [net]
        print(f"{{net:>24}}   then {{mean(before):.4f}}   now {{mean(now):.4f}}   {{'agrees' if same else 'DIFFERS'}}")
    assert not wrong, f"other numbers than before: {{', '.join(wrong)}}"


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]))
'''


_RECORDED = '"""The run {id} was recorded with ked.record from nets that were not kept: there is nothing to compute anew."""\n'


def script(run: Run) -> str:
    """The text of reproduce.py for a finished run.

    Raises:
        InvalidInput: The run has no result.
    """
    info, recipe = run.info, run.recipe
    if "recorded" in info:
        return _RECORDED.format(id=run.id)
    if info["status"] != "done":
        raise InvalidInput(f"run {run.id} is {info['status']}; only a finished run has numbers to reproduce.")
    return _SCRIPT.format(
        id=run.id,
        origin=origin(info),
        recipe=pprint.pformat(json.loads(recipe.model_dump_json()), sort_dicts=False, width=110),
        accuracy=pprint.pformat(info["summary"]["accuracy"], sort_dicts=False, width=110),
        threads=info.get("threads"),
    )


def origin(info: Mapping[str, Any]) -> str:
    """What computed a run, in one line: commit, device and versions; an imported run may say anything, so signs are sifted."""
    versions = [f"{name} {number}" for name, number in info.get("versions", {}).items()]
    parts = [f"commit {info['commit']}"] if info.get("commit") else []
    parts += [f"device {info.get('device', 'unknown')}", *([f"{info['threads']} threads"] if "threads" in info else []), *versions]
    return ", ".join(re.sub(r"[^\w .+:/-]", "", part) for part in parts)
