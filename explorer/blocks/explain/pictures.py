"""The pictures of the explain page: the sample, overlays on one scale, blocks of W, bars that add up, and what every net answers.

One superfeature is lit up on all of them; a click lights up another.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from explorer import cache
from explorer.blocks import pair_answers
from explorer.blocks.choose import light_up
from explorer.blocks.explained_sample import ExplainedSample, NetExplanation
from explorer.components.plot import plot
from explorer.pictures import bars as bar_charts
from explorer.pictures import feature_bars, graphs, overlays
from explorer.state import session
from explorer.words import data as data_words
from explorer.words import explain
from explorer.words.inert import inert
from explorer.words.results import LABELS
from ked.data.class_pairs import class_pairs


def pictures(about: ExplainedSample) -> None:
    """The image, and what teacher and student make of each superfeature, on one scale."""
    limit = overlays.shared_limit(*map(about.evidence, about.voices))
    columns = st.columns([4, 4, 4, 3], gap="medium")
    with columns[0]:
        st.subheader(inert(about.title), anchor=False)
        _sample(about)
    for column, voice in zip(columns[1:3], about.voices, strict=False):
        with column:
            _overlay(about, voice, limit)
    if not about.student:
        with columns[2]:
            black_box_student(session.get("student"))
    with columns[3]:
        block(about)


def _sample(about: ExplainedSample) -> None:
    """The picture, or a table's row as it was measured; a click lights up a superfeature."""
    groups = about.groups_of(about.teacher)
    if about.dataset.is_image:
        mask = cache.figure(
            overlays.superfeature_mask, groups, about.dataset.shape, image=about.image, selected=about.selected, over=True, height=330
        )
        light_up(plot(mask, "sample", alt="The sample, its pixels in the colours of their superfeatures."))
        return
    values = about.dataset.in_units(torch.from_numpy(about.image)[None])[0].numpy()
    texts = data_words.measured(about.dataset, values)
    figure = cache.figure(feature_bars.measured, groups, texts, _deviations(about), about.dataset.features, about.selected)
    click = plot(figure, "sample", alt="The sample's features with their measured values, in the colours of their superfeatures.")
    if click:
        feature = feature_bars.in_order(groups)[int(np.ravel(click["point"])[0])]
        light_up({"customdata": next(m + 1 for m, group in enumerate(groups) if feature in group)})
    mean = "mean of the recorded samples" if cache.recorded(about.run) else "training mean"
    st.caption(f"Beside each bar: the measured value, in the source's units. The bar shows how far it lies from the {mean}.")


def _deviations(about: ExplainedSample) -> np.ndarray:
    """(D,) how far a table's row lies from the training mean, in standard deviations: what nets see, where it was standardised."""
    if about.dataset.units is not None:
        return about.image
    mean, spread = cache.mean_image(about.run)
    return np.asarray((about.image - mean) / np.where(spread > 0, spread, 1.0))


def block(about: ExplainedSample) -> None:
    """The dependency matrix in small, ordered by superfeature, with the lit one's block; a click on a block lights it up."""
    if not about.run.has("dependency"):
        return
    st.subheader("Links by superfeature", anchor=False)
    what = cache.ordered(about.run)
    m = about.selected
    lit = "none is highlighted" if m is None else f"that of superfeature {m + 1} is highlighted"
    figure = cache.figure(graphs.small_blocks, what, lit=m)
    alt = f"The teacher's dependency matrix in small: {len(what.sizes)} blocks along its diagonal, of which {lit}."
    click = plot(figure, "block", alt=alt)
    st.caption(_BLOCKS if m is None else f"Superfeature {m + 1}: {what.sizes[m]} of {sum(what.sizes)} {about.unit}. {_LIT}")
    if click:
        light_up({"customdata": what.block(float(click["y"])) + 1})


def _overlay(about: ExplainedSample, voice: NetExplanation, limit: float) -> None:
    st.subheader(f"{_title(voice.name)} on {inert(about.question)}", anchor=False)
    figure = cache.figure(
        overlays.contributions, about.groups_of(voice), about.evidence(voice), about.dataset.shape, about.image,
        limit=limit, names=about.dataset.features, members=about.members_of(voice), selected=about.selected_of(voice), height=330,
    )  # fmt: skip
    alt = f"Contribution of each superfeature to {about.question}, {LABELS[voice.name]}."
    click = plot(figure, f"overlay-{column_name(voice, about)}", alt=alt)
    light_up(click if about.selected_of(voice) == about.selected else None)


def column_name(voice: NetExplanation, about: ExplainedSample) -> str:
    """A constant key for the teacher's and the student's place, whoever stands there."""
    return "teacher" if voice is about.teacher else "student"


