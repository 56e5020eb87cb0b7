"""What is known of a study, and its figures, made once for all visitors and anew when a cell is finished. No streamlit here."""

from __future__ import annotations

import functools
from typing import TypeVar

import plotly.graph_objects as go

from explorer.pictures import study_figures
from explorer.words import sceptic
from explorer.words.open_questions import sections
from explorer.words.story import Point, points
from ked.errors import Unavailable
from ked.recipe import Recipe
from ked.studies import STUDIES, ledger, shipped, study_named
from ked.studies.cells import Settings
from ked.studies.report import Report, report_with_shipped
from ked.studies.study import SCALES, Measured, Study

Stamps = tuple[tuple[str, int], ...]
Figure = TypeVar("Figure", go.Figure, go.Figure | None)


class Outcome:
    """A report and its figures, each made when it is first asked for.

    Attributes:
        report: Everything that is known.
    """

    def __init__(self, report: Report) -> None:
        self.report = report

    @functools.cached_property
    def forests(self) -> dict[Measured, go.Figure]:
        """Measure -> the differences in it."""
        return {measure: self._named(figure) for measure, figure in study_figures.forests(self.report).items()}

    @functools.cached_property
    def accuracy(self) -> go.Figure | None:
        """Test accuracy by level and method."""
        return self._named(study_figures.by_level(self.report, "accuracy"))

    @functools.cached_property
    def agreement(self) -> go.Figure | None:
        """Agreement by level and method."""
        return self._named(study_figures.by_level(self.report, "agreement"))

    @functools.cached_property
    def modularity(self) -> go.Figure | None:
        """How clear-cut the superfeatures are, over M."""
        if self.report.study.name != "m-sweep":
            return None
        return self._named(study_figures.of_groups(self.report, "modularity", "modularity"))

    @functools.cached_property
    def recovery(self) -> go.Figure | None:
        """How well planted groups are found."""
        return self._named(study_figures.of_groups(self.report, "recovery", "adjusted Rand index", (-0.1, 1.1)))

    def _named(self, figure: Figure) -> Figure:
        """Zoom is kept while the study stays the same."""
        if figure is not None:
            figure.update_layout(uirevision=f"{self.report.study.name}-{self.report.settings.scale}")
        return figure


def best_known(study: Study, settings: Settings) -> Outcome:
    """What is known at these settings; of the usual ones, more teachers where more came with the program; where nothing is known, what
    came with it, or was computed of one teacher's five students.

    Raises:
        Unavailable: The shipped results are damaged.
    """
    brought = shipped.settings_of(study.name, settings.scale)
    if settings == Settings(settings.scale) and brought.teachers > settings.teachers:
        settings = brought
    asked = outcome(study, settings)
    if asked.report.cells.empty and settings.dataset is None and not settings.fields:
        for other in (brought, Settings(settings.scale, seeds=5, teachers=1)):
            found = outcome(study, other)
            if not found.report.cells.empty:
                return found
    return asked


def outcome(study: Study, settings: Settings) -> Outcome:
    """What is known now, of cells that were computed here and of those that come with the program.

    Raises:
        Unavailable: The shipped results are damaged.
    """
    # Of all studies, as a comparison that stands in several has one verdict.
    return _made(study.name, settings.scale, settings.seeds, settings.teachers, _stamps(settings.scale))


def on(recipe: Recipe, study: str = "architecture") -> Report | None:
    """What a study showed on a recipe's data with such nets; by default the one that asks where KED's gain comes from.

    None where nothing is known, or the shipped results are damaged: that takes away what is read off them, and no more.
    """
    asked, data = study_named(study), (recipe.dataset, recipe.net)
    scale = next((scale for scale, name in asked.datasets.items() if (name, SCALES[scale].get("net", "mlp")) == data), None)
    if scale is None:
        return None
    try:
        report = best_known(asked, Settings(scale)).report
    except Unavailable:
        return None
    return report if report.contrasts else None


def over_data_sets() -> list[Point]:
    """The comparisons that are made on several data sets, from the best that is known of each study."""
    return [*_over_data_sets(_all_stamps())]


def open_questions() -> str:
    """What was found and what is missing, question by question, in Markdown.

    Raises:
        Unavailable: The shipped results are damaged.
    """
    return _open_questions(_all_stamps())


def doubts(about: Report) -> str:
    """What a reviewer asks of a report, with the answers, in Markdown.

    Raises:
        Unavailable: The shipped results are damaged.
    """
    settings = about.settings
    return _doubts(about.study.name, settings.scale, settings.seeds, settings.teachers, _all_stamps())


@functools.lru_cache(maxsize=64)
def _doubts(name: str, scale: str, seeds: int, teachers: int, stamps: Stamps) -> str:
    return sceptic.doubts(_made(name, scale, seeds, teachers, _stamps(scale)).report, _best)


@functools.lru_cache(maxsize=1)
def _over_data_sets(stamps: Stamps) -> tuple[Point, ...]:
    return tuple(points(_best))


@functools.lru_cache(maxsize=1)
def _open_questions(stamps: Stamps) -> str:
    return sections(_best)


def _best(name: str, scale: str) -> Report:
    return best_known(study_named(name), Settings(scale)).report


@functools.lru_cache(maxsize=64)
def _made(name: str, scale: str, seeds: int, teachers: int, stamps: Stamps) -> Outcome:
    return Outcome(report_with_shipped(study_named(name), Settings(scale, seeds=seeds, teachers=teachers)))


def _all_stamps() -> Stamps:
    return tuple(stamp for scale in SCALES for stamp in _stamps(scale))


def _stamps(scale: str) -> Stamps:
    """Change whenever a cell of any study is finished at that scale, here or in what comes with the program."""
    files = [file for name in STUDIES for file in (ledger.file_of(name), shipped.file_of(name, scale))]
    return tuple((str(file), file.stat().st_mtime_ns if file.is_file() else 0) for file in files)
