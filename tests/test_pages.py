"""The pages as a visitor meets them, without a browser: every view opens, and whatever is wrong is said in a sentence."""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest, local_script_runner

from explorer.settings import SETTINGS
from ked.data import fashion_mnist
from ked.recipe import Recipe
from ked.store import PRESETS, Run, create_run, load_run

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("superfeatures", "train", "explain")
TITLES = dict(zip(PAGES, ("Which features belong together?", "Train students on explanations", "What does each superfeature say?"),
                  strict=True))  # fmt: skip


def visit(page: str = "superfeatures", **address: str) -> AppTest:
    """A new visitor who opens a page with this address."""
    app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60)
    for key, text in address.items():
        app.query_params[key] = text
    return app.run() if page == "superfeatures" else turn_to(app, page)


def turn_to(app: AppTest, page: str) -> AppTest:
    return app.switch_page(f"app_pages/{page}.py").run()


def sound(app: AppTest, page: str) -> AppTest:
    """Checks that the page is all there and nothing went wrong."""
    usable(app, page)
    assert not app.error
    assert not app.warning
    return app


def usable(app: AppTest, page: str) -> None:
    """Checks that no exception reached the visitor and that there are controls to go on with."""
    assert [error.message for error in app.exception] == []
    assert [title.value for title in app.title] == [TITLES[page]]
    assert app.selectbox(key="widget.dataset").options


def said(app: AppTest) -> list[str]:
    return [message.value for message in [*app.error, *app.warning]]


def address(app: AppTest) -> dict[str, str]:
    return {key: text[0] if isinstance(text, list) else text for key, text in app.query_params.items()}


def figure(app: AppTest, key: str) -> dict[str, Any]:
    """The plotly figure that the page draws under a key."""
    (found,) = [element for element in app.get("bidi_component") if element.key == key]
    return json.loads(json.loads(found.proto.json)["figure"])


def figures(app: AppTest) -> set[str]:
    return {element.key for element in app.get("bidi_component")}


def groups_shown(app: AppTest) -> int:
    """How many superfeatures the headline lists."""
    return len([html for html in app.main if html.type == "html" and re.search(r"\d+ (pixels|features)", html.proto.body)])


def caption(app: AppTest, start: str) -> str:
    return next(found.value for found in app.caption if found.value.startswith(start))


@pytest.fixture
def finished(small_run: Run, ked_home: Path) -> Run:
    """A finished run in this test's home, which may be damaged."""
    run = Run(Path(shutil.copytree(small_run.folder, ked_home / "runs" / small_run.id)))
    run.update(note="new")  # so that nothing is taken from what the app remembers of another test's copy
    return run


# First sight