def pair_grids(about: ExplainedSample) -> None:
    """Where classes are pairs: what each superfeature makes of both figures, for teacher and student."""
    pairs = class_pairs(about.dataset.classes)
    if pairs is None:
        return
    for column, voice in zip(st.columns(len(about.voices), gap="large"), about.voices, strict=True):
        with column:
            st.subheader(f"{_title(voice.name)}: the answers as a grid", anchor=False)
            pair_answers.grids(
                voice, pairs, about.members_of(voice), truth=about.truth, key=f"grid-{column_name(voice, about)}", who="Superfeature"
            )
    st.caption(
        "Every class is a pair: the first picture is the row, the second the column. What a superfeature knows about one picture lights up "
        "a row or a column; added up, they meet in one cell. Shades are log-probabilities; the right answer is framed."
    )


def bars(about: ExplainedSample) -> None:
    """From base to final log-probability, for teacher and student; and all nets' class probabilities."""
    steps = np.concatenate([_ends(about, voice) for voice in about.voices])
    low, high = min(0.0, float(steps.min())), max(0.0, float(steps.max()))
    pad = 0.08 * (high - low)
    columns = st.columns(3, gap="medium")
    for column, voice in zip(columns, about.voices, strict=False):
        with column:
            _waterfall(about, voice, (low - pad, high + pad))
    with columns[2]:
        _answers(about)
    told = {_EXPLAINED: True, _KEPT: cache.convolutional(about.run), _CONTRASTED: about.against >= 0}
    st.caption(" ".join(text for text, said in told.items() if said))


def _ends(about: ExplainedSample, voice: NetExplanation) -> np.ndarray:
    """Where the bars end."""
    steps, _ = bar_charts.waterfall_steps(voice.phi, voice.base, about.label, about.members_of(voice), about.against)
    ends: np.ndarray = steps.cumsum()
    return ends


def _waterfall(about: ExplainedSample, voice: NetExplanation, limits: tuple[float, float]) -> None:
    st.subheader(f"{_title(voice.name)}: the sum", anchor=False)
    figure = cache.figure(
        bar_charts.waterfall, voice.phi, voice.base, about.label, against=about.against, classes=about.dataset.classes,
        members=about.members_of(voice), selected=about.selected_of(voice), limits=limits,
    )  # fmt: skip
    alt = f"Bars from the base over {len(voice.phi)} contributions to the log-probability of {about.question}."
    click = plot(figure, f"waterfall-{column_name(voice, about)}", alt=alt)
    light_up(click if about.selected_of(voice) == about.selected else None)


def _answers(about: ExplainedSample) -> None:
    """Every net's class probabilities; a click on a class asks about it."""
    st.subheader("What each net answers", anchor=False)
    classes = about.dataset.classes
    said = {voice.name: np.exp(voice.prediction(about.members_of(voice))) for voice in about.voices}
    said |= {name: np.exp(log_p) for name, log_p in about.black_boxes.items()}
    figure = cache.figure(bar_charts.class_probabilities, said, classes, labels=LABELS, truth=about.truth)
    click = plot(figure, "answers", alt="Class probabilities of every net.")
    names = bar_charts.class_names(classes)
    if click and click["customdata"] in names:
        session.put(label=names.index(click["customdata"]))
        st.rerun()
    if not all(about.members):
        st.caption("Explaining nets answer with the switched-on superfeatures only; black boxes always see everything.")


_BLOCKS = "Stronger ink: stronger dependence between two features. Each superfeature is a block on the diagonal; click one."
_LIT = "Full ink: how its members depend on each other; pale: its links to the others."
_EXPLAINED = (
    "The base is the teacher's average answer, before any superfeature has spoken. Contributions are in nats and centred over the "
    "classes: how much more a superfeature says for this class than for the average class. A shift that all classes share "
    "changes no prediction: the normaliser takes it up. Answers are in percent; black boxes give no contributions. Click a "
    "superfeature to highlight it everywhere, or an answer to ask about its class."
)
_KEPT = (
    "The paper's convolutional nets leave the base out, as if it were the same for all classes; here they keep it, so that contributions "
    "are Shapley values even where it is not."
)
_CONTRASTED = (
    "The difference between the two classes is shown: each nat makes the first e ≈ 2.7 times as likely relative to the second, and the "
    "normaliser, the same for both, drops out."
)


def _title(name: str) -> str:
    return explain.sentence(LABELS[name])


def black_box_student(name: str) -> None:
    """Why there is nothing of this student to see here."""
    st.subheader(f"{_title(name)} does not explain itself", anchor=False)
    st.markdown(
        "This student is a black box: it has no subnets, so it has no contributions of its own. "
        "Choose a KED student to compare explanations."
    )
