"""Names that visitors give are shown letter by letter on every page: no link, picture, colour or HTML comes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from visitor import TITLES, usable, visit

from explorer.words.inert import inert
from ked.data import user_files
from ked.recipe import Recipe
from ked.runs.pipeline import run as run_recipe
from ked.store import Run, create_run

NAMES = ("[click](http://127.0.0.1:9/x)", "![](http://127.0.0.1:9/p.png)", "**bold** :red[x]", "<b>a</b><script>1</script>", "=1+2")
MARKDOWN = re.compile(r"(?<!\\)(\]\(http|!\[|:red|\*\*bold|<(b|i|script)>)")
TAGS = re.compile(r"<(b>a|i>a|script)")
SHOWN = ("markdown", "caption", "subheader", "header", "title", "info", "warning", "error", "success", "metric", "text")
WORKED = (
    "button", "button_group", "checkbox", "download_button", "expander", "multiselect", "number_input", "page_link", "popover",
    "selectbox", "slider", "text_input",
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """A finished run on a table whose file, columns and classes have such names, and its home."""
    home = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KED_HOME", str(home))
        rng = np.random.default_rng(0)
        rows = (f'{rng.normal(k % 5):.3f},{rng.normal(-(k % 5)):.3f},{rng.normal():.3f},"{NAMES[k % 5]}"' for k in range(200))
        key = user_files.add("[x](http).csv", "\n".join(['"<i>a</i>",b,"=c",label', *rows]).encode())
        methods = ("plain", "ked")
        recipe = Recipe.make(
            dataset=key, methods=methods, superfeatures=2, teacher_hidden=(16,), student_hidden=(8,), seeds=2, epochs=2, teacher_epochs=3
        )
        run = create_run(recipe, name=NAMES[0], tags=["a"])
        for _ in run_recipe(recipe, into=run):
            pass
    return run, home


def texts(app: AppTest) -> Iterator[tuple[str, str]]:
    """What Streamlit reads as Markdown on the page, and where."""
    for kind in SHOWN:
        yield from ((kind, f"{getattr(element, 'value', '')} {getattr(element, 'label', '')}") for element in app.get(kind))
    for kind in WORKED:
        for element in app.get(kind):
            proto = element.proto
            yield kind, f"{getattr(element, 'label', '')} {getattr(proto, 'help', '')}"
            if kind == "button_group":
                yield kind, " ".join(option.content for option in proto.options)


def strings(value: Any) -> Iterator[str]:
    """Every text in a figure that plotly may show; customdata and ids come back to the app and are not shown."""
    if isinstance(value, dict):
        yield from (text for key, part in value.items() if key not in ("customdata", "ids") for text in strings(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in strings(part))
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("page", TITLES)
def test_nothing_is_made_of_names(hostile: tuple[Run, Path], monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    run, home = hostile
    monkeypatch.setenv("KED_HOME", str(home))
    for address in ({"i": "0"}, {"i": "1", "sf": "1", "vs": "2"}, {"i": "3", "c": "0", "sf": "2"}):
        app = visit(page, run=run.id, **address)
        usable(app, page)
        assert [(kind, text) for kind, text in texts(app) if MARKDOWN.search(re.sub("`[^`]*`", "", text))] == []  # code is shown as it is
        for component in app.get("bidi_component"):
            drawn = json.loads(component.proto.json)
            if isinstance(drawn, dict) and "figure" in drawn:
                figure = json.loads(drawn["figure"])
                assert [text for text in strings(figure) if TAGS.search(text)] == []
                for trace in figure["data"]:  # what a hover text takes from customdata is read as HTML too
                    if "customdata" in str(trace.get("hovertemplate", "")):
                        assert not TAGS.search(json.dumps(trace.get("customdata")))


@pytest.mark.parametrize("place", ["markdown", "figure", "table"])
def test_an_inert_text_says_the_same_in_one_line(place: str) -> None:
    assert "\n" not in inert("a\nb\u202e", place)
    assert len(inert("x" * 100, place, most=20)) == 20
    assert inert("cat 3", place) == "cat 3"


def test_a_cell_that_begins_like_a_formula_is_a_text_and_numbers_stay_numbers() -> None:
    assert [inert(cell, "table") for cell in ("=1+2", "+x", "-x", "@sum")] == ["'=1+2", "'+x", "'-x", "'@sum"]
    assert [inert(cell, "table") for cell in ("-1.5", "+3", "cat")] == ["-1.5", "+3", "cat"]
