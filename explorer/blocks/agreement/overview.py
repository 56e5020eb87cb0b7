"""The blocks of the agreement page: how far each student explains and answers as its teacher does, and what explanations buy."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer import cache, navigation, study_results
from explorer.blocks import controls, frame, nothing_yet
from explorer.blocks.what_it_means import what_it_means
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures.levels import Level, Scale, levels
from explorer.state import session
from explorer.words import agreement as agreement_words
from explorer.words.meaning import told_by
from explorer.words.numbers import listed
from explorer.words.results import LABELS
from ked.agreements import ALL, FIDELITY, MAPS, MEASURES, Measure, Survey, kind_of, map_measures
from ked.agreements.contrasts import REFERENCES, contrasts
from ked.data import Dataset
from ked.errors import Unavailable
from ked.library.comparison import differing
from ked.methods import METHODS
from ked.store import Run

BESIDE = "ked+beside"  # the KED students of another run; what stands before the plus gives the colour


@dataclass(frozen=True)
class Findings:
    """What the page is about: a run, the survey of each of its students, and the measure that was chosen."""

    run: Run
    dataset: Dataset
    surveys: Mapping[str, Survey]
    measure: Measure
    other: Run | None = None

    @property
    def own(self) -> dict[str, Survey]:
        """The run's own students that have explanations of their own."""
        return {name: survey for name, survey in self.speaking.items() if name != BESIDE}

    @property
    def labels(self) -> dict[str, str]:
        """What students are called."""
        if not self.other:
            return LABELS
        grouping = cache.recipe(self.other).grouping
        return LABELS | {BESIDE: f"KED, {grouping} groups" if "grouping" in self._differing else f"KED, run {self.other.id}"}

    @property
    def lacks(self) -> dict[str, str]:
        """What students lack that the run's KED students have."""
        if not self.other:
            return agreement_words.LACKS
        return agreement_words.LACKS | {BESIDE: agreement_words.differing_in(self._differing)}

    @property
    def _differing(self) -> list[str]:
        """The settings that the other run's KED students have otherwise."""
        assert self.other
        names = differing([cache.recipe(self.run), cache.recipe(self.other)])
        return [name.replace("_", " ") for name in names if name != "methods"]

    @property
    def speaking(self) -> dict[str, Survey]:
        """The students that have explanations of their own."""
        return {name: survey for name, survey in self.surveys.items() if survey.pairs}

    @property
    def measured(self) -> dict[str, Survey]:
        """The students that the chosen measure is about: gradient maps are of black boxes too."""
        return {name: survey for name, survey in self.surveys.items() if self.measure.name in survey.samples}

    @property
    def any(self) -> Survey:
        """Some survey, for what all have in common."""
        return next(iter(self.surveys.values()))


def findings(run: Run) -> Findings:
    """Compare every student of a finished run with its explaining teacher."""
    measure = ALL[session.get("measure")]
    maps = kind_of(measure.name)
    there = [name for name in METHODS if name in cache.facts(run)["recipe"]["methods"] and run.has(f"student-{name}")]
    place, surveys = nothing_yet.Place("surveys"), {}
    for number, name in enumerate(there, 1):
        place.say(f"Comparing what students and teacher say of every test sample, {number} of {len(there)}: {LABELS[name]} …")
        surveys[name] = cache.survey(run, name, maps)
    other = next((one for one in comparable(run) if one.id == session.get("beside")), None)
    if other and "ked" in surveys:
        surveys[BESIDE] = cache.survey(other, "ked", maps)
    place.clear()
    return Findings(run, cache.dataset_of(run), surveys, measure, other)


def comparable(run: Run) -> list[Run]:
    """The other finished runs whose KED students had the same data and seeds."""

    def alike(one: Run) -> bool:
        with contextlib.suppress(Unavailable, KeyError):  # a damaged run is told of where it is shown
            mine, its = cache.facts(run), cache.facts(one)
            same = all(mine["recipe"].get(name) == its["recipe"].get(name) for name in ("dataset", "label"))
            return same and its["status"] == "done" and its["seeds"] == mine["seeds"] and one.has("student-ked") and one.has("explaining")
        return False

    return [one for one in cache.list_runs() if one.id != run.id and alike(one)] if run.has("student-ked") else []


def choose_measure(run: Run) -> None:
    """Which measure of agreement; of maps over the input those that these data allow."""
    maps = {} if cache.recorded(run) else map_measures(cache.dataset_of(run).shape)
    controls.choice("measure", options=list(MEASURES | maps), width=290)


