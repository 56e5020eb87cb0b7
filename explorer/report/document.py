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

from explorer import cache, film, words
from explorer.components import script, style
from explorer.components.plot import ensure_plotly
from explorer.film import Figures, Lab
from explorer.history import History
from explorer.pictures import charts, graphs, overlays, theme
from explorer.pictures.past import GROUP
from explorer.results import LABELS, headline, result_table
from explorer.settings import RECIPE_SETTINGS, SETTINGS
from ked.errors import InvalidInput
from ked.explanation import centre, coalition, contributions
from ked.library import reproduction, run_tables, title
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.store import Run

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
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
    lab = film.enter(run, History(run).read(), active=False, student=_explaining_student(run.recipe))
    made = film.figures(lab)
    figures = {
        "results": [_results(facts["summary"])],
        "film": list(_film(lab, made)),
        "superfeatures": [] if lab.convolutional else list(_superfeatures(lab)),
        "samples": list(_samples(lab)),
    }
    ticks = [{"name": moment.name, "label": moment.label} for moment in lab.found]
    return Template((_HERE / "page.html").read_text("utf-8")).substitute(
        title=html.escape(title(run.id, facts)),
        lead=html.escape(_lead(lab, facts)),
        origin=html.escape(_origin(facts)),
        table=_table(result_table(facts["summary"], facts["seconds"])),
        recipe=_table(_recipe(run.recipe)),
        reproduce=html.escape(reproduction.script(run)),
        **{part: "\n".join(map(_slot, range(len(drawn)), [part] * len(drawn), drawn)) for part, drawn in figures.items()},
        **{f"no_{part}": "" if drawn else "hidden" for part, drawn in figures.items()},
        results_csv=_file(run_tables.results_csv(run), "text/csv"),
        curves_csv=_file(run_tables.curves_csv(run), "text/csv"),
        data=_embedded(
            {
                "figures": {f"{part}-{i}": _data(one) for part, drawn in figures.items() for i, one in enumerate(drawn)},
                "ticks": ticks,
                "group": GROUP,
                "slider": {"label": SETTINGS["tick"].label, "help": SETTINGS["tick"].help},
            }
        ),
        plotly=ensure_plotly().read_text("utf-8").replace("</script", "<\\/script"),
        scripts="\n".join(_function(name) for name in ("plot", "scrubber")),
        style="\n".join([_variables(), style("plot"), style("scrubber")]),
    )


def _explaining_student(recipe: Recipe) -> str:
    """The student whose contributions stand beside the teacher's: KED, if it is there, else another that explains itself."""
    explaining = [name for name in recipe.methods if METHODS[name].net == "ked"]
    return "ked" if "ked" in explaining else (explaining or recipe.methods)[0]


def _lead(lab: Lab, facts: dict[str, Any]) -> str:
    of = f"{lab.dataset.name}, M = {lab.recipe['superfeatures']}, {lab.recipe['seeds']} seeds."
    return f"{of} On the test split: {headline(facts['summary'])}."


def _origin(facts: dict[str, Any]) -> str:
    when = datetime.datetime.fromtimestamp(facts["ended"], datetime.UTC).strftime("%Y-%m-%d")
    return f"Computed on {when}: {reproduction.origin(facts)}."


# Figures


def _results(summary: dict[str, Any]) -> Figure:
    students = {name: np.array(values) for name, values in summary["accuracy"].items() if isinstance(values, list)}
    teachers = {name: value for name, value in summary["accuracy"].items() if not isinstance(value, list)}
    alt = "Test accuracy of each method: a dot a seed, the mean and its 95 % interval; dotted lines are the teachers."
    return Figure(charts.results(students, labels=LABELS, references=teachers), "Test accuracy", alt, alt)


