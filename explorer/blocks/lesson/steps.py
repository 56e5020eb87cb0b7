"""The five pictures of the lesson: each shows something, lets the visitor do one thing, and says what came out once it is done.

Each takes whether the visitor `may` do it now, as they have guessed, and whether they have `done` it, and gives the position of the right
option and its sentence, or None before it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from explorer import cache, study_results
from explorer.blocks import explained_sample, pair_answers
from explorer.blocks.explained_sample import NetExplanation
from explorer.components.plot import plot
from explorer.pictures import answer_grid, graphs, overlays, theme
from explorer.pictures import bars as bar_charts
from explorer.state import session
from explorer.words import lesson as words
from explorer.words import pairs as pair_words
from explorer.words.story import conclusion
from explorer.words.studies import command_line
from ked.agreements import cosine
from ked.agreements.contrasts import accuracy_gains
from ked.data import Dataset
from ked.data.class_pairs import ClassPairs, class_pairs
from ked.statistics import interval
from ked.store import Run
from ked.studies import STUDIES
from ked.studies.cells import Settings
from ked.studies.outcome import Contrast
from ked.studies.report import Report
from ked.studies.words import findings

_PIXEL = 2 * 16 + 3  # of the first digit, near its middle
_SPEAKS, _EPOCH, _SEEN = "lesson.speaks", "lesson.epoch", "lesson.seen"  # in the session
_BOTH = "together"
Answer = tuple[int, str] | None


@dataclass(frozen=True)
class Lesson:
    """What all steps look at: one pair of digits, and what the preset's explaining teacher says of it."""

    run: Run
    dataset: Dataset
    pairs: ClassPairs
    sample: int
    voice: NetExplanation

    @property
    def image(self) -> np.ndarray:
        """(D,) the pair."""
        picture: np.ndarray = self.dataset.part("test")[0][self.sample].numpy()
        return picture

    @property
    def truth(self) -> int:
        """Its class."""
        return int(self.dataset.part("test")[1][self.sample])

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The teacher's superfeatures."""
        return self.run.superfeatures("teacher").groups


def enter(run: Run) -> Lesson:
    """The lesson's pair: the one that the visitor looked at last, else the first."""
    dataset = cache.dataset_of(run)
    pairs = class_pairs(dataset.classes)
    assert pairs is not None, "the classes of digit-pairs are pairs"
    sample = session.get("sample") % len(dataset.test)
    return Lesson(run, dataset, pairs, sample, NetExplanation.of("explaining", *cache.explanation(run, "explaining", 0, sample)))


def forget() -> None:
    """A new step begins with nothing done."""
    for key in (_SPEAKS, _EPOCH, _SEEN):
        st.session_state.pop(key, None)


def show(number: int) -> None:
    """Do what a step asks for in the visitor's place."""
    if number == 1:
        session.put(coalition="10")
    elif number == 2:
        session.put(node=_PIXEL)
    elif number == 3:
        st.session_state[_SPEAKS] = _BOTH
    elif number == 4:
        st.session_state[_EPOCH] = None  # the last one
    else:
        st.session_state[_SEEN] = True


def two_teams(lesson: Lesson, may: bool, done: bool) -> Answer:
    """Step 1: switch a team off; the grid keeps a row."""
    members = explained_sample.switches(len(lesson.voice.phi))
    picture, answers = st.columns([3, 2], gap="large", vertical_alignment="center")
    with picture:
        mask = overlays.superfeature_mask(lesson.groups, lesson.dataset.shape, image=lesson.image, members=members, height=230)
        plot(mask, "lesson-pair", alt="Two digits side by side, their pixels in the colours of the two teams.")

        def switched() -> None:
            session.put(coalition="" if st.session_state["widget.team"] else "10")

        st.session_state["widget.team"] = members[1]
        dot = theme.dot(theme.superfeature_colour(1))
        st.toggle(f"{dot} Team 2 may speak", key="widget.team", disabled=not may, on_change=switched, help="Off: its pixels say nothing.")
    with answers:
        p = np.exp(lesson.voice.prediction(members))
        plot(
            answer_grid.answer_grid(p, lesson.pairs, truth=lesson.truth), "lesson-answers",
            alt="The net's answers, one cell per pair; row: first digit, column: second digit.",
        )  # fmt: skip
        st.caption("Each cell is an answer: the row is the first digit, the column the second. The right one is framed.")
    if members[1] and not done:
        return None
    p = np.exp(lesson.voice.prediction([True, False]))
    known = pair_words.knows(p, lesson.pairs)
    right = 1 if known == (True, False) else 2 if known == (False, True) else 0
    return right, f"{pair_words.says('Team 1', p, lesson.pairs)} A team like that is called a **superfeature**."