def choose_beside(run: Run) -> None:
    """Another run whose KED students stand beside this one's, where there is one."""
    runs = {one.id: frame.describe(one) for one in comparable(run)}
    if session.get("beside") not in runs:
        session.put(beside="")
    if runs:
        controls.pick("beside", {"": "no other run", **runs}, width=200)


def no_students() -> None:
    """A run that ended before any student was trained."""
    st.info("No student of this run is finished, so there is nothing to compare with the teacher.", icon=":material/info:")
    navigation.link("train", "Go to its training")


def answer(about: Findings) -> None:
    """The page's question, answered from the numbers below."""
    seeds = len(about.any.correct)
    found = contrasts(about.surveys, about.measure.name)
    said = agreement_words.answer(found, about.measure, seeds)
    for contrast in contrasts(about.surveys, about.measure.name, [BESIDE]):
        said += f" {agreement_words.beside(contrast, about.measure, f'*{about.labels[BESIDE]}* ({about.lacks[BESIDE]})')}"
    st.markdown(said)
    if not about.speaking:
        st.info(
            "No student of this run explains itself: these are black boxes, so only their answers and their gradient maps can be "
            "compared with the teacher's. Choose a measure of gradient maps, or train a KED student.",
            icon=":material/visibility_off:",
        )
        navigation.link("train", "Train one")


def headline(about: Findings) -> None:
    """Agreement, fidelity and accuracy of every student, in the same order; seeds, means, intervals, chance."""
    agreement, fidelity, accuracy = st.columns(3, gap="medium")
    if about.measured:
        with agreement:
            _agreement(about)
    with fidelity:
        _fidelity(about)
    with accuracy:
        _accuracy(about)
    _scope(about)


def _agreement(about: Findings) -> None:
    st.subheader("Agreement: the same reasons", anchor=False)
    measure, measured = about.measure, about.measured
    values = {name: survey.mean(measure.name) if name in measured else None for name, survey in about.surveys.items()}
    chance = {name: float(survey.chance_mean(measure.name).mean()) for name, survey in measured.items()}
    alike = {name: float(survey.alike_mean(measure.name).mean()) for name, survey in measured.items()}
    lines = [Level("against another sample's explanation", each=chance)]
    if not np.isnan(list(alike.values())).any():
        lines.append(Level("against another of the same class", each=alike, dash="longdash"))
    first = next(iter(measured.values()))
    exact = first.exact_chance(measure.name)
    same = all(survey.exact_chance(measure.name) == exact for survey in measured.values())  # another run may have another M
    if exact is not None and same:
        lines.append(Level("independent explanations", at=exact, dash="dot"))
    figure = cache.figure(
        levels, values, scale_of(measure, measured), labels=about.labels, lines=lines, missing="a black box: no explanation"
    )
    alt = f"{measure.label} with the explaining teacher, one row per student: one dot per seed, the mean, its 95 % interval, and chance."
    plot(figure, "agreement", alt=alt, select=())
    st.caption(f"{measure.description} {agreement_words.what_chance_is(measure, first, dotted=same)}")


def scale_of(measure: Measure, surveys: Mapping[str, Survey]) -> Scale:
    """How a measure is shown: divergences that are small in thousandths of a nat."""
    if measure.more_is_better:
        return Scale(measure.label, low=measure.low, high=measure.high)
    small = all(float(survey.mean(measure.name).max()) < 0.1 for survey in surveys.values())
    unit, factor = (f"milli{measure.unit}", 1000.0) if small else (measure.unit, 1.0)
    return Scale(f"{measure.label}, {unit}: lower is more alike", factor, low=measure.low, high=measure.high)


def _fidelity(about: Findings) -> None:
    st.subheader("Fidelity: the same answers", anchor=False)
    measure = FIDELITY["answer"]
    values = {name: survey.mean("answer") for name, survey in about.surveys.items()}
    chance = sorted(100 * float(survey.chance_mean("answer").mean()) for survey in about.surveys.values())
    told = f"chance {chance[0]:.0f} %" if round(chance[0]) == round(chance[-1]) else f"chance {chance[0]:.0f} to {chance[-1]:.0f} %"
    scale = Scale("same answer as the explaining teacher, %", factor=100, decimals=1, low=measure.low, high=measure.high)
    figure = cache.figure(levels, values, scale, labels=about.labels, lines=[Level(told)])
    alt = "Share of test samples on which student and explaining teacher name the same class, one row per student with its interval."
    plot(figure, "fidelity", alt=alt, select=())
    st.caption(
        "The share of test samples on which both name the same class; chance is the teacher's answer to another sample. "
        "Every student is compared with the *explaining* teacher, even those that learnt from the black box."
    )