FIRST = {
    "superfeatures": {"graph", "matrix", "mask", "staircase"},
    "train": {"accuracy", "losses", "results"},
    "explain": {"strip", "sample", "overlay-teacher", "overlay-student", "waterfall-teacher", "waterfall-student", "answers"},
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("preset", ["digits", "fashion-mnist"])
def test_every_page_opens_with_a_preset(preset: str, page: str) -> None:
    if preset == "fashion-mnist" and fashion_mnist.find() is None:
        pytest.skip("Fashion-MNIST is not on this machine: install Debian's dataset-fashion-mnist or set KED_DATA")
    app = sound(visit(page, **({} if preset == "digits" else {"data": preset})), page)
    assert figures(app) == FIRST[page]
    assert app.selectbox(key="widget.dataset").value == preset
    assert app.selectbox(key="widget.run").value == f"{preset}-preset"


def test_a_visitor_walks_through_all_pages_in_one_session() -> None:
    app = visit(m="6")
    for page in ("train", "explain", "superfeatures", "explain", "train"):
        sound(turn_to(app, page), page)
        assert address(app) == {"m": "6"}


def test_choosing_another_data_set_shows_its_preset_with_its_settings() -> None:
    if fashion_mnist.find() is None:
        pytest.skip("Fashion-MNIST is not on this machine: install Debian's dataset-fashion-mnist or set KED_DATA")
    app = visit(node="20", sf="1")
    sound(app.selectbox(key="widget.dataset").set_value("fashion-mnist").run(), "superfeatures")
    assert address(app) == {
        "data": "fashion-mnist", "run": "fashion-mnist-preset", "th": "256,256", "tep": "20", "ep": "20",
        "methods": "plain,kd,kd-explaining,ked,architecture,mu0",
    }  # fmt: skip
    assert "Everything in this recipe is already computed" in caption(sound(turn_to(app, "train"), "train"), "Everything")


# The address


RESTORED = [
    ("superfeatures", {"m": "6"}, lambda app: groups_shown(app) == 6),
    ("superfeatures", {"node": "20"}, lambda app: "Links of" in app.subheader[2].value and "row" in figures(app)),
    ("superfeatures", {"sf": "2"}, lambda app: figure(app, "mask") != figure(visit(), "mask")),
    ("superfeatures", {"edges": "40"}, lambda app: app.slider(key="widget.edges").value == 40),
    ("superfeatures", {"group": "grid"}, lambda app: app.selectbox(key="widget.grouping").value == "grid"),
    ("superfeatures", {"scale": "std"}, lambda app: app.selectbox(key="widget.scale").value == "std"),
    ("superfeatures", {"engine": "scikit-network"}, lambda app: "Engine scikit-network" in caption(app, "Engine")),
    ("superfeatures", {"reduce": "mean_abs"}, lambda app: app.selectbox(key="widget.reduce").value == "mean_abs"),
    ("train", {"mu": "0.3"}, lambda app: app.slider(key="widget.mu").value == 0.3),
    ("train", {"th": "64"}, lambda app: app.text_input(key="widget.teacher_hidden").value == "64"),
    ("train", {"methods": "plain,mu0"}, lambda app: app.get("button_group")[0].value == ["plain", "mu0"]),
    ("train", {"lr": "0.002"}, lambda app: app.number_input(key="widget.lr").value == 0.002),
    ("explain", {"i": "7"}, lambda app: app.subheader[0].value.endswith("test sample 7")),
    ("explain", {"c": "3"}, lambda app: app.selectbox(key="widget.label").value == 3),
    ("explain", {"on": "0101"}, lambda app: app.get("button_group")[1].value == [1, 3]),
    ("explain", {"student": "mu0"}, lambda app: "KED without explanations on" in app.subheader[2].value),
    ("explain", {"student": "plain"}, lambda app: "does not explain itself" in app.subheader[2].value),
    ("explain", {"rep": "4"}, lambda app: app.slider(key="widget.replica").value == 4),
    ("explain", {"show": "unsure", "p": "2"}, lambda app: app.slider(key="widget.page").value == 2),
]


@pytest.mark.parametrize(("page", "query", "shows"), RESTORED, ids=[f"{page}-{','.join(q)}" for page, q, _ in RESTORED])
def test_an_address_restores_its_view(page: str, query: dict[str, str], shows: Callable[[AppTest], bool]) -> None:
    app = sound(visit(page, **query), page)
    assert shows(app)
    assert address(app) == query


@pytest.mark.parametrize("page", PAGES)
def test_a_text_in_the_address_that_means_nothing_is_a_notice_and_the_page_stands(page: str) -> None:
    app = visit(m="0", mu="2", th="wide", i="-3", on="xyz", data="nowhere", student="who", c="cat", seeds="3")
    usable(app, "superfeatures")
    assert len(app.warning) == 8
    assert all("was ignored" in warning.value for warning in app.warning)
    assert address(app) == {"seeds": "3"}
    sound(turn_to(app, page), page)


OUT_OF_REACH = {
    "superfeatures": {"node": "99999", "sf": "50", "edges": "2000", "m": "16"},
    "train": {"seeds": "20", "ep": "500", "lr": "0.1", "T": "0.5", "m": "16"},
    "explain": {"i": "9999999", "c": "5000", "rep": "50", "p": "999999", "on": "11", "student": "noise", "show": "wrong"},
}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_setting_allows_but_the_run_has_not_does_no_harm(page: str) -> None:
    sound(visit(page, **OUT_OF_REACH[page]), page)


def test_a_student_with_one_seed_is_shown_whatever_seed_was_looked_at_before(
    finish: Callable[[Recipe], Run], small_recipe: Recipe
) -> None:
    run = finish(small_recipe.without(seeds=1))
    sound(visit("explain", run=run.id, rep="1"), "explain")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("run", ["../../etc", "nonexistent", "digits-0a1b2c3d"])
def test_a_run_that_is_none_is_a_sentence_and_the_preset_is_shown(run: str, page: str) -> None:
    app = visit(run=run)
    usable(app, "superfeatures")
    (message,) = said(app)
    assert run in message
    assert message.endswith(".")
    sound(turn_to(app, page), page)
    assert app.selectbox(key="widget.run").value == "digits-preset"
    assert address(app) == {}


def test_a_run_in_the_address_brings_its_data_set_along() -> None:
    if fashion_mnist.find() is None:
        pytest.skip("Fashion-MNIST is not on this machine: install Debian's dataset-fashion-mnist or set KED_DATA")
    app = sound(visit(run="fashion-mnist-preset"), "superfeatures")
    assert app.selectbox(key="widget.dataset").value == "fashion-mnist"
    assert app.selectbox(key="widget.run").value == "fashion-mnist-preset"
    assert "784 features" in caption(app, "") or "784" in str(app.get("bidi_component")[0].proto.json)


# Superfeatures


def test_changing_m_changes_how_many_superfeatures_are_shown() -> None:
    app = visit()
    for M in (2, 7, 1, 16, 4):
        sound(app.slider(key="widget.superfeatures").set_value(M).run(), "superfeatures")
        assert groups_shown(app) == M
        assert address(app) == ({} if M == 4 else {"m": str(M)})


def test_every_grouping_gives_m_groups() -> None:
    app = visit(m="5")
    for grouping in app.selectbox(key="widget.grouping").options:
        sound(app.selectbox(key="widget.grouping").set_value(grouping).run(), "superfeatures")
        assert groups_shown(app) == 5


# Train


def plan(app: AppTest) -> tuple[set[str], set[str]]:
    """What the train page says is to be computed, and what is reused."""
    found = re.fullmatch(r"To compute: (.+?)\.(?: Reused: (.+)\.)?", caption(app, "To compute"))
    assert found
    return tuple(set((part or "").split(", ")) for part in found.groups())  # type: ignore[return-value]


def test_with_the_presets_recipe_nothing_is_to_compute() -> None:
    assert "already computed" in caption(visit("train"), "Everything in this recipe")


def test_with_mu_changed_only_ked_is_to_compute() -> None:
    app = visit("train")
    app.slider(key="widget.mu").set_value(0.3).run()
    todo, reused = plan(sound(app, "train"))
    assert todo == {"KED"}
    assert reused == {"teacher", "dependency matrix", "superfeatures", "explaining teacher", "plain", "KD", "architecture only"}


PLANS = {
    "T": ("5", {"KD", "KED"}),
    "tau": ("5", {"KED"}),
    "sh": ("10", {"plain", "KD", "KED", "architecture only"}),
    "m": ("5", {"superfeatures", "explaining teacher", "KED", "architecture only"}),
    "scale": ("std", {"dependency matrix", "superfeatures", "explaining teacher", "KED", "architecture only"}),
}


@pytest.mark.parametrize("key", PLANS)
def test_a_changed_setting_makes_only_what_depends_on_it_anew(key: str) -> None:
    text, expected = PLANS[key]
    assert plan(visit("train", **{key: text}))[0] == expected


def test_with_another_seed_everything_is_to_compute() -> None:
    assert caption(visit("train", seed="9"), "To compute") == (
        "To compute: teacher, dependency matrix, superfeatures, explaining teacher, plain, KD, KED, architecture only."
    )


def test_a_text_that_is_refused_leaves_the_old_value() -> None:
    app = visit("train", th="64,64")
    for wrong in ("wide", "0", "64;64", ""):
        sound(app.text_input(key="widget.teacher_hidden").set_value(wrong).run(), "train")
        assert app.text_input(key="widget.teacher_hidden").value == "64,64"
        assert SETTINGS["teacher_hidden"].label in app.toast[0].value
        assert address(app) == {"th": "64,64"}
    sound(app.text_input(key="widget.teacher_hidden").set_value("32").run(), "train")
    assert address(app) == {"th": "32"}


def test_the_last_method_cannot_be_taken_away() -> None:
    app = visit("train", methods="plain")
    sound(app.get("button_group")[0].set_value([]).run(), "train")
    assert app.get("button_group")[0].value == ["plain"]
    assert app.toast


def test_a_run_from_the_menu_brings_its_settings(finished: Run, small_recipe: Recipe) -> None:
    app = visit("train")
    sound(app.selectbox(key="widget.run").set_value(finished.id).run(), "train")
    assert address(app)["run"] == finished.id
    assert app.slider(key="widget.seeds").value == small_recipe.seeds
    assert app.text_input(key="widget.student_hidden").value == "12,12"


def test_a_run_that_no_control_can_describe_is_still_shown(finished: Run) -> None:
    wild = {"epochs": 0, "teacher_epochs": 3000, "superfeatures": 40, "seeds": 50, "lr": 1e-7, "seed": 2**31 - 1, "tau": 99.0}
    finished.update(recipe=finished.info["recipe"] | wild)
    app = visit("train")
    sound(app.selectbox(key="widget.run").set_value(finished.id).run(), "train")


def test_the_table_has_a_row_a_net(finished: Run) -> None:
    app = sound(visit("train", run=finished.id), "train")
    table = app.dataframe[0].value
    assert list(table["net"]) == ["teacher", "explaining teacher", "plain", "KD", "KED"]
    assert list(table["seeds"]) == [1, 1, 2, 2, 2]
    assert list(table["against plain"] == "") == [True, True, True, False, False]
    assert all(table["parameters"] > 0)


def test_a_failed_run_shows_its_message(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    message = "the machine ran out of memory; use a smaller net, a smaller batch or fewer seeds."
    run.update(status="failed", message=message)
    run.append({"kind": "end", "status": "failed", "message": message, "time": 1.0})
    app = visit("train", run=run.id)
    usable(app, "train")
    assert said(app) == [message]
    turn_to(app, "superfeatures")
    usable(app, "superfeatures")
    (warning,) = said(app)
    assert message in warning
    sound(turn_to(app, "explain"), "explain")


def test_a_job_that_died_without_a_word_is_said_to_have_failed(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    run.update(status="running", pid=2**22 + 1, pid_started=0.0)
    app = visit("train", run=run.id)
    usable(app, "train")
    assert "ended without a word" in said(app)[0]
    assert load_run(run.id).status == "failed"


# A run in progress


def tick(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """What the browser asks for twice a second while a run is in progress: the page's fragments, and nothing else."""
    due = list(app._fragment_storage._fragments)
    assert due
    data = functools.partial(local_script_runner.RerunData, fragment_id_queue=due, is_auto_rerun=True)
    with monkeypatch.context() as patch:
        patch.setattr(local_script_runner, "RerunData", data)
        return app._run()


def tell(run: Run, *events: dict[str, Any]) -> None:
    for event in events:
        run.append({"time": 1.0} | event)


def epoch(stage: str, number: int, accuracy: list[float]) -> dict[str, Any]:
    loss = {"ce": [1.0 / number] * len(accuracy)}
    return {"kind": "epoch", "stage": stage, "epoch": number, "epochs": 3, "loss": loss, "validation": accuracy}


def stage(name: str) -> list[dict[str, Any]]:
    training = {"kind": "training", "stage": name, "epochs": 3, "weights": {"ce": 1.0}}
    return [{"kind": "stage", "stage": name, "cached": False}, training]


def points(app: AppTest, net: str) -> int:
    """How many epochs of a net the accuracy chart draws."""
    return next((len(_numbers(trace["x"])) for trace in figure(app, "accuracy")["data"] if trace.get("name") == net), 0)


def _numbers(array: Any) -> Any:
    import base64

    return base64.b64decode(array["bdata"]) if isinstance(array, dict) else array


def test_curves_grow_at_each_tick_of_a_run_in_progress(
    small_run: Run, small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(small_recipe)
    app = visit("train", run=run.id)
    sound(app, "train")
    assert "starting" in app.markdown[-1].value
    run.update(status="running")
    tell(run, *stage("teacher"), epoch("teacher", 1, [0.5]))
    tick(app, monkeypatch)
    assert "teacher, epoch 1 of 3" in app.markdown[-1].value
    assert points(app, "teacher") > 0
    tell(run, *stage("student-plain"), epoch("student-plain", 1, [0.25, 0.5]))
    seen = []
    for number in (2, 3):
        tick(app, monkeypatch)
        seen.append(points(app, "plain"))
        tell(run, epoch("student-plain", number, [0.5, 0.75]))
    tick(app, monkeypatch)
    seen.append(points(app, "plain"))
    assert 0 < seen[0] < seen[1] < seen[2]
    assert "plain, epoch 3 of 3" in app.markdown[-1].value
    assert not app.exception
    assert not app.error
    assert any(button.key == "stop" for button in app.button)


def test_the_tick_after_the_end_brings_the_table(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = finished.info
    finished.update(status="running", summary={}, seconds={})
    app = sound(visit("train", run=finished.id), "train")
    assert not app.dataframe
    finished.update(status="done", summary=done["summary"], seconds=done["seconds"])
    tick(app, monkeypatch)
    sound(app, "train")
    assert len(app.dataframe) == 1
    assert not any(button.key == "stop" for button in app.button)


def test_stop_asks_the_job_to_stop(small_recipe: Recipe) -> None:
    run = create_run(small_recipe)
    run.update(status="running")
    app = visit("train", run=run.id)
    app.button(key="stop").click().run()
    sound(app, "train")
    assert (run.folder / "cancel").exists()


def test_a_run_that_is_deleted_while_it_is_watched_is_a_sentence(
    small_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(small_recipe)
    app = visit("train", run=run.id)
    shutil.rmtree(run.folder)
    tick(app, monkeypatch)
    assert not app.exception
    assert run.id in said(app)[0]
    usable(app.run(), "train")


@pytest.mark.parametrize("page", ["superfeatures", "explain"])
def test_the_other_pages_wait_for_a_run_in_progress(page: str, small_recipe: Recipe) -> None:
    app = sound(visit(page, run=create_run(small_recipe).id), page)
    assert "still training" in app.info[0].value


# Damage


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwrite(path: Path) -> None:
    path.write_bytes(b"these are not weights" * 40)


DAMAGE: dict[str, tuple[Callable[[Run], Any], tuple[str, ...]]] = {  # how, and which pages look at what is damaged
    "run.json cut in half": (lambda run: cut_in_half(run.folder / "run.json"), PAGES),
    "a data set from elsewhere": (lambda run: run.update(recipe=run.info["recipe"] | {"dataset": "a-friends"}), PAGES),
    "weights overwritten": (lambda run: [overwrite(p) for p in run.folder.glob("*.safetensors")], PAGES[::2]),
    "superfeatures cut in half": (lambda run: cut_in_half(run.folder / "superfeatures.json"), PAGES[::2]),
    "events overwritten": (lambda run: overwrite(run.folder / "events.jsonl"), ()),
    "a student missing": (lambda run: (run.folder / "student-ked.safetensors").unlink(), ()),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_run_is_a_sentence_and_every_page_stays_usable(damage: str, finished: Run) -> None:
    harm, notice = DAMAGE[damage]
    harm(finished)
    for page in PAGES:
        app = visit(page, run=finished.id)
        usable(app, page)
        messages = said(app)
        assert bool(messages) == (page in notice)
        assert all(message.endswith(".") and "\n" not in message for message in messages)
        app.query_params["run"] = "digits-preset"  # on to something else: the same visitor sees it whole
        sound(app.run(), page)


# Explain


def test_a_smaller_coalition_changes_the_answer_and_says_so() -> None:
    app = visit("explain")
    before = figure(app, "answers")
    sound(app.get("button_group")[1].set_value([0, 1]).run(), "explain")
    assert address(app) == {"on": "1100"}
    assert figure(app, "answers") != before
    assert caption(app, "Explaining nets answer with the switched-on")
    sound(app.get("button_group")[1].set_value([]).run(), "explain")
    assert address(app) == {"on": "0000"}
    sound(app.get("button_group")[1].set_value([0, 1, 2, 3]).run(), "explain")
    assert address(app) == {}
    assert figure(app, "answers") == before


def test_every_filter_of_the_strip_opens() -> None:
    app = visit("explain", p="3")
    for kind in ("wrong", "disagree", "unsure", "all"):
        sound(app.get("button_group")[0].set_value(kind).run(), "explain")
        assert address(app) == ({} if kind == "all" else {"show": kind})


def test_presets_are_never_written_to(finished: Run) -> None:
    before = {path: path.stat().st_mtime_ns for path in PRESETS.rglob("*")}
    app = visit()
    for page in PAGES:
        turn_to(app, page)
    assert {path: path.stat().st_mtime_ns for path in PRESETS.rglob("*")} == before
