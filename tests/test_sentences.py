"""Every number in a page's sentences stands in the figures beside them, whatever a visitor has chosen."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import numpy as np
import pytest
from driver import Driver
from streamlit.testing.v1 import AppTest
from test_pages_chimeras import numbers
from visitor import figure, sound, visit

from explorer.words import explain
from ked.runs import steering

CLASSES = 10
LETTERS = str.maketrans("−", "-")


def said(app: AppTest, start: str) -> str:
    """The paragraph of the page that holds these words."""
    return next(text.value for text in app.markdown if start in text.value)


def answers(app: AppTest) -> dict[str, dict[str, str]]:
    """Net -> class -> percent, as the figure of all answers has them."""
    bars = [trace for trace in figure(app, "answers")["data"] if trace["type"] == "bar"]
    return {bar["name"].replace("<br>", " "): dict(zip(bar["customdata"], bar["text"], strict=True)) for bar in bars}


def contributions(app: AppTest, key: str) -> dict[int, str]:
    """Superfeature -> its contribution as written beside its bar, of those that take part."""
    (bars,) = [trace for trace in figure(app, key)["data"] if trace["type"] == "bar"]
    return {m: text for m, text in zip(bars["customdata"], bars["text"], strict=True) if m and text != "off"}


def value(text: str) -> float:
    return float(text.translate(LETTERS))


DRAWN = Random(7)
ASKED = [
    {
        "i": str(DRAWN.randrange(300)),
        "on": "".join(DRAWN.choice("01") for _ in range(4)),
        "c": str(DRAWN.randrange(CLASSES)),
        "vs": str(DRAWN.choice([-1, *range(CLASSES)])),
        "sf": str(DRAWN.randrange(5)),
        "student": DRAWN.choice(["ked", "ked", "mu0", "kd"]),
        "rep": str(DRAWN.randrange(5)),
    }
    for _ in range(8)
]
ASKED += [{"i": "1", "on": on, "student": "ked"} for on in ("0000", "1011", "0010")]


@pytest.mark.parametrize("asked", ASKED, ids=["-".join(asked.values()) for asked in ASKED])
def test_explains_sentences_follow_switches_classes_and_contrasts(asked: dict[str, str]) -> None:
    app = sound(visit("explain", **asked), "explain")
    text, shares, off = said(app, "explaining teacher says"), answers(app), asked["on"].count("0")
    verdicts = re.findall(r"(Without [^.]*? t|T)he (explaining teacher|.+? student) says \*\*(.+?)\*\* \((\d+) %\)", text)
    assert next(net for _, net, _, _ in verdicts) == "explaining teacher"
    for without, net, answer, percent in verdicts:
        column = shares[net.removesuffix(" student")]
        assert column[answer] == percent == max(filter(None, column.values()), key=float)
        assert re.findall(r"\d", without) == ([str(m + 1) for m, on in enumerate(asked["on"]) if on == "0"] if off < 4 else [])
    speaking = contributions(app, "waterfall-teacher")
    assert len(speaking) == 4 - off
    most = re.search(r"Superfeature (\d) speaks most .*? \((.+?)\)", text)
    against = re.search(r"superfeature (\d) against it \((.+?)\)", text)
    if most:
        assert speaking[int(most[1])] == most[2] == max(speaking.values(), key=value)
    else:
        assert all(value(number) <= 0 for number in speaking.values())
    if against:
        assert speaking[int(against[1])] == against[2] == min(speaking.values(), key=value)
    elif most:
        assert all(value(number) >= 0 for number in speaking.values())
    _compare(app, text, asked, speaking)


def _compare(app: AppTest, text: str, asked: dict[str, str], speaking: dict[int, str]) -> None:
    """The signs that teacher and student share, and what the lit superfeature says."""
    signs, lit = re.search(r"sign of (\d) of (\d)", text), re.search(r"Superfeature (\d) is highlighted(?:: |, )(.*)\.$", text)
    whole = asked["student"] != "kd" and bool(speaking)
    student = contributions(app, "waterfall-student") if whole else {}
    assert bool(signs) == whole
    if signs:
        alike = [m for m in speaking if np.sign(_length(app, "teacher", m)) == np.sign(_length(app, "student", m))]
        assert (int(signs[1]), int(signs[2])) == (len(alike), len(speaking))
    assert bool(lit) == (asked.get("sf", "0") != "0")
    if lit:
        m = int(lit[1])
        numbers_said = re.findall(r"([+−]?\d\.\d\d|[+−]\d+\.\d\d) by the", lit[2])
        assert numbers_said == ([speaking[m]] + [student[m]] * (m in student) if m in speaking else [])


def _length(app: AppTest, net: str, m: int) -> float:
    (bars,) = [trace for trace in figure(app, f"waterfall-{net}")["data"] if trace["type"] == "bar"]
    return float(numbers(bars)[m])


def test_a_student_with_superfeatures_of_its_own_is_not_asked_about_the_one_that_is_lit() -> None:
    text = explain.lit(1, [np.array([0.5, -0.25])], "dog", [True, True])
    assert text == "Superfeature 2 is highlighted: for dog −0.25 by the explaining teacher."


MOVE = (
    r"The ([\w-]+ teacher|\S+ student) (?:stays with|goes from) "
    r"\*\*(\S+)\*\* \((\d+) %(?:, now |\) to \*\*(\S+)\*\* \()(\d+) %\)"
)
CHIMERAS = [
    {
        "i": str(DRAWN.randrange(300)),
        "donors": ",".join(str(DRAWN.choice(["self", "mean", "blur", DRAWN.randrange(300)])) for _ in range(4)),
        "c": str(DRAWN.randrange(CLASSES)),
        "student": DRAWN.choice(["ked", "kd"]),
    }
    for _ in range(5)
]


@pytest.mark.parametrize("asked", CHIMERAS, ids=["-".join(asked.values()) for asked in CHIMERAS])
def test_the_chimeras_sentences_are_made_of_its_figures(asked: dict[str, str]) -> None:
    app = sound(visit("chimeras", **asked), "chimeras")
    text = said(app, "chimera takes") if "Nothing is replaced" not in "".join(t.value for t in app.markdown) else ""
    now = answers(app)
    was = [trace for trace in figure(app, "answers")["data"] if trace["type"] == "scatter"]
    moves = re.findall(MOVE, text)
    assert len(moves) == 3 * bool(text)
    names = {"explaining teacher": 0, "black-box teacher": 1}
    for net, first, before, then, after in moves:
        column = names.get(net, 2)
        bars, marks = list(now.values())[column], [float(share) for share in numbers(was[column]).astype(float) if share == share]
        assert bars[then or first] == after == max(filter(None, bars.values()), key=float)
        assert f"{100 * max(marks):.0f}" == before
    if cause := re.search(r"superfeature (\d) (?:loses|gains) most: its contribution goes from (\S+) to (\S+?)\.( |$)", text):
        before, after = ([trace["text"] for trace in figure(app, "changes-teacher")["data"]][place] for place in (0, 1))
        assert (before[int(cause[1]) - 1], after[int(cause[1]) - 1]) == cause.group(2, 3)


@pytest.mark.parametrize("asked", [{"i": "3"}, {"i": "12", "c": "5", "student": "mu0"}, {"i": "40", "c": "8", "student": "kd"}])
def test_the_attributions_sentences_name_the_best_orders_of_the_figures(asked: dict[str, str]) -> None:
    app = sound(visit("attributions", **asked), "attributions")
    text = said(app, "is lost soonest")
    summary = re.search(r"of \*\*(.+?)\*\* \(deletion (\S+)\).*? of \*\*(.+?)\*\* \(insertion (\S+)\)", text)
    assert summary
    for kind, method, area in (("deletion", summary[1], summary[2]), ("insertion", summary[3], summary[4])):
        legend = [note["text"] for note in figure(app, f"{kind}-1")["layout"]["annotations"]][1:]
        assert f"{area} {method}" in re.sub(r"<.*?>|●|\s*", lambda found: " " if found[0].isspace() else "", legend[0])


@pytest.mark.parametrize("measure", ["cosine", "jensen-shannon", "feature"])
def test_the_agreement_pages_answer_is_the_difference_of_the_dots(measure: str) -> None:
    app = sound(visit("agreement", agree=measure), "agreement")
    text = said(app, "Compared with *").translate(LETTERS)
    gain, points = re.search(r"agrees (more|less) by ([\d.]+)", text), re.search(r"accuracy differs by (\S+)", text)
    reference = re.search(r"Compared with \*(.+?)\*", text)
    assert gain and points and reference  # noqa: PT018
    ked, other = (_means(figure(app, "agreement"), name) for name in ("KED", reference[1]))
    unit = 1000 if "milli" in json_title(figure(app, "agreement")) else 1
    apart = abs(ked - other) / unit
    assert float(gain[2]) == pytest.approx(apart, abs=0.51 * 10.0 ** -len(gain[2].partition(".")[2]))
    apart = _means(figure(app, "accuracy"), "KED") - _means(figure(app, "accuracy"), reference[1])
    assert float(points[1]) == pytest.approx(apart, abs=0.006)


def json_title(drawn: dict[str, Any]) -> str:
    return str(drawn["layout"]["xaxis"]["title"]["text"])


def _means(drawn: dict[str, Any], name: str) -> float:
    (trace,) = [trace for trace in drawn["data"] if trace.get("name") == name]
    return float(numbers(trace)[0])


def test_the_train_pages_line_of_results_is_that_of_the_dots() -> None:
    app = sound(visit("train", run="digits-preset"), "train")
    line = next(text.value for text in app.caption if text.value.startswith("On the test set"))
    dots = [trace for trace in figure(app, "results")["data"] if trace.get("hovertemplate") and len(numbers(trace)) == 1]
    assert len(dots) >= 3
    for dot in dots:
        assert f"{dot['hovertemplate'].rpartition(': ')[0]} {numbers(dot)[0]:.1f} % ± " in line


def test_the_train_pages_line_of_settings_has_those_in_force_after_a_change() -> None:
    driver = Driver()
    driver.until("epoch", stage="student-ked", epoch=1)
    steering.adjust(driver.run, temperature=4.0, lam=0.25)
    driver.until("adjusted")
    steering.cancel(driver.run)
    app = visit("train", run=driver.rest().id)
    line = next(text.value for text in app.caption if text.value.startswith("T "))
    assert line.startswith("T 4 · τ 10 · λ 0.25 · μ 0.7 ")