def _accuracy(about: Findings) -> None:
    st.subheader("Accuracy: the right answers", anchor=False)
    values = {name: survey.correct.mean(axis=1) for name, survey in about.surveys.items()}
    teacher = cache.facts(about.run).get("summary", {}).get("accuracy", {}).get("explaining")
    lines = [] if teacher is None else [Level(f"explaining teacher {100 * teacher:.1f}", at=teacher, dash="dot")]
    lines.append(Level(f"most frequent class {100 * np.bincount(about.any.labels).max() / len(about.any.labels):.1f}"))
    scale = Scale("test accuracy, %", factor=100, decimals=1, low=0, high=1)
    figure = cache.figure(levels, values, scale, labels=about.labels, lines=lines)
    plot(figure, "accuracy", alt="Test accuracy, one row per student: one dot per seed, the mean and its 95 % interval.", select=())
    st.caption(
        "Fidelity is not accuracy: a student can be right where its teacher is wrong, and vice versa. "
        f"{agreement_words.accuracy_rests(about.any.correct, about.any.labels)}"
    )


def _scope(about: Findings) -> None:
    """On how many samples, seeds and superfeatures all this is."""
    seen, there = len(about.any.labels), len(about.dataset.test)
    said = [f"{_spaced(seen)} test samples{f', the first of {_spaced(there)}' * (seen < there)}"]
    said.append(_SEEDS.get(seeds := len(about.any.correct), f"{seeds} seeds with 95 % Student-t intervals"))
    if taus := sorted({survey.tau for survey in about.speaking.values()}):
        softened = listed([f"{tau:g}" for tau in taus])  # another run may soften otherwise
        said.append(f"explanations softened by τ = {softened} where they are compared as probabilities")
    st.caption(f"{'; '.join(said)}.")
    for note in {survey.pairs.note for survey in about.speaking.values() if survey.pairs and survey.pairs.note}:
        st.info(f"{note} Agreement is over the matched pairs only.", icon=":material/join_inner:")


_SEEDS = {1: "one seed: no interval", 2: "two seeds: no interval"}
_INTERVALS = {1: "of which there is one, so there is no interval", 2: "of which there are two, so there is no interval"}
_CORRECTED = "with 95 % intervals; a gain counts as shown after Holm's correction for all students, and from four seeds on"


def _spaced(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def meaning(about: Findings) -> None:
    """What surprises in it, and what several teachers say of accuracy and of agreement, each in the study that asks for it."""
    recipe = cache.recipe(about.run)
    said = [agreement_words.without_explanations(about.surveys, about.measure)]
    accuracy, agreement = (study_results.on(recipe, name) for name in ("architecture", "m-sweep"))
    for study, measure, references in ((accuracy, "accuracy", ("mu0", "shuffled", "plain")), (agreement, "agreement", ("mu0",))):
        if study:
            level = f"M = {recipe.superfeatures}"
            chosen = [one for one in study.contrasts if one.comparison.measure == measure and one.ours == (level, "ked")]
            said.append(told_by(study, [one for one in chosen if one.theirs in {(level, name) for name in references}]))
    what_it_means(said, accuracy)


def differences(about: Findings) -> None:
    """What KED gains over each other student, and every measure as a table."""
    found = contrasts(about.surveys, about.measure.name, (*REFERENCES, BESIDE))
    if found:
        st.subheader("What explanations buy", anchor=False)
        look = {"KED compared with": st.column_config.TextColumn(pinned=True), "explanations buy": st.column_config.TextColumn(width=270)}
        table(agreement_words.differences(found, about.labels, about.lacks), "differences", height="content", columns=look)
        sure = _INTERVALS.get(len(about.any.correct), _CORRECTED)
        unit = f", in {about.measure.unit}" * bool(about.measure.unit)
        st.caption(
            f"KED minus each other student, paired by seed, {sure}; above zero KED is better. Agreement: {about.measure.label}{unit}."
        )
    with st.expander("Every measure, as a table", icon=":material/table_rows:"):
        look = {"measure": st.column_config.TextColumn(pinned=True)}
        table(agreement_words.everything(about.surveys, about.labels), "everything", height="content", columns=look)
        rest = "" if about.measure.name in MAPS else " Measures of maps are listed once one of them is chosen."
        st.caption(
            "Mean ± half the 95 % interval over seeds; in brackets, what chance gives: the teacher on another sample, and on another of "
            f"the same class.{rest}"
        )