def links(lesson: Lesson, may: bool, done: bool) -> Answer:
    """Step 2: the links of a pixel end in its own half; communities colour the halves."""
    node, shape = session.get("node"), lesson.dataset.shape
    node = _PIXEL if done and node < 0 else node
    recipe = cache.recipe(lesson.run)
    W = cache.dependency(lesson.run, recipe.reduce, recipe.scale)
    tapped = may and 0 <= node < len(W)
    picture, colours = st.columns(2, gap="large")
    with picture:
        drawing = graphs.row_image(W, node, shape, height=230) if tapped else overlays.picture(lesson.image, shape, height=230)
        alt = "How strongly each pixel is linked to the framed one." if tapped else "Two digits side by side; choose a pixel."
        click = plot(drawing, "lesson-links", alt=alt)
        _choose_pixel(node if tapped else -1, lesson.dataset.features, may)
        st.caption("The stronger a pixel's colour, the stronger its link to the framed one. Choose others, too." if tapped else "The pair.")
    if click and may:
        session.put(node=round(click["y"]) * shape[-1] + round(click["x"]))
        st.rerun(scope="fragment")
    if not tapped:
        return None
    with colours:
        M = session.get("superfeatures") if session.get("superfeatures") in (2, 3, 4) else 2
        found = cache.superfeatures(lesson.run, recipe.reduce, recipe.scale, M, "hessian", recipe.engine)
        plot(overlays.superfeature_mask(found.groups, shape, height=230), "lesson-groups", alt=f"The pixels in {M} groups.")
        st.session_state["widget.groups"] = M
        st.segmented_control(
            "Groups of strongly linked pixels", (2, 3, 4), key="widget.groups", required=True,
            help="Two groups are the two digits; see what splits when there are more.",
            on_change=lambda: session.put(superfeatures=st.session_state["widget.groups"]),
        )  # fmt: skip
    half = next(list(part) for part in lesson.dataset.truth if node in part)
    return words.links_answer(float(W[node][half].sum() / W[node].sum()) if W[node].sum() > 0 else 0.0)


def _choose_pixel(node: int, names: Sequence[str], may: bool) -> None:
    """What a click on a pixel does, for those who do not click."""
    st.session_state["widget.pixel"] = node
    st.selectbox(
        "Pixel", range(-1, len(names)), key="widget.pixel", disabled=not may, width=220, help="The pixel whose links are shown.",
        format_func=lambda d: names[d] if d >= 0 else "none",
        on_change=lambda: session.put(node=st.session_state["widget.pixel"]),
    )  # fmt: skip


def reasons(lesson: Lesson, may: bool, done: bool) -> Answer:
    """Step 3: a row, a column, a cell; then the bars that add up."""
    M = len(lesson.voice.phi)
    names = {**{str(m): f"{theme.dot(theme.superfeature_colour(m))} Team {m + 1}" for m in range(M)}, _BOTH: "Together"}
    if done and not st.session_state.get(_SPEAKS):
        st.session_state[_SPEAKS] = _BOTH
    speaks = st.segmented_control(
        "Who speaks", list(names), format_func=names.__getitem__, key=_SPEAKS, disabled=not may, help="Each in turn, then both.",
    )  # fmt: skip
    grid, bars = st.columns([2, 3], gap="large")
    with grid:
        if speaks in (None, _BOTH):
            p, colour = np.exp(lesson.voice.prediction([speaks == _BOTH] * M)), theme.INK
        else:
            p, colour = np.exp(lesson.voice.log_y[int(speaks)]), theme.superfeature_colour(int(speaks))
        plot(
            answer_grid.answer_grid(p, lesson.pairs, colour=colour, truth=lesson.truth, height=280), "lesson-reasons",
            alt="Answers of those who speak, one cell per pair.",
        )  # fmt: skip
        st.caption("Nobody has spoken yet: the net's average answer." if speaks is None else "Row: first digit. Column: second.")
    if speaks != _BOTH and not done:
        return None
    p = np.exp(lesson.voice.prediction())
    answer = int(p.argmax())
    with bars:
        figure = bar_charts.waterfall(
            lesson.voice.phi, lesson.voice.base, answer, classes=lesson.dataset.classes, names=[f"team {m + 1}" for m in range(M)]
        )
        plot(figure, "lesson-bars", alt="Bars that add up from the average answer to the net's answer.")
        st.caption("In log-probabilities it is a plain sum: the average answer plus what each team adds is the answer.")
    row, column = (int(np.argmax(part)) for part in pair_words.marginals(p, lesson.pairs))
    one = answer == row * len(lesson.pairs.second) + column
    told = pair_words.together(p, lesson.dataset.classes, [True] * M, lesson.truth)
    return (1 if one else 0), f"{told} The row of one team and the column of the other share one cell."


