"""The server's side of the app: figures of a watched run, reruns of every page, memory of visitors. `python tests/benchmarks/live_page.py`.

Prints one JSON object. No browser takes part: visitors are streamlit's AppTest, in this process.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
RERUNS, BUILDS, TABS = 5, 5, 30


def main() -> None:
    """Measure in a home of its own, with a finished digits run of 60 moments: 20 epochs of both teachers and of the students."""
    from ked.recipe import Recipe
    from ked.runs.pipeline import run
    from ked.store import create_run

    recipe = Recipe.make(dataset="digits", methods=("plain", "kd", "ked"), seeds=5, epochs=20, teacher_epochs=20)
    watched = create_run(recipe)
    for _ in run(recipe, into=watched):
        pass
    found = figures(watched.id) | {"rerun_seconds": reruns(watched.id)} | memory(watched.id)
    print(json.dumps({"benchmark": "live page", "load": os.getloadavg()[0], **found}))


def figures(run_id: str) -> dict[str, Any]:
    """What a tick of the Train page costs at most: all figures with all their moments, at first and made anew."""
    from visitor import visit

    from explorer.replay import figures as replay

    built: list[tuple[float, replay.Made]] = []
    make = replay.make

    def timed(looked_at: replay.Replay) -> replay.Made:
        seconds, made = _seconds(lambda: make(looked_at))
        built.append((seconds, made))
        return made

    with patch.object(replay, "make", timed):
        app = visit("train", run=run_id)
        for _ in range(BUILDS):
            app.session_state["ked.past"] = None
            app.run()
    assert not app.exception
    made = built[0][1].figures
    return {
        "figures": len(made),
        "moments": max(len(figure.frames) for figure in made.values()),
        "first_build_seconds": built[0][0],
        "rebuild_seconds": median(seconds for seconds, _ in built[1:]),
        "figures_json_bytes": sum(len(figure.to_json().encode()) for figure in made.values()),
    }


def reruns(run_id: str) -> dict[str, float]:
    """Page -> median seconds of a rerun without changes."""
    from visitor import TITLES, visit

    times = {}
    for page in TITLES:
        app = visit(page, run=run_id)
        assert not app.exception
        times[page] = median(_seconds(app.run)[0] for _ in range(RERUNS))
    return times


def memory(run_id: str) -> dict[str, float]:
    """Megabytes in use after one tab that was opened and closed, and after so many more."""
    before = _after_tabs(run_id, 1)
    after = _after_tabs(run_id, TABS)
    return {"tabs": TABS, "megabytes_before": before, "megabytes_after": after, "megabytes_a_tab": (after - before) / TABS}


def _after_tabs(run_id: str, count: int) -> float:
    import psutil
    from visitor import visit

    for _ in range(count):
        app = visit("train", run=run_id)
        assert not app.exception
        del app
    gc.collect()
    return float(psutil.Process().memory_info().rss / 1e6)


def _seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"KED_HOME": home, "KED_WARM_SECONDS": "0"}
        main()
