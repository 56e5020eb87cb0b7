"""A teacher that has learnt nothing stops its run with what to do, and each net stands beside what the most frequent class would reach."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from command_line import Ked
from visitor import said, sound, usable, visit

from explorer.words.results import result_table
from ked.data import load
from ked.errors import Unavailable
from ked.recipe import Recipe
from ked.runs.collapse import majority
from ked.runs.pipeline import run as run_recipe
from ked.store import Run, create_run, load_run

Finish = Callable[[Recipe], Run]

DEAD = Recipe(
    dataset="breast-cancer", methods=("plain", "ked"), seeds=2, epochs=1, teacher_epochs=6, superfeatures=3, lr=1.0,
    teacher_hidden=(32, 32, 32, 32), student_hidden=(8,),
)  # fmt: skip


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run of a teacher whose learning rate was so high that it answers one class for everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KED_HOME", str(tmp_path_factory.mktemp("dead")))
        run = create_run(DEAD)
        with pytest.raises(Unavailable):
            list(run_recipe(DEAD, into=run))
    return run


def test_a_dead_teacher_stops_the_run_before_anybody_learns_from_it(stopped: Run, one_sentence: Callable[[str], str]) -> None:
    assert (stopped.status, stopped.info["diverged"]) == ("failed", False)
    assert one_sentence(stopped.info["message"]) == (
        "the teacher has learnt nothing: it is right on 62.6 % of the validation samples, and the most frequent class alone would be on "
        "62.6 %; train longer or with a learning rate below 1, or set if_collapsed to continue, and the run goes on all the same."
    )
    assert stopped.has("teacher")
    assert not stopped.has("student-plain")
    assert not stopped.has("superfeatures")


def test_it_goes_on_when_it_is_told_to_and_says_what_it_rests_on(finish: Finish) -> None:
    run = finish(DEAD.without(if_collapsed="continue"))
    teacher, matrix, explaining = run.info["collapsed"]
    assert teacher.startswith("the teacher has learnt nothing: it is right on 62.6 %")
    assert matrix.startswith("the dependency matrix is zero: no two features act together")
    assert explaining.startswith("the explaining teacher has learnt nothing")
    assert not bool(run.dependency().any())
    app = usable_train(run)
    assert [text for text in said(app) if "has learnt nothing" in text or "matrix is zero" in text]


def usable_train(run: Run) -> object:
    app = visit("train", run=run.id)
    usable(app, "train")
    return app


def test_what_needs_no_links_goes_on_without_them(finish: Finish) -> None:
    whole = finish(DEAD.without(if_collapsed="continue", methods=("plain",), superfeatures=1))
    assert len(whole.info["collapsed"]) == 1, "one group needs no links"
    grouped = finish(DEAD.without(if_collapsed="continue", methods=("plain",), grouping="random"))
    assert len(grouped.info["collapsed"]) == 1, "random groups need none"


def test_a_teacher_that_has_hardly_been_trained_is_not_blamed(finish: Finish) -> None:
    for epochs in (0, 1):  # an epoch is too little to blame anybody either
        run = finish(DEAD.without(teacher_epochs=epochs, lr=1e-7, methods=("plain",)))
        assert "collapsed" not in run.info


def test_a_sound_run_says_nothing_of_it_and_has_the_rate_of_the_most_frequent_class(small_run: Run) -> None:
    assert "collapsed" not in small_run.info
    y = load("digits").part("test")[1]
    commonest = int(torch.bincount(load("digits").part("train")[1]).argmax())
    assert small_run.info["summary"]["majority"] == majority(load("digits"), y) == float((y == commonest).double().mean())


def test_every_net_stands_beside_the_most_frequent_class() -> None:
    summary = {"accuracy": {"teacher": 0.626, "plain": [0.9, 0.95, 1.0]}, "majority": 0.626, "parameters": {"teacher": 9, "plain": 3}}
    table = result_table(summary, {})
    assert table["above the most frequent class, 62.6 %"].tolist() == ["0.00", "+32.40"]
    assert not any("most frequent" in name for name in result_table({**summary, "majority": 0.1} | {"accuracy": {}}, {}).columns)
    assert not any("most frequent" in name for name in result_table({k: v for k, v in summary.items() if k != "majority"}, {}).columns)


def test_the_command_stops_with_the_sentence_and_its_table_has_the_rate(ked: Ked) -> None:
    dead = (
        "run", "--dataset", "breast-cancer", "--methods", "plain", "--seeds", "1", "--epochs", "1", "--teacher-epochs", "6", "--lr", "1",
        "--teacher-hidden", "32,32,32,32", "--student-hidden", "8", "--superfeatures", "3",
    )  # fmt: skip
    stopped = ked(*dead)
    assert stopped.code == 1
    assert "the teacher has learnt nothing" in stopped.err
    told = ked(*dead, "--if-collapsed", "continue")
    assert told.code == 0
    assert "chance is the most frequent class alone: 62.83 %" in " ".join(told.out.split())
    assert "warning: the teacher has learnt nothing" in told.err


def test_the_presets_have_both_numbers() -> None:
    for name in ("digits-preset", "digits-small-cnn-preset", "fashion-mnist-preset"):
        summary = load_run(name).info["summary"]
        assert set(summary["validation"]) == set(load_run(name).recipe.methods)
        assert 0.09 < summary["majority"] < 0.11
    sound(visit("train", run="digits-preset"), "train")
