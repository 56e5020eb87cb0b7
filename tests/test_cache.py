"""What is remembered of runs between reruns and visitors: under which version of which folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from visitor import copy_of

from explorer import cache
from explorer.pictures import feature_bars
from ked.errors import Unavailable
from ked.store import Run, list_presets, list_runs


@pytest.fixture
def finished(small_run: Run, ked_home: Path) -> Run:
    """A finished run in this test's home, which may be changed."""
    return copy_of(small_run, ked_home)


def written(run: Run) -> int:
    return (run.folder / "run.json").stat().st_mtime_ns


def test_a_run_of_the_same_id_and_second_in_another_home_is_another_run(finished: Run, tmp_path: Path) -> None:
    twin = Run(Path(shutil.copytree(finished.folder, tmp_path / "elsewhere" / finished.id)))
    at = written(twin)
    twin.update(note="elsewhere")
    os.utime(twin.folder / "run.json", ns=(at, at))
    assert (twin.id, written(twin)) == (finished.id, written(finished))
    assert [cache.facts(run).get("note") for run in (finished, twin, finished)] == [None, "elsewhere", None]
    assert cache.trajectories(twin, "teacher", 0) is not cache.trajectories(finished, "teacher", 0)


def test_run_json_is_read_once_for_each_of_its_versions(finished: Run) -> None:
    said, at = cache.facts(finished), written(finished)
    (finished.folder / "run.json").write_text("damaged")
    os.utime(finished.folder / "run.json", ns=(at, at))
    assert cache.facts(Run(finished.folder)) == said, "it was opened again"
    os.utime(finished.folder / "run.json", ns=(at + 1, at + 1))
    with pytest.raises(Unavailable, match="damaged"):
        cache.facts(finished)


@pytest.mark.parametrize("ask", [cache.facts, cache.recipe, cache.dataset_of, cache.convolutional, cache.curves])
def test_of_a_run_that_was_deleted_a_sentence_is_said(
    ask: Callable[[Run], object], finished: Run, one_sentence: Callable[[str], str]
) -> None:
    ask(finished)
    shutil.rmtree(finished.folder)
    with pytest.raises(Unavailable) as told:
        ask(finished)
    assert finished.id in one_sentence(str(told.value))


def test_a_new_version_has_its_net_read_anew_and_goes_on_with_what_was_asked_over_the_epochs(finished: Run) -> None:
    net, told = cache.net(finished, "teacher"), cache.trajectories(finished, "teacher", 0)
    assert cache.net(Run(finished.folder), "teacher") is net
    finished.update(note="new")
    assert cache.net(finished, "teacher") is not net
    assert cache.trajectories(finished, "teacher", 0) is told


def test_presets_and_own_runs_stand_in_the_list_and_are_remembered_alike(finished: Run) -> None:
    assert cache.list_runs() == list_runs() == [finished, *list_presets()]
    assert [cache.facts(run) for run in cache.list_runs()] == [run.info for run in list_runs()]
    assert [cache.recipe(run) for run in cache.list_runs()] == [run.recipe for run in list_runs()]


def test_a_figure_is_drawn_once_for_all_who_look_at_the_same() -> None:
    def shown(lit: int, *values: float) -> go.Figure:
        return cache.figure(feature_bars.measured, ((0,), (1,)), ("a", "b"), np.array(values), ("one", "two"), lit)

    assert shown(0, 1.0, 2.0) is shown(0, 1.0, 2.0)
    assert list(shown(0, 1.0, 2.0).data[0].x) != list(shown(0, 1.0, 3.0).data[0].x)
    assert shown(1, 1.0, 2.0) is not shown(0, 1.0, 2.0)


@pytest.mark.parametrize("place", [0, 300_000, 639_999])
def test_figures_of_large_matrices_that_differ_in_one_cell_are_told_apart(place: int) -> None:
    W = np.zeros((800, 800), dtype=np.float32)
    other = W.copy()
    other.flat[place] = 1.0
    drawn = [cache.figure(go.Figure, {"data": [{"type": "heatmap", "z": cells}]}) for cells in (W, other)]
    assert [float(np.asarray(figure.data[0].z).flat[place]) for figure in drawn] == [0.0, 1.0]
