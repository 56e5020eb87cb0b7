"""What a report says, part by part, and the file that it becomes."""

from __future__ import annotations

import base64
import datetime
import html
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import torch

from explorer import cache
from explorer.components import script, style
from explorer.components.plot import LIBRARY
from explorer.pictures import charts, graphs, overlays, theme
from explorer.replay.figures import Figures, Replay, enter, make
from explorer.replay.over_time import GROUP
from explorer.state.settings import RECIPE_SETTINGS, SETTINGS
from explorer.timeline.history import History
from explorer.words import explain
from explorer.words.results import LABELS, headline, result_table
from ked import run_tables
from ked.errors import InvalidInput
from ked.explanation import centre, coalition, contributions
from ked.library import reproduction, title
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.store import Run

_HERE = Path(__file__).parent
_RECORDED = "Recorded with ked.record from nets that were trained elsewhere; how, is not known here."
_SAMPLES = 6  # test samples that are explained one by one
_LINKS = 300  # of the dependency graph


class Figure(NamedTuple):
    """A figure in its place: what it is called, what it shows in words, and a sentence to read below it."""

    figure: go.Figure
    heading: str
    alt: str
    below: str = ""
    moves: bool = False  # with the slider through time


def report(run: Run) -> str:
    """The report's HTML.

    Raises:
        InvalidInput: The run has not finished.
        Unavailable: A file of the run is damaged, or its data are not on this machine.
    """
    facts = cache.facts(run)
    if facts["status"] != "done":
        raise InvalidInput(f"run {run.id} is {facts['status']}; a report needs a finished one.")
    recipe = cache.recipe(run)
    replay = enter(run, recipe, History(run).read(), active=False, student=_explaining_student(recipe))
    made = make(replay)
    figures = {
        "results": [_results(facts["summary"])],
        "film": list(_film(replay, made.figures)),
        "superfeatures": [] if replay.convolutional else list(_superfeatures(replay)),
        "samples": list(_samples(replay)),
    }
    ticks = [{"name": moment.name, "label": moment.label} for moment in made.moments]
    return Template((_HERE / "page.html").read_text("utf-8")).substitute(
        title=html.escape(title(run.id, facts)),
        lead=html.escape(_lead(replay, facts)),
        origin=html.escape(_origin(facts)),
        taken=html.escape(taken := _taken(facts)),
        no_taken="" if taken else "hidden",
        table=_table(result_table(facts["summary"], facts["seconds"])),
        recipe=_table(_recipe(recipe) if not run.recorded else pd.DataFrame({"recipe": [_RECORDED]})),
        reproduce=html.escape(reproduction.script(run)),
        **{part: "\n".join(map(_slot, range(len(drawn)), [part] * len(drawn), drawn)) for part, drawn in figures.items()},
        **{f"no_{part}": "" if drawn else "hidden" for part, drawn in figures.items()},
        results_csv=_file(run_tables.as_csv(run_tables.results(run)), "text/csv"),
        curves_csv=_file(run_tables.as_csv(run_tables.curves(run)), "text/csv"),
        data=_embedded(
            {
                "figures": {f"{part}-{i}": _data(one) for part, drawn in figures.items() for i, one in enumerate(drawn)},
                "ticks": ticks,
                "group": GROUP,
                "slider": {"label": SETTINGS["tick"].label, "help": SETTINGS["tick"].help},
            }
        ),
        plotly=LIBRARY.read_text("utf-8").replace("</script", "<\\/script"),
        scripts="\n".join(_function(name) for name in ("plot", "scrubber")),
        style="\n".join([_variables(), style("plot"), style("scrubber")]),
    )


def _explaining_student(recipe: Recipe) -> str:
    """The student whose contributions stand beside the teacher's: KED, if it is there, else another that explains itself."""
    explaining = [name for name in recipe.methods if METHODS[name].net == "ked"]
    return "ked" if "ked" in explaining else (explaining or recipe.methods)[0]


