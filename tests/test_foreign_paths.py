"""A path in a recipe means a file of the machine that the run was made on: there it holds in every folder, elsewhere it opens nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_line import Ked
from visitor import PAGES, said, usable, visit
from zips import exported, zipped

from explorer.report.document import report
from ked import data, jobs
from ked.data.sources import FOREIGN
from ked.errors import InvalidInput, Unavailable
from ked.jobs.slots import Slot
from ked.library.archive import import_run
from ked.recipe import Recipe
from ked.store import Run, create_run, list_presets, load_run

OneSentence = Callable[[str], str]


@pytest.fixture
def flowers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table in the working folder, whose class is in a column of its own name."""
    folder = tmp_path / "garden"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = [
        f"{','.join(f'{value:.3f}' for value in rng.normal(kind, 1, 4))},{'abc'[kind]}" for kind in range(3) for _ in range(30)
    ]
    (folder / "flowers.csv").write_text("\n".join(["long,wide,deep,tall,kind", *rows]) + "\n")
    monkeypatch.chdir(folder)
    return folder / "flowers.csv"


@pytest.fixture
def made(flowers: Path, ked: Ked) -> Run:
    """A run that the command line made of it, by its name alone."""
    options = "--label kind --methods plain --seeds 2 --epochs 2 --teacher-epochs 2 --teacher-hidden 8 --student-hidden 4 --superfeatures 2"
    answer = ked("run", "--dataset", "flowers.csv", *options.split(), "--json")
    assert answer.code == 0, answer.err
    return load_run(str(answer.result["run"]))


def test_a_report_of_a_run_by_path_is_written_from_any_folder_or_names_the_file_that_is_missing(
    made: Run, flowers: Path, ked: Ked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_sentence: OneSentence
) -> None:
    assert made.recipe.dataset == str(flowers)
    monkeypatch.chdir(tmp_path)
    answer = ked("report", made.id, "-o", "flowers.html")
    assert (answer.code, answer.out.strip()) == (0, "flowers.html"), answer.err
    assert "flowers" in (tmp_path / "flowers.html").read_text("utf-8")
    flowers.unlink()
    from explorer import cache

    cache.dataset.clear()
    answer = ked("report", made.id, "-o", "again.html")
    assert answer.code == 2
    assert "There is no file" in one_sentence(answer.err.strip())
    assert "flowers.csv" in answer.err
    assert not (tmp_path / "again.html").exists()


def test_an_imported_run_opens_no_file_of_this_machine(
    made: Run, flowers: Path, ked_home: Path, one_sentence: OneSentence
) -> None:
    files = exported(made)
    assert str(flowers).encode() in files["run.json"]
    shutil.rmtree(ked_home)
    run = import_run(zipped(files))  # the file is there, and may be anybody's
    assert run.recipe.dataset == f"{FOREIGN}flowers.csv"
    for refusing in (lambda: report(run), lambda: data.load(run.recipe.dataset, run.recipe.label)):
        with pytest.raises(Unavailable, match=r"'flowers\.csv' of the machine that the run was made on") as caught:
            refusing()
        one_sentence(str(caught.value))
    assert not data.here(run.recipe.dataset)
    assert run.info["summary"] == made_summary(files)


def made_summary(files: dict[str, bytes]) -> object:
    return json.loads(files["run.json"])["summary"]


def test_the_pages_show_an_imported_run_without_its_file_and_say_why_there_is_no_report(made: Run, ked_home: Path) -> None:
    files = exported(made)
    shutil.rmtree(ked_home)
    run = import_run(zipped(files))
    app = visit("runs", compare=run.id)
    usable(app, "runs")
    assert said(app) == []
    assert any("told where the run's data are" in found.value for found in app.caption)
    assert {"Recipe", "Provenance"} <= {found.value.strip("*") for found in app.markdown}  # nothing below is missing
    (button,) = [button for button in app.button if button.label == "Report"]
    button.click().run()
    usable(app, "runs")
    (failure,) = said(app)
    assert failure.startswith("There is no report of this run: The data are the file")
    assert "Save the report" not in {button.label for button in app.get("download_button")}
    for page in PAGES:
        app = visit(page, run=run.id)
        usable(app, page)
        assert "of another machine" in said(app)[0]


def test_a_report_that_could_be_written_is_offered() -> None:
    run = next(preset for preset in list_presets() if preset.id == "digits-preset")
    app = visit("runs", compare=run.id)
    (button,) = [button for button in app.button if button.label == "Report"]
    button.click().run()
    usable(app, "runs")
    assert said(app) == []
    assert "Save the report" in {button.label for button in app.get("download_button")}


PATHS = {
    "/etc/hosts.csv": "hosts.csv",
    "../../secret.npz": "secret.npz",
    "~/pictures.zip": "pictures.zip",
    r"C:\data\flowers.csv": "flowers.csv",
    "<b>x</b>.csv": "b_.csv",
    "a" * 300 + ".csv": "a" * 60,
    "folder/": "",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_of_another_machine_becomes_the_name_of_a_file_that_is_not_here(path: str) -> None:
    assert data.foreign(path) == FOREIGN + PATHS[path]
    assert data.foreign(data.foreign(path)) == data.foreign(path)
    assert Recipe(dataset=data.foreign(path)).dataset == data.foreign(path)


@pytest.mark.parametrize("name", ["digits", "planted", "planted:features=40,groups=5", "own:flowers-0123456789"])
def test_names_mean_the_same_on_every_machine(name: str) -> None:
    assert data.foreign(name) == data.absolute(name) == name


def test_a_path_is_kept_as_one_that_holds_in_every_folder(flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run(Recipe(dataset="flowers.csv", label="kind"))
    monkeypatch.chdir("/")
    assert run.recipe.dataset == str(flowers)
    assert data.fingerprint(run.recipe.dataset)


def test_a_run_that_was_imported_unfinished_does_not_go_on_with_a_file_of_this_machine(
    flowers: Path, one_sentence: OneSentence
) -> None:
    run = create_run(Recipe(dataset=str(flowers), label="kind"))
    run.update(status="cancelled", imported=1.0)
    jobs.work(run, Slot())
    assert jobs.status(run) == "failed"
    assert "of the machine that the run was made on" in one_sentence(run.info["message"])


def test_no_address_names_a_file_of_the_server(flowers: Path) -> None:
    for query in ({"data": str(flowers)}, {"data": "flowers.csv"}, {"data": f"{FOREIGN}flowers.csv"}):
        app = visit("data", **query)
        usable(app, "data")
        assert "was ignored" in said(app)[0]


def test_a_foreign_name_on_the_command_line_is_refused(ked: Ked, one_sentence: OneSentence) -> None:
    answer = ked("run", "--dataset", f"{FOREIGN}flowers.csv", "--methods", "plain")
    assert answer.code == 1
    one_sentence(answer.err.strip().splitlines()[-1])
    with pytest.raises(InvalidInput):
        data.check("no-such-data")
    assert os.path.exists("/")
