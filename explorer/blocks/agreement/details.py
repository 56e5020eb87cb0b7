"""One student of the agreement page closely: where, how evenly, and on which samples it explains as its teacher does."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer import cache, navigation
from explorer.blocks import controls
from explorer.blocks.agreement.overview import Findings, scale_of
from explorer.components.plot import plot
from explorer.pictures import agreement_charts, gallery, theme
from explorer.state import session
from explorer.words import agreement
from explorer.words.inert import inert
from explorer.words.results import LABELS
from ked.agreements import ALL, MAPS, Survey
from ked.statistics import interval

COLUMNS, ROWS = 5, 2  # of a gallery
POINTS = 2000  # of the scatter


_WHOLE = {True: "whole maps", False: "all superfeatures together"}


def choose_student(about: Findings) -> Survey:
    """Whom to look at closely, and which of its seeds where one student is meant."""
    st.subheader("One student up close", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="closely"):
        method = controls.choice("student", options=list(about.own), width=220)
        survey = about.speaking[method]
        if len(survey.correct) > 1:
            controls.slider("replica", high=len(survey.correct) - 1, width=150)
        elif session.get("replica"):
            session.put(replica=0)
    return survey


def matrix(about: Findings, survey: Survey) -> None:
    """The measure for each superfeature and class."""
    st.subheader("By superfeature and class", anchor=False)
    name, classes = about.measure.name, about.dataset.classes
    whole = survey.by_class(name)[:, None, :]
    cells = np.concatenate([survey.cells[name], whole], axis=1) if name in survey.cells else whole
    scale = scale_of(about.measure, about.speaking)
    means = survey.by_superfeature(name).mean(axis=0) if name in survey.cells else ()
    rows = [f"superfeature {number + 1} ({scale.text(mean)})" for number, mean in zip(survey.superfeatures, means, strict=bool(len(means)))]
    found = interval(scale.factor * np.moveaxis(cells, 0, -1))
    chance, best = scale.factor * float(survey.chance_mean(name).mean()), scale.factor * about.measure.best
    figure = cache.figure(
        agreement_charts.matrix, found.mean, [*rows, f"all ({scale.text(survey.mean(name).mean())})"], classes, chance=chance, best=best,
        title=scale.title.partition(": lower")[0], spread=found.mean - found.low,
    )  # fmt: skip
    alt = f"{about.measure.label} for {len(rows) or 'all'} superfeatures and {len(classes)} classes: stronger ink is more agreement."
    plot(figure, "cells", alt=alt, select=())
    st.caption(
        "Mean over seeds and over the test samples of each true class; in brackets, over all classes. Colours run from chance to full "
        f"agreement.{_of_class(survey, name)}"
        + (f" Of {len(classes)} classes, those that agree least and most, in order." if len(classes) > agreement_charts.LETTERED else "")
        + ("" if rows else f" This measure is about {_WHOLE[name in MAPS]}, so it has one row.")
    )


def _of_class(survey: Survey, name: str) -> str:
    like = float(survey.alike_mean(name).mean())
    return f" Another sample of the same class gives {agreement.number(like)}." if like == like else ""


def scatter(about: Findings, survey: Survey) -> None:
    """Teacher's contributions against the student's."""
    st.subheader("Contribution by contribution", anchor=False)
    method, k = session.get("student"), session.get("replica")
    rows = drawn(len(survey.labels), max(1, POINTS // (len(survey.superfeatures) * about.dataset.class_count)))
    assert survey.pairs is not None
    theirs = cache.contributions_of(about.run, "explaining", 0, rows)[list(survey.pairs.teachers)]
    mine = cache.contributions_of(about.run, method, k, rows)[list(survey.pairs.students)]
    names = [f"superfeature {number + 1}" for number in survey.superfeatures]
    texts = [f"sample {row}" for row in rows]
    figure = cache.figure(agreement_charts.scatter, theirs, mine, names, survey.superfeatures, texts)
    alt = f"Teacher's against student's contributions of {len(names)} superfeatures; equal ones lie on the diagonal."
    plot(figure, "scatter", alt=alt, select=())
    all_there = len(rows) == len(survey.labels)
    whom = f"All {len(rows)} test samples" if all_there else f"{len(rows)} test samples, drawn at random"
    st.caption(
        f"{whom}, one dot for every class and superfeature. On the dashed line student and teacher agree exactly; in a flatter cloud "
        "the student says the same, but less strongly."
    )


def drawn(count: int, wanted: int) -> tuple[int, ...]:
    """Some of the samples, the same ones each time."""
    chosen = np.random.default_rng(0).permutation(count)[:wanted]
    return tuple(int(row) for row in np.sort(chosen))


def distribution(about: Findings) -> None:
    """How the measure is spread over the samples."""
    st.subheader("Across the test samples", anchor=False)
    name, scale = about.measure.name, scale_of(about.measure, about.measured)
    figure = cache.figure(
        agreement_charts.distribution,
        {method: scale.factor * one.samples[name] for method, one in about.measured.items()},
        {
            "against another sample's explanation": {method: scale.factor * one.chance[name] for method, one in about.measured.items()},
            "against another of the same class": {method: scale.factor * one.alike[name] for method, one in about.measured.items()},
        },
        scale.title, labels=about.labels, bounds=(scale.factor * scale.low, scale.factor * scale.high),
    )  # fmt: skip
    alt = f"Distribution of {about.measure.label} over the test samples, one row per student; dashed: what other samples give."
    plot(figure, "spread", alt=alt, select=())
    st.caption(
        "All seeds together; every hill has the same height, its median beside it. The further a hill lies from the dashed one (another "
        "sample of the *same class*), the more the explanation is about *this* sample."
    )


def extremes(about: Findings, survey: Survey) -> None:
    """The samples on which one student and its teacher explain least and most alike; a click opens the Explain page."""
    k = session.get("replica")
    order = ranked(survey, about.measure.name, k)
    count = min(COLUMNS * ROWS, len(order) // 2) or 1
    who = f"{LABELS[session.get('student')]}{f', seed {k}' if len(survey.correct) > 1 else ''}"
    st.subheader(f"Cases: {who} and its teacher", anchor=False)
    worst, best = st.columns(2, gap="large")
    with worst:
        _gallery(about, survey, order[:count], "worst", "Explained least alike")
    with best:
        _gallery(about, survey, order[::-1][:count], "best", "Explained most alike")
    classes = about.dataset.classes
    st.download_button(
        "Every sample as CSV", lambda: agreement.by_sample(survey, k, classes).to_csv(index=False),
        f"{about.run.id}-{session.get('student')}-agreement.csv", "text/csv", icon=":material/download:", on_click="ignore",
        help="One row per test sample, with every measure of this student.",
    )  # fmt: skip


def ranked(survey: Survey, name: str, k: int) -> np.ndarray:
    """Samples from least to most agreement of one student; where a measure makes no difference, the cosine does."""
    better = 1 if ALL[name].more_is_better else -1
    order = np.lexsort((survey.samples["cosine"][k], better * survey.samples[name][k]))
    return np.asarray(order[~np.isnan(survey.samples[name][k][order])])


def _gallery(about: Findings, survey: Survey, shown: np.ndarray, key: str, title: str) -> None:
    dataset, k, scale = about.dataset, session.get("replica"), scale_of(about.measure, about.speaking)
    values = survey.samples[about.measure.name][k][shown]
    truth = [dataset.classes[survey.labels[row]] for row in shown]
    captions = [f"{name}, {scale.text(value)}" for name, value in zip(truth, values, strict=True)]
    st.markdown(f"**{title}**")
    if not dataset.is_image:
        with st.container(horizontal=True, key=f"{key}-rows"):
            for row, caption in zip(shown, captions, strict=True):
                if st.button(f"sample {row}: {inert(caption)}", key=f"{key}-{row}", help="Open this sample on the Explain page."):
                    _explain(int(row))
        return
    images = dataset.part("test")[0][shown.tolist()].numpy()
    names = [theme.plain(name, 12) for name in truth]
    below = [f"{name}{' · ' if len(name) < 5 else '<br>'}{scale.text(value)}" for name, value in zip(names, values, strict=True)]
    figure = cache.figure(gallery.strip, images, dataset.shape, below, columns=COLUMNS)
    click = plot(figure, key, alt=f"{title}: {', '.join(captions)}. Click one to explain it.")
    opens = "Opens one of them on the Explain page; so does a click on its picture."
    chosen = st.menu_button(
        "Explain one of these", range(len(shown)), key=f"{key}-menu", icon=":material/visibility:", help=opens,
        format_func=lambda place: f"sample {shown[place]}: {inert(captions[place])}",
    )  # fmt: skip
    if chosen is not None:
        _explain(int(shown[chosen]))
    if click:
        position = gallery.clicked(click, dataset.shape, COLUMNS)
        if position < len(shown):
            _explain(int(shown[position]))


def _explain(sample: int) -> None:
    session.put(sample=sample, label=-1)
    navigation.go("explain")
