"""What a report says, part by part, and the file that it becomes."""

from __future__ import annotations

import base64
import datetime
import html
import json
import re
import tomllib
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from explorer import cache
from explorer.components import script, style
from explorer.components.plot import LIBRARY
from explorer.pictures import theme
from explorer.replay.figures import Replay, enter, make
from explorer.replay.over_time import GROUP
from explorer.report import figures, tables
from explorer.report.figures import Figure
from explorer.state.settings import SETTINGS
from explorer.timeline.history import History
from explorer.words import agreement as agreement_words
from explorer.words.results import headline, result_table
from ked import run_tables
from ked.errors import InvalidInput
from ked.library import reproduction, title
from ked.methods import METHODS
from ked.recipe import Recipe
from ked.store import Run

_HERE = Path(__file__).parent
_RECORDED = "Recorded with ked.record from nets that were trained elsewhere; how they were trained is not known here."


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
    drawn = {
        "results": [figures.results(facts["summary"])],
        "film": list(figures.film(replay, made.figures)),
        "superfeatures": [] if replay.convolutional else list(figures.superfeatures(replay)),
        "samples": list(figures.explained(replay)),
    }
    filled = _words(replay, facts)
    return Template((_HERE / "page.html").read_text("utf-8")).substitute(
        **filled,
        **{part: "\n".join(map(_slot, range(len(several)), [part] * len(several), several)) for part, several in drawn.items()},
        **{f"no_{part}": "" if several else "hidden" for part, several in drawn.items()},
        reproduce=html.escape(reproduction.script(run)),
        results_csv=_file(run_tables.as_csv(run_tables.results(run)), "text/csv"),
        curves_csv=_file(run_tables.as_csv(run_tables.curves(run)), "text/csv"),
        data=_embedded(
            {
                "figures": {f"{part}-{i}": _data(one) for part, several in drawn.items() for i, one in enumerate(several)},
                "ticks": [{"name": moment.name, "label": moment.label} for moment in made.moments],
                "group": GROUP,
                "slider": {"label": SETTINGS["tick"].label, "help": SETTINGS["tick"].help},
            }
        ),
        plotly=LIBRARY.read_text("utf-8").replace("</script", "<\\/script"),
        scripts="\n".join(_function(name) for name in ("plot", "scrubber")),
        style="\n".join([_variables(), style("plot"), style("scrubber")]),
    )


def _words(replay: Replay, facts: dict[str, Any]) -> dict[str, str]:
    """The report's sentences and tables, safe as HTML; of a part that there is not, `no_…` hides the place."""
    run, summary = replay.run, facts["summary"]
    found = tables.surveys(run)
    answer, bought = tables.bought(found) if found else ("", pd.DataFrame())
    how, attributed = tables.attributions(replay)
    means = tables.conclusion(run)
    noted = " ".join(facts.get("undertrained", ()))
    return {
        "title": html.escape(title(run.id, facts)),
        "lead": html.escape(_lead(replay, facts)),
        "means": "\n".join(f"<li>{html.escape(tables.plain(sentence))}</li>" for sentence in means),
        "origin": html.escape(_origin(facts)),
        "noted": html.escape(noted),
        "no_noted": "" if noted else "hidden",
        "table": _table(result_table(summary, facts["seconds"])),
        "card": _table(tables.data_card(replay)),
        "answer": html.escape(answer),
        "bought": _table(bought),
        "agreement": _table(agreement_words.everything(found)) if found else "",
        "no_agreement": "" if found else "hidden",
        "no_bought": "" if len(bought) else "hidden",
        "how_attributed": html.escape(how),
        "attributed": _table(attributed),
        "no_attributed": "" if len(attributed) else "hidden",
        "recipe": _table(tables.recipe(replay.recipe) if not run.recorded else pd.DataFrame({"recipe": [_RECORDED]})),
    }


def _explaining_student(recipe: Recipe) -> str:
    """The student whose contributions stand beside the teacher's: KED, if it is there, else another that explains itself."""
    explaining = [name for name in recipe.methods if METHODS[name].net == "ked"]
    return "ked" if "ked" in explaining else (explaining or recipe.methods)[0]


def _lead(replay: Replay, facts: dict[str, Any]) -> str:
    of = f"{tables.data_name(replay.recipe)}, M = {replay.recipe.superfeatures}, {replay.recipe.seeds} seeds."
    return f"{of} On the test set: {headline(facts['summary'])}."


def _origin(facts: dict[str, Any]) -> str:
    when = datetime.datetime.fromtimestamp(facts["ended"], datetime.UTC).strftime("%Y-%m-%d")
    return f"Computed on {when}: {reproduction.origin(facts)}."


# The file


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
    """A table that scrolls by itself where it is wider than the page; one finger or the keyboard is enough."""
    return f'<div class="scroll" tabindex="0" role="region">{frame.to_html(index=False, border=0, escape=True)}</div>'


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