def _lead(replay: Replay, facts: dict[str, Any]) -> str:
    of = f"{replay.dataset.name}, M = {replay.recipe.superfeatures}, {replay.recipe.seeds} seeds."
    return f"{of} On the test split: {headline(facts['summary'])}."


def _origin(facts: dict[str, Any]) -> str:
    when = datetime.datetime.fromtimestamp(facts["ended"], datetime.UTC).strftime("%Y-%m-%d")
    return f"Computed on {when}: {reproduction.origin(facts)}."


def _taken(facts: dict[str, Any]) -> str:
    """How a user's own table was taken in, and which students were trained too shortly."""
    table = facts.get("data") or {"plain": True}
    told = [] if table["plain"] else [f"The data: {table['said']}", *table["remarks"]]
    return " ".join([*told, *facts.get("undertrained", ())])


# Figures


def _results(summary: dict[str, Any]) -> Figure:
    students = {name: np.array(values) for name, values in summary["accuracy"].items() if isinstance(values, list)}
    teachers = {name: value for name, value in summary["accuracy"].items() if not isinstance(value, list)}
    alt = "Test accuracy of each method: a dot a seed, the mean and its 95 % interval; dotted lines are the teachers."
    return Figure(charts.results(students, labels=LABELS, references=teachers), "Test accuracy", alt, alt)


def _film(replay: Replay, made: Figures) -> Iterator[Figure]:
    told = {
        "accuracy": ("Validation accuracy", "Means over the seeds with their 95 % intervals; dotted: the teachers."),
        "forming": ("Superfeatures as they form", "The strongest links and their communities; groups keep their colours."),
        "modularity": ("Modularity", "How much of the link strength lies inside the communities, beyond chance."),
        "teacher-overlay": (_about(replay, "explaining"), "Contributions of the superfeatures in nats: for the class, or against it."),
        "student-overlay": (_about(replay, replay.student), "On the scale of its teacher's."),
        "answers": ("What they answer", "Class probabilities of the nets."),
        "losses": ("What each student minimises", "Each term times its weight, in nats."),
        "agreement": ("Do students explain as their teacher does?", "Cosine of their contributions: 1 is full agreement."),
    }
    for key, (heading, below) in told.items():
        if key in made:
            yield Figure(made[key], heading, f"{heading}. {below}", below, moves=True)


def _about(replay: Replay, net: str) -> str:
    return f"{explain.sentence(LABELS[net])} on test sample {replay.sample}: {replay.dataset.classes[replay.label]}"


def _superfeatures(replay: Replay) -> Iterator[Figure]:
    run, dataset = replay.run, replay.dataset
    if not (run.has("dependency") and run.has("superfeatures")):
        return
    how = (replay.recipe.reduce, replay.recipe.scale)
    W, groups = cache.dependency(run, *how), run.superfeatures().groups
    mean, spread = cache.mean_image(run)
    graph = graphs.dependency_graph(
        W, groups, dataset.shape, edges=_LINKS, positions=cache.positions(run, *how),
        background=mean, spread=spread, names=dataset.features,
    )  # fmt: skip
    yield Figure(graph, "The dependency graph", f"Graph of {len(W)} features in {len(groups)} communities.")
    blocks = graphs.dependency_blocks(W, groups, names=dataset.features)
    yield Figure(blocks, "Dependency matrix, ordered", "Dependency matrix with its blocks along the diagonal, sorted by superfeature.")
    shown = mean if dataset.is_image else W.sum(1)
    mask = overlays.superfeature_mask(groups, dataset.shape, image=shown, names=dataset.features, height=330)
    yield Figure(mask, "Superfeature mask", f"The features in the colours of {len(groups)} superfeatures.")


