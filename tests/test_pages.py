"""The pages as a visitor meets them, without a browser: every view opens and has its address."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from visitor import (
    PAGES,
    address,
    buttons,
    caption,
    control,
    figure,
    figures,
    groups_shown,
    row,
    said,
    sound,
    turn_to,
    usable,
    visit,
)

from ked.attribution import ATTRIBUTIONS
from ked.data import fashion_mnist
from ked.recipe import Recipe
from ked.store import PRESETS, Run

# First sight


FIRST = {
    "superfeatures": {"lit", "graph", "matrix", "mask", "staircase"},
    "train": {
        "accuracy", "losses", "results", "scrubber.run", "forming", "modularity", "teacher-overlay", "student-overlay", "answers",
        "agreement",
    },
    "explain": {"strip", "sample", "overlay-teacher", "overlay-student", "waterfall-teacher", "waterfall-student", "answers", "block"},
    "attributions": {
        "deletion-1", "insertion-1", "deletion-2", "insertion-2",
        "strip", "scale", "agreement-1", "agreement-2", "between", "shapley-1", "shapley-2",
        *(f"map-{name}" for name in ATTRIBUTIONS if name != "grad-cam"),
    },
    "agreement": {"agreement", "fidelity", "accuracy", "cells", "scatter", "spread", "worst", "best"},
    "chimeras": {"strip", "original", "chimera", "answers", "changes-teacher", "changes-student"},
    "data": {"balance", "samples"},
}  # fmt: skip


MEANING = {"superfeatures", "train", "explain", "attributions", "agreement", "chimeras"}  # pages of one run's results


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("preset", ["digits", "fashion-mnist"])
def test_every_page_opens_with_a_preset(preset: str, page: str) -> None:
    if preset == "fashion-mnist" and fashion_mnist.find() is None:
        pytest.skip("Fashion-MNIST is not on this machine: install Debian's dataset-fashion-mnist or set KED_DATA")
    app = sound(visit(page, **({} if preset == "digits" else {"data": preset})), page)
    of_digits = {"efficiency-study"} if (page, preset) == ("chimeras", "digits") else set()
    assert figures(app) == FIRST[page] | of_digits
    assert control(app, "widget.dataset").value == preset
    assert control(app, "widget.run").value == f"{preset}-preset"
    if preset == "digits":
        assert ("What it means" in [head.value for head in app.subheader]) is (page in MEANING)


def test_a_visitor_walks_through_all_pages_in_one_session_and_no_preset_is_written_to() -> None:
    before = {path: path.stat().st_mtime_ns for path in PRESETS.rglob("*")}
    app = visit(m="6")
    for page in (*PAGES, "superfeatures", "explain", "train"):
        sound(turn_to(app, page), page)
        assert address(app) == {"m": "6"}
    assert {path: path.stat().st_mtime_ns for path in PRESETS.rglob("*")} == before


def test_choosing_another_data_set_shows_its_preset_with_its_settings() -> None:
    if fashion_mnist.find() is None:
        pytest.skip("Fashion-MNIST is not on this machine: install Debian's dataset-fashion-mnist or set KED_DATA")
    app = visit(node="20", sf="1")
    sound(control(app, "widget.dataset").set_value("fashion-mnist").run(), "superfeatures")
    assert address(app) == {
        "data": "fashion-mnist", "run": "fashion-mnist-preset", "th": "256,256", "tep": "20", "ep": "20",
    }  # fmt: skip
    assert "Everything in this recipe is already computed" in caption(sound(turn_to(app, "train"), "train"), "Everything")


# The address


def contrasts(app: AppTest, question: str) -> bool:
    return question in app.subheader[1].value and "normaliser" not in str(figure(app, "waterfall-student")["layout"])


def lights_up(app: AppTest, m: int) -> bool:
    """Whether superfeature m, from 1, stands out on every picture, in both sums and among the switches, and the words name it."""
    plain = visit("explain")
    for key in ("sample", "overlay-teacher", "overlay-student", "block", "waterfall-teacher", "waterfall-student"):
        assert figure(app, key) != figure(plain, key)
    assert [option.content for option in buttons(app, "widget.coalition").proto.options][m - 1] == f"◉ {m}"
    return any(f"Superfeature {m} is highlighted" in text.value for text in app.markdown)


RESTORED: list[tuple[str, dict[str, str], list[Callable[[AppTest], bool]]]] = [
    ("superfeatures", {"m": "6", "node": "20", "edges": "40"}, [
        lambda app: groups_shown(app) == 6,
        lambda app: "Links of" in app.subheader[1].value and "row" in figures(app),
        lambda app: control(app, "widget.edges").value == 40,
    ]),
    ("superfeatures", {"sf": "2"}, [lambda app: all(figure(app, key) != figure(visit(), key) for key in ("mask", "matrix"))]),
    ("superfeatures", {"group": "grid"}, [lambda app: control(app, "widget.grouping").value == "grid"]),
    ("superfeatures", {"scale": "std", "engine": "scikit-network", "reduce": "mean_abs"}, [
        lambda app: control(app, "widget.scale").value == "std",
        lambda app: "Engine scikit-network" in caption(app, "Engine"),
        lambda app: control(app, "widget.reduce").value == "mean_abs",
    ]),
    ("train", {"mu": "0.3", "th": "64", "methods": "plain,mu0", "lr": "0.002"}, [
        lambda app: control(app, "widget.mu").value == 0.3,
        lambda app: control(app, "widget.teacher_hidden").value == "64",
        lambda app: row(app, "Students").value == ["plain", "mu0"],
        lambda app: control(app, "widget.lr").value == 0.002,
    ]),
    ("explain", {"i": "7", "c": "3", "rep": "4"}, [
        lambda app: app.subheader[0].value.endswith("test sample 7"),
        lambda app: control(app, "widget.label").value == 3,
        lambda app: control(app, "widget.replica").value == 4,
    ]),
    ("explain", {"c": "3", "vs": "5"}, [lambda app: contrasts(app, "3 rather than 5")]),
    ("explain", {"sf": "2"}, [lambda app: control(app, "widget.selected").value == 2 and lights_up(app, 2)]),
    ("explain", {"student": "mu0", "on": "0101"}, [
        lambda app: "KED without explanations on" in app.subheader[2].value,
        lambda app: buttons(app, "widget.coalition").value == [1, 3],
    ]),
    ("explain", {"student": "plain", "show": "unsure", "p": "2"}, [
        lambda app: "does not explain itself" in app.subheader[2].value,
        lambda app: control(app, "widget.page").value == 2,
    ]),
    ("attributions", {"like": "overlap", "i": "7", "c": "3"}, [
        lambda app: row(app, "Agreement by").value == "overlap",
        lambda app: app.subheader[0].value == "What speaks for 3",
    ]),
    ("agreement", {"agree": "pairwise", "student": "mu0", "rep": "3"}, [
        lambda app: "Pairwise rank agreement" in caption(app, "Pairwise"),
        lambda app: "KED without explanations, seed 3" in app.subheader[-1].value,
    ]),
    ("data", {"k": "3"}, [lambda app: control(app, "widget.kind").value == 3]),
]  # fmt: skip


@pytest.mark.parametrize(("page", "query", "shows"), RESTORED, ids=[f"{page}-{','.join(q)}" for page, q, _ in RESTORED])
def test_an_address_restores_its_view(page: str, query: dict[str, str], shows: list[Callable[[AppTest], bool]]) -> None:
    app = sound(visit(page, **query), page)
    assert [one(app) for one in shows] == [True] * len(shows)
    assert address(app) == query


def test_a_text_in_the_address_that_means_nothing_is_a_notice_and_every_page_stands() -> None:
    app = visit(m="0", mu="2", th="wide", i="-3", on="xyz", data="nowhere", student="who", c="cat", seeds="3")
    usable(app, "superfeatures")
    (message,) = said(app)
    assert "was ignored" in message
    assert message.endswith("7 more of its settings were ignored, too.")
    assert address(app) == {"seeds": "3"}
    for page in ("train", "explain"):  # the pages that have most of these settings
        sound(turn_to(app, page), page)


OUT_OF_REACH = {
    "superfeatures": {"node": "99999", "sf": "50", "edges": "2000", "m": "16"},
    "train": {"seeds": "20", "ep": "500", "lr": "0.1", "T": "0.5", "m": "16"},
    "explain": {"i": "9999999", "c": "5000", "rep": "50", "p": "999999", "on": "11", "student": "noise", "show": "wrong"},
    "attributions": {"i": "9999999", "c": "5000", "rep": "50", "p": "999999", "student": "noise", "show": "disagree"},
    "agreement": {"rep": "50", "student": "noise", "i": "9999999", "m": "16"},
    "chimeras": {"i": "9999999", "donors": "99999999,blur", "rep": "50", "c": "5000", "vs": "5000", "student": "noise", "sf": "50"},
    "data": {"k": "5000"},
}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_setting_allows_but_the_run_has_not_does_no_harm(page: str) -> None:
    sound(visit(page, **OUT_OF_REACH[page]), page)


def test_a_student_with_one_seed_is_shown_whatever_seed_was_looked_at_before(
    finish: Callable[[Recipe], Run], small_recipe: Recipe
) -> None:
    run = finish(small_recipe.without(seeds=1))
    sound(visit("explain", run=run.id, rep="1"), "explain")


@pytest.mark.parametrize(("run", "page"), [("../../etc", "train"), ("nonexistent", "explain"), ("digits-0a1b2c3d", "superfeatures")])
def test_a_run_that_is_none_is_a_sentence_and_the_preset_is_shown(run: str, page: str) -> None:
    app = visit(page, run=run)
    usable(app, page)
    (message,) = said(app)
    assert run in message
    assert message.endswith(".")
    sound(turn_to(app, "agreement"), "agreement")
    assert control(app, "widget.run").value == "digits-preset"
    assert "run" not in address(app)


def test_a_run_in_the_address_brings_its_data_set_along() -> None:
    if fashion_mnist.find() is None:
        pytest.skip("Fashion-MNIST is not on this machine: install Debian's dataset-fashion-mnist or set KED_DATA")
    app = sound(visit(run="fashion-mnist-preset"), "superfeatures")
    assert control(app, "widget.dataset").value == "fashion-mnist"
    assert control(app, "widget.run").value == "fashion-mnist-preset"
    assert figure(app, "lit")["data"][1]["customdata"]["shape"] == "28, 28"


# Superfeatures


def test_changing_m_changes_how_many_superfeatures_are_shown() -> None:
    app = visit()
    for M in (2, 7, 1, 16, 4):
        sound(control(app, "widget.superfeatures").set_value(M).run(), "superfeatures")
        assert groups_shown(app) == M
        assert address(app) == ({} if M == 4 else {"m": str(M)})


def test_every_grouping_gives_m_groups() -> None:
    app = visit(m="5")
    for grouping in control(app, "widget.grouping").options:
        sound(control(app, "widget.grouping").set_value(grouping).run(), "superfeatures")
        assert groups_shown(app) == 5


@pytest.mark.parametrize(("query", "none"), [({"group": "random"}, True), ({}, False), ({"m": "1"}, False)])
def test_groups_of_no_modularity_are_said_to_be_none(query: dict[str, str], none: bool) -> None:
    app = sound(visit(**query), "superfeatures")
    assert any("hardly groups at all" in text.value for text in app.caption) is none


# Explain


def test_a_smaller_coalition_changes_the_answer_and_says_so() -> None:
    app = visit("explain")
    before = figure(app, "answers")
    sound(buttons(app, "widget.coalition").set_value([0, 1]).run(), "explain")
    assert address(app) == {"on": "1100"}
    assert figure(app, "answers") != before
    assert caption(app, "Explaining nets answer with the switched-on")
    sound(buttons(app, "widget.coalition").set_value([]).run(), "explain")
    assert address(app) == {"on": "0000"}
    sound(buttons(app, "widget.coalition").set_value([0, 1, 2, 3]).run(), "explain")
    assert address(app) == {}
    assert figure(app, "answers") == before


def test_every_filter_of_the_strip_opens() -> None:
    app = visit("explain", p="3")
    for kind in ("wrong", "disagree", "unsure", "all"):
        sound(buttons(app, "widget.gallery").set_value(kind).run(), "explain")
        assert address(app) == ({} if kind == "all" else {"show": kind})