def students(lesson: Lesson, may: bool, done: bool) -> Answer:
    """Step 4: a replay of two students' training."""
    ked = cache.trajectories(lesson.run, "student-ked", lesson.sample).now()
    kd = cache.trajectories(lesson.run, "student-kd", lesson.sample).now()
    epochs = [epoch for epoch in ked.epochs if epoch in kd.epochs]
    if st.session_state.get(_EPOCH, None if done else epochs[0]) not in epochs:
        st.session_state[_EPOCH] = epochs[-1]
    epoch = st.select_slider("Epochs of training", epochs, key=_EPOCH, disabled=not may, help="Passes over the training data.")
    at, kd_at = ked.epochs.index(epoch), kd.epochs.index(epoch)
    student = NetExplanation.of("ked", ked.log_y[at, 0].numpy(), ked.base.numpy())
    teacher, learns, copies = st.columns([3, 3, 2], gap="medium")
    on = [True] * len(lesson.voice.phi)
    for column, title, voice, key in (
        (teacher, "The big net's reasons", lesson.voice, "lesson-teacher"),
        (learns, "The KED student's reasons", student, "lesson-ked"),
    ):
        with column, st.container(border=True):
            st.markdown(f"**{title}**")
            pair_answers.grids(voice, lesson.pairs, on, truth=lesson.truth, key=key, height=150)
    with copies, st.container(border=True):
        st.markdown("**The KD student: no reasons**")
        st.markdown("Answers alone")
        figure = answer_grid.answer_grid(kd.log_p[kd_at, 0].exp().numpy(), lesson.pairs, truth=lesson.truth, height=150)
        plot(figure, "lesson-kd", alt="The KD student's answers, one cell per pair.")
    phi, own = (torch.from_numpy(net.phi)[:, None] for net in (student, lesson.voice))
    alike = float(cosine(phi, own))
    after = f"After {epoch} epoch{'s' * (epoch != 1)}"
    st.caption(f"{after} the KED student's reasons for this pair and the big net's have a cosine of {alike:.2f} (1: the same).")
    if epoch != epochs[-1] and not done:
        return None
    accuracy = lesson.run.info["summary"]["accuracy"]
    mine, theirs, form = (accuracy[name] for name in ("ked", "kd", "architecture"))
    gain = accuracy_gains({name: values for name, values in accuracy.items() if isinstance(values, list)}, len(lesson.dataset.test))["kd"]
    return words.students_answer(interval(mine), interval(theirs), gain, interval(form), len(mine))


def elsewhere(lesson: Lesson, may: bool, done: bool) -> Answer:
    """Step 5: what a study found on clothes."""
    found = study_results.best_known(STUDIES["architecture"], Settings("paper"))

    def look() -> None:
        st.session_state[_SEEN] = True

    if not (done or st.session_state.get(_SEEN)):
        st.button("Show the study", icon=":material/science:", disabled=not may, on_click=look, help="Five students of each kind.")
        return None
    plot(found.forests["accuracy"], "lesson-study", alt="Differences in test accuracy on Fashion-MNIST with their 95 % intervals.")
    st.caption(f"{found.report.note} Repeat it: `{command_line(found.report)}`.")
    told = [_finding(found.report, *pair) for pair in (("ked", "kd"), ("architecture", "plain"), ("ked", "mu0"))]
    agreement = found.report.table.set_index("net")["agreement"]
    told.append(
        f"Agreement is another matter: with explanations, student and teacher explain alike to a cosine of {agreement['ked']:.2f}; "
        f"without them, {agreement['mu0']:.2f}."
    )
    told.append(conclusion(study_results.over_data_sets()))
    decisive = _contrast(found.report, "ked", "mu0")
    return words.study_answer(told, decisive.difference, bool(decisive.shown))


def _contrast(report: Report, ours: str, theirs: str) -> Contrast:
    return next(one for one in report.contrasts if (one.ours[1], one.theirs[1]) == (ours, theirs))


def _finding(report: Report, ours: str, theirs: str) -> str:
    """The study's own sentence on two nets."""
    return findings([_contrast(report, ours, theirs)])[0][1]