def _samples(replay: Replay) -> Iterator[Figure]:
    """Teacher beside student, sample by sample, on one scale a sample."""
    run, dataset = replay.run, replay.dataset
    nets = [net for net in ("explaining", replay.student) if run.has(net if net == "explaining" else f"student-{net}")]
    nets = [net for net in nets if net == "explaining" or METHODS[net].net == "ked"]
    if replay.convolutional or not nets:
        return
    for sample in np.linspace(0, len(dataset.test) - 1, _SAMPLES).astype(int).tolist():
        image, truth = dataset.x[dataset.test[sample]].numpy(), int(dataset.y[dataset.test[sample]])
        heard = {net: _voice(run, net, sample) for net in nets}
        label = int(heard["explaining"][1].argmax()) if "explaining" in heard else truth
        limit = overlays.shared_limit(*[phi[:, label] for phi, _ in heard.values()])
        for net, (phi, log_p) in heard.items():
            groups = run.superfeatures("teacher" if net == "explaining" else "student").groups
            look: dict[str, Any] = {"limit": limit, "names": dataset.features, "height": 300}
            picture = overlays.contributions(groups, phi[:, label], dataset.shape, image, **look)
            heading = f"{explain.sentence(LABELS[net])} on {dataset.classes[label]}, sample {sample}"
            yield Figure(picture, heading, f"{heading}.", _unmarked(explain.verdict(_named(net), log_p, truth, dataset.classes)))


def _voice(run: Run, net: str, sample: int) -> tuple[np.ndarray, np.ndarray]:
    """Centred contributions (M, C) and class log-probabilities (C,) of a net's first replica."""
    log_y, base = map(torch.from_numpy, cache.explanation(run, net, 0, sample))
    everyone = [True] * len(log_y)
    return centre(contributions(log_y, base)).numpy(), coalition(log_y[:, None], base, everyone)[0].numpy()


def _named(net: str) -> str:
    return LABELS[net] if net == "explaining" else f"{LABELS[net]} student"


def _unmarked(markdown: str) -> str:
    """A sentence without what only Markdown reads: bold, and the strokes that keep names from being Markdown."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown.replace("**", ""))


# The file


def _recipe(recipe: Recipe) -> pd.DataFrame:
    usual = Recipe().model_dump()
    rows = [
        {"setting": SETTINGS[name].label if name in RECIPE_SETTINGS else name.replace("_", " "), "value": _shown(value)}
        for name, value in sorted(recipe.model_dump().items(), key=lambda item: item[1] == usual[item[0]])
    ]
    return pd.DataFrame(rows)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else "–" if value is None else str(value)


def _slot(number: int, part: str, drawn: Figure) -> str:
    below = f"<figcaption>{html.escape(drawn.below)}</figcaption>" if drawn.below else ""
    return f'<figure id="{part}-{number}"><h3>{html.escape(drawn.heading)}</h3><div></div>{below}</figure>'


def _data(drawn: Figure) -> dict[str, Any]:
    """What `plot.js` is given."""
    height = int(drawn.figure.layout.height or 380)
    return {
        "figure": theme.to_json(drawn.figure), "alt": drawn.alt, "height": height, "select": [], "library": "",
        "group": GROUP if drawn.moves else None, "name": re.sub(r"\W+", "-", drawn.heading.lower()),
    }  # fmt: skip


def _embedded(value: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value).replace("<", "\\u003c")


def _function(name: str) -> str:
    """A component's module as a function that shows it, in a scope of its own."""
    source = script(name).replace("export default function", "return function")
    return f"const show_{name} = (() => {{\n{source}\n}})();"


def _table(frame: pd.DataFrame) -> str:
    return str(frame.to_html(index=False, border=0, escape=True))


def _file(text: str, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(text.encode()).decode()}"


def _variables() -> str:
    """The app's colours and fonts under the names that its figures use, in light and dark."""
    theme = tomllib.loads((_HERE.parent / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    shared = _declared({name: value for name, value in theme.items() if isinstance(value, str)})
    light, dark = _declared(theme["light"]), _declared(theme["dark"])
    return f":root {{ {shared} {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def _declared(values: dict[str, Any]) -> str:
    names = {name: re.sub(r"([A-Z])", lambda found: f"-{found[1].lower()}", name) for name in values}
    return " ".join(f"--st-{names[name]}: {value};" for name, value in values.items() if isinstance(value, str))
