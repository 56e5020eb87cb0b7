"""How long the cells of a study will take, from those that come with the program; without pandas, as a plan is asked for in passing."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator, Sequence

from ked.files.shipped import shipped
from ked.studies.cells import Cell, Settings

RESULTS = shipped("ked/results", "results")

_CACHED = 0.1  # seconds: what came from the cache took less


def seconds(cells: Sequence[Cell], settings: Settings) -> float | None:
    """Seconds of training, one after the other, if no stage were cached; None where no such net was ever measured.

    A net counts as long as it took in the same study and level, else in any study at that scale, where it was computed and did not
    come from the cache; twice as many students are taken to need as long, as they train side by side.
    """
    here: dict[tuple[str, str, str], float] = {}
    anywhere: dict[str, float] = {}
    for study, level, net, took in [] if settings.dataset or settings.fields else _measured(settings.scale):
        here[study, level, net] = max(took, here.get((study, level, net), 0.0))
        anywhere[net] = max(took, anywhere.get(net, 0.0))
    nets = [(cell.study, cell.level, net) for cell in cells for net in ("teacher", "explaining", *cell.recipe.methods)]
    if not all(net in anywhere for *_, net in nets):
        return None
    return sum(took if (took := here.get(place, 0.0)) > _CACHED else anywhere[place[2]] for place in nets)


def left(elapsed: float, computed: int, remaining: int) -> str:
    """How long the remaining cells will take if they take as long as those that were computed in the seconds that have elapsed.

    >>> left(600, 2, 3)
    'about 15 minutes left'
    """
    return f"about {in_words(elapsed / computed * remaining)} left" if computed and remaining else ""


def in_words(duration: float) -> str:
    """Seconds as people say them.

    >>> in_words(200)
    '3 minutes'
    """
    if duration > 5400:
        return f"{duration / 3600:.1f} hours"
    return f"{duration / 60:.0f} minutes" if duration > 90 else f"{duration:.0f} seconds"


def _measured(scale: str) -> Iterator[tuple[str, str, str, float]]:
    """Study, level, net and seconds of each net that comes with the program; what cannot be read tells nothing."""
    for path in sorted((RESULTS / scale).glob("*/cells.csv")):
        with contextlib.suppress(OSError, ValueError, KeyError, csv.Error), open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["seconds"]:
                    yield path.parent.name, row["level"], row["net"], float(row["seconds"])
