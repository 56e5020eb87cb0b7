"""What a notebook shows: tables, figures and HTML of the library's results, and the app opened beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

import ked
from ked import run_tables, showing
from ked.errors import InvalidInput, Unavailable
from ked.recipe import Recipe
from ked.store import Run, create_run, load_run
from ked.studies.cells import Settings
from ked.studies.report import report_with_shipped


@pytest.fixture
def no_server_stays() -> Iterator[None]:
    yield
    for server in showing._servers.values():
        server.terminate()
        server.wait(180)
    showing._servers.clear()


def test_results_and_curves_are_the_tables_that_are_exported(small_run: Run) -> None:
    results, curves = small_run.results(), small_run.curves()
    assert results.columns.tolist() == ["net", "seed", "test_accuracy", "parameters"]
    assert results.groupby("net").test_accuracy.mean()["ked"] == pytest.approx(sum(small_run.info["summary"]["accuracy"]["ked"]) / 2)
    assert set(curves.stage) == {"teacher", "explaining", "student-plain", "student-kd", "student-ked"}
    assert run_tables.as_csv(run_tables.results(small_run)).splitlines()[1:] == [
        ",".join(map(str, row)) for row in results.itertuples(index=False)
    ]


def test_a_run_without_a_result_says_so(one_sentence: Callable[[str], str]) -> None:
    run = create_run(Recipe())
    for ask in (run.results, run.plot):
        with pytest.raises(Unavailable) as raised:
            ask()
        assert "queued" in one_sentence(str(raised.value))
    assert "queued" in run._repr_html_()
    assert run.curves().empty


def test_everything_has_html_and_a_figure(small_run: Run) -> None:
    found = report_with_shipped(ked.studies.STUDIES["m-sweep"], Settings())
    for shown in (small_run, small_run.superfeatures(), found):
        assert shown._repr_html_().startswith("<")
        assert len(shown.plot().data)
    assert found.to_frame() is found.contrast_table
    with pytest.raises(InvalidInput, match="compares nothing"):
        found.plot("beauty")
    changed = small_run.recipe.to_frame()
    assert changed.loc["epochs"].tolist() == [2, Recipe().epochs]
    assert "teacher_hidden" in small_run.recipe._repr_html_()


def test_the_app_opens_at_a_run_and_is_started_once(no_server_stays: None) -> None:
    run = load_run("digits-preset")
    first, second = run.open(browser=False), run.open("agreement", browser=False)
    assert first.endswith("/explain?run=digits-preset")
    assert second.split("/agreement")[0] == first.split("/explain")[0]
    with urlopen(first, timeout=180) as answer:
        assert answer.status == 200
    assert len(showing._servers) == 1


def test_a_run_elsewhere_is_not_opened(tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    with pytest.raises(InvalidInput) as raised:
        Run(tmp_path / "elsewhere").open(browser=False)
    assert "import it first" in one_sentence(str(raised.value))
