"""The studies page as a visitor without a browser meets it: shipped results, own cells, a study at work, the run of a cell."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from study_samples import ONE_TEACHER, keep
from visitor import address, buttons, control, figures, said, sound, visit

from ked.files import locks
from ked.files.disk import write_json
from ked.recipe import Recipe
from ked.store import Run, create_run
from ked.studies import STUDIES, Study, launch, ledger, study_named
from ked.studies.cells import Settings, cells_of
from ked.studies.report import report

Ship = Callable[[Study, Settings], Path]
KD_VS_KED = study_named("kd-vs-ked")


def words(app: AppTest) -> str:
    return " ".join(found.value for found in [*app.subheader, *app.markdown, *app.info, *app.caption])


def repeated(app: AppTest) -> str:
    """The command that computes the study."""
    (command,) = [block.value for block in app.code if block.value.startswith("python -m ked study")]
    return str(command)


def links(app: AppTest) -> dict[str, str]:
    """Page -> the query with which it is opened."""
    return {link.proto.page or "superfeatures": link.proto.query_string for link in app.get("page_link")}


@pytest.mark.parametrize("name", ["kd-vs-ked", "terms", "temperatures", "correlation"])  # one of each form of figure
def test_shipped_results_are_shown_on_a_fresh_install(name: str, ship: Ship) -> None:
    ship(study_named(name), Settings())
    app = sound(visit("studies", study=name), "studies")
    assert {"differences-accuracy", "study-accuracy"} <= figures(app)
    shown = words(app)
    assert study_named(name).question in shown
    assert "These results come with the program" in shown
    assert repeated(app) == f"python -m ked study {name}"
    assert len(control(app, "widget.cell").options) == 1 + len(study_named(name).axis)


def test_the_answer_is_that_of_the_command(ship: Ship) -> None:
    ship(KD_VS_KED, Settings())
    app = visit("studies")
    keep(KD_VS_KED, Settings())
    about = report(KD_VS_KED, Settings())
    for shown, sentence in about.findings:
        assert f"{'**●' if shown else '○'} {sentence}" in words(app)
    assert about.note in words(app)
    assert about.answer in words(app)


def test_without_any_result_the_page_says_how_to_get_some(ship: Ship) -> None:
    ship(KD_VS_KED, Settings())
    app = sound(visit("studies", size="pairs"), "studies")
    assert figures(app) == set()
    assert "Nothing of this study is finished on pairs of digits" in words(app)
    assert repeated(app) == "python -m ked study kd-vs-ked --scale pairs"
    assert not app.button(key="study-start").disabled


@pytest.mark.parametrize("shipped", [True, False], ids=["shipped", "computed here"])
def test_results_of_one_teacher_are_shown_where_there_are_no_others_and_say_so(shipped: bool, ship: Ship) -> None:
    (ship if shipped else keep)(KD_VS_KED, ONE_TEACHER)
    app = sound(visit("studies"), "studies")
    assert {"differences-accuracy", "study-accuracy"} <= figures(app)
    assert "Nothing is finished yet with 5 teachers with 3 students each. Here are results of 5 students of one teacher." in words(app)
    assert "They speak for that one teacher alone." in words(app)
    assert "all of this speaks for one teacher only" in words(app)
    assert "5 of 5 runs on digits are still missing" in words(app), "what is started is what was asked for"
    assert repeated(app) == "python -m ked study kd-vs-ked --seeds 5 --teachers 1"
    keep(KD_VS_KED, Settings())
    assert "speaks for one teacher" not in words(sound(visit("studies"), "studies"))


def test_more_teachers_than_were_asked_for_are_shown_where_they_come_with_the_program(ship: Ship) -> None:
    ship(KD_VS_KED, Settings(teachers=6))
    app = sound(visit("studies"), "studies")
    assert "More is known than 5 teachers with 3 students each: here are results of 6 teachers with 3 students each." in words(app)
    assert repeated(app) == "python -m ked study kd-vs-ked --teachers 6"
    assert repeated(visit("studies", nt="4")) == "python -m ked study kd-vs-ked --teachers 4"


def test_another_question_is_a_click_away_and_has_an_address(ship: Ship) -> None:
    for name in ("m-sweep", "kd-vs-ked"):
        ship(study_named(name), Settings())
    app = sound(visit("studies", cell="M = 2"), "studies")
    sound(buttons(app, "widget.study.Which superfeatures?").set_value("m-sweep").run(), "studies")
    assert address(app)["study"] == "m-sweep"
    assert study_named("m-sweep").question in words(app)
    assert buttons(app, "widget.study.Do explanations help?").value is None
    assert {"differences-agreement", "study-agreement", "study-modularity"} <= figures(app)
    sound(control(app, "widget.study_seeds").set_value(6).run(), "studies")
    sound(buttons(app, "widget.study_scale").set_value("paper").run(), "studies")
    assert address(app) == {"study": "m-sweep", "ns": "6", "size": "paper", "cell": "M = 2"}
    assert repeated(sound(visit("studies", **address(app)), "studies")) == repeated(app)
    assert repeated(app) == "python -m ked study m-sweep --scale paper --seeds 6"


def test_a_scale_is_offered_where_the_question_can_be_asked_of_it_and_left_where_it_cannot() -> None:
    app = sound(visit("studies", study="architecture", size="emoji"), "studies")
    assert repeated(app).startswith("python -m ked study architecture --scale emoji")
    sound(buttons(app, "widget.study.Which superfeatures?").set_value("m-sweep").run(), "studies")
    assert "emoji" not in buttons(app, "widget.study_scale").options
    assert address(app) == {"study": "m-sweep"}
    assert address(sound(visit("studies", study="m-sweep", size="emoji"), "studies")) == {"study": "m-sweep"}
    assert address(sound(visit("studies", study="correlation", size="emoji"), "studies")) == {"study": "correlation"}
    larger = sound(visit("studies", study="correlation", size="paper"), "studies")
    assert repeated(larger).startswith("python -m ked study correlation --scale paper")


def test_own_cells_stand_before_shipped_ones_and_are_named(ship: Ship) -> None:
    study = study_named("m-sweep")
    ship(study, Settings())
    keep(study, Settings(), ["M = 2", "M = 3"], shift=0.05)
    app = sound(visit("studies", study="m-sweep"), "studies")
    assert "Computed here: M = 2, M = 3; 6 of 8 levels come with the program." in words(app)
    assert "30 of 40 runs on digits are still missing" in words(app)
    keep(study, Settings())
    app = sound(visit("studies", study="m-sweep"), "studies")
    assert "All of it was computed here." in words(app)
    assert app.button(key="study-start").disabled


def test_a_study_of_which_some_cells_are_missing_says_which(ship: Ship) -> None:
    study = study_named("m-sweep")
    keep(study, Settings(), ["M = 1", "M = 2"])
    app = sound(visit("studies", study="m-sweep"), "studies")
    assert "left out: M = 3, M = 4, M = 6, M = 8, M = 12, M = 16." in words(app)


def test_the_authors_numbers_stand_beside_ours_and_are_said_to_be_one_run(ship: Ship) -> None:
    ship(study_named("architecture"), Settings("paper"))
    app = sound(visit("studies", study="architecture", size="paper"), "studies")
    assert "teacher 90.00, explaining teacher 89.53, plain 87.50, KD 88.28, KED 88.68 %. One run has no interval." in words(app)


def test_the_run_of_a_cell_opens_on_the_other_pages(finish: Callable[[Recipe], Run], ship: Ship, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"teacher_hidden": (12,), "student_hidden": (8,), "epochs": 1, "teacher_epochs": 1, "dependency_samples": 20, "train_size": 100}
    monkeypatch.setitem(STUDIES, "noise", Study("noise", "Does it?", {"M = 4": small}, ("kd", "ked"), (), {}))
    cell, *_ = cells_of(STUDIES["noise"], Settings())
    run = finish(cell.recipe)
    app = sound(visit("studies", study="noise", cell="M = 4"), "studies")
    assert links(app).keys() == {"train", "explain", "agreement", "superfeatures"}
    assert all(f"run={run.id}" in query and "study=noise" in query for query in links(app).values())
    assert run.id in app.dataframe[-1].value["run"].iloc[0]


def test_a_cell_whose_run_is_elsewhere_or_not_finished_says_so(ship: Ship, at_work: Callable[[Run], Run]) -> None:
    ship(KD_VS_KED, Settings())
    app = sound(visit("studies", cell="M = 2"), "studies")
    assert links(app) == {}
    assert "is not on this machine: start the study" in words(app)
    cell, *_ = cells_of(KD_VS_KED, Settings())
    at_work(create_run(cell.recipe, cell=cell.key))
    app = sound(visit("studies", cell="M = 2"), "studies")
    assert links(app).keys() == {"train"}, "it can be watched, but does not explain anything yet"
    assert "1 training now; shipped with the program" in app.expander[-1].label
    assert address(sound(visit("studies", cell="M = 99"), "studies")) == {}


def test_start_and_stop_of_a_study_from_the_page(ship: Ship, wait_for: Callable[..., None]) -> None:
    ship(KD_VS_KED, Settings())
    app = sound(visit("studies"), "studies")
    sound(app.button(key="study-start").click().run(), "studies")
    assert launch.look(KD_VS_KED).settings == Settings()  # type: ignore[union-attr]
    assert "study-start" not in {button.key for button in app.button}
    sound(app.button(key="study-stop").click().run(), "studies")
    wait_for(lambda: not launch.look(KD_VS_KED).active)  # type: ignore[union-attr]
    sound(app.run(), "studies")
    assert "stopped; what is finished is kept" in words(app)
    assert not app.button(key="study-start").disabled
    assert ledger.read(KD_VS_KED.name) == {}


def test_a_study_that_somebody_else_has_started_is_told_and_followed(ked_home: Path, ship: Ship) -> None:
    ship(KD_VS_KED, Settings())
    folder = ked_home / "studies" / KD_VS_KED.name
    folder.mkdir(parents=True, exist_ok=True)
    about = {"pid": os.getpid(), "began": time.time(), "stopping": False, "settings": asdict(Settings(seeds=7, teachers=2))}
    write_json(folder / "process.json", about)
    (folder / "progress.jsonl").write_text('{"kind":"began","cells":1}\n', "utf-8")
    with locks.locked(folder / ".process"):  # as the study's process does
        app = sound(visit("studies"), "studies")
        assert "already running, with 2 teachers with 7 students each on digits" in words(app)
        assert "study-start" not in {button.key for button in app.button}
        (other,) = [button for button in app.button if button.label == "Look at that one"]
        sound(other.click().run(), "studies")
        assert address(app) == {"nt": "2", "ns": "7"}
        assert "computing** · 0 of 1 cells" in words(app)


def test_how_a_study_broke_off_and_why_a_cell_failed_is_said(ked_home: Path, ship: Ship) -> None:
    ship(KD_VS_KED, Settings())
    cell, *_ = cells_of(KD_VS_KED, Settings())
    folder = ked_home / "studies" / KD_VS_KED.name
    folder.mkdir(parents=True, exist_ok=True)
    about = {"pid": 2**22 + 1, "began": time.time(), "stopping": False, "settings": asdict(Settings())}
    write_json(folder / "process.json", about)
    told = f'{{"kind":"began","cells":1}}\n{{"kind":"failed","key":"{cell.key}","message":"the data are gone."}}\n'
    (folder / "progress.jsonl").write_text(told, "utf-8")
    app = visit("studies")
    ended, failed = said(app)
    assert "ended without a word" in ended
    assert failed == "The data are gone."
    assert app.dataframe[-1].value["there"].tolist()[0] == "✕ failed"
    assert not app.button(key="study-start").disabled


def test_damaged_shipped_results_are_a_sentence(ship: Ship) -> None:
    ship(KD_VS_KED, Settings()).write_text("nonsense", "utf-8")
    app = visit("studies")
    assert [error.message for error in app.exception] == []
    (message,) = said(app)
    assert "cells.csv cannot be read" in message