def _film(lab: Lab, made: Figures) -> Iterator[Figure]:
    told = {
        "accuracy": ("Validation accuracy", "Means over the seeds with their 95 % intervals; dotted: the teachers."),
        "forming": ("Superfeatures as they form", "The strongest links and their communities; groups keep their colours."),
        "modularity": ("Modularity", "How much of the link strength lies inside the communities, beyond chance."),
        "teacher-overlay": (_about(lab, "explaining"), "Contributions of the superfeatures in nats: for the class, or against it."),
        "student-overlay": (_about(lab, lab.student), "On the scale of its teacher's."),
        "answers": ("What they answer", "Class probabilities of the nets."),
        "losses": ("What each student minimises", "Each term times its weight, in nats."),
        "agreement": ("Do students explain as their teacher does?", "Cosine of their contributions: 1 is full agreement."),
    }
    for key, (heading, below) in told.items():
        if key in made:
            yield Figure(made[key], heading, f"{heading}. {below}", below, moves=True)


def _about(lab: Lab, net: str) -> str:
    return f"{words.sentence(LABELS[net])} on test sample {lab.sample}: {lab.dataset.classes[lab.label]}"


def _superfeatures(lab: Lab) -> Iterator[Figure]:
    run, stamp, dataset = lab.run, cache.stamp(lab.run), lab.dataset
    if not (run.has("dependency") and run.has("superfeatures")):
        return
    how = (lab.recipe["reduce"], lab.recipe["scale"])
    W, groups = cache.dependency(run.id, stamp, *how), run.superfeatures().groups
    mean, spread = cache.mean_image(dataset.name)
    graph = graphs.dependency_graph(
        W, groups, dataset.shape, edges=_LINKS, positions=cache.positions(run.id, stamp, *how),
        background=mean, spread=spread, names=dataset.features,
    )  # fmt: skip
    yield Figure(graph, "The dependency graph", f"Graph of {len(W)} features in {len(groups)} communities.")
    blocks = graphs.dependency_blocks(W, groups, names=dataset.features)
    yield Figure(blocks, "Dependency matrix, ordered", "Dependency matrix with its blocks along the diagonal, sorted by superfeature.")
    shown = mean if dataset.is_image else W.sum(1)
    mask = overlays.superfeature_mask(groups, dataset.shape, image=shown, names=dataset.features, height=330)
    yield Figure(mask, "Superfeature mask", f"The features in the colours of {len(groups)} superfeatures.")


def _samples(lab: Lab) -> Iterator[Figure]:
    """Teacher beside student, sample by sample, on one scale a sample."""
    run, dataset = lab.run, lab.dataset
    nets = [net for net in ("explaining", lab.student) if run.has(net if net == "explaining" else f"student-{net}")]
    nets = [net for net in nets if net == "explaining" or METHODS[net].net == "ked"]
    if lab.convolutional or not nets:
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
            heading = f"{words.sentence(LABELS[net])} on {dataset.classes[label]}, sample {sample}"
            yield Figure(picture, heading, f"{heading}.", _unmarked(words.verdict(_named(net), log_p, truth, dataset.classes)))


def _voice(run: Run, net: str, sample: int) -> tuple[np.ndarray, np.ndarray]:
    """Centred contributions (M, C) and class log-probabilities (C,) of a net's first replica."""
    log_y, base = map(torch.from_numpy, cache.explanation(run.id, cache.stamp(run), net, 0, sample))
    everyone = [True] * len(log_y)
    return centre(contributions(log_y, base)).numpy(), coalition(log_y[:, None], base, everyone)[0].numpy()


def _named(net: str) -> str:
    return LABELS[net] if net == "explaining" else f"{LABELS[net]} student"


def _unmarked(markdown: str) -> str:
    return markdown.replace("**", "")


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
        "figure": theme.to_json(drawn.figure), "alt": drawn.alt, "height": height, "select": [], "source": "",
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
    theme = tomllib.loads((_ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    shared = _declared({name: value for name, value in theme.items() if isinstance(value, str)})
    light, dark = _declared(theme["light"]), _declared(theme["dark"])
    return f":root {{ {shared} {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def _declared(values: dict[str, Any]) -> str:
    names = {name: re.sub(r"([A-Z])", lambda found: f"-{found[1].lower()}", name) for name in values}
    return " ".join(f"--st-{names[name]}: {value};" for name, value in values.items() if isinstance(value, str))
