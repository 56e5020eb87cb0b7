"""What a visitor without a browser does and sees: opens pages, reads their messages, figures and address."""

from __future__ import annotations

import functools
import json
import re
import shutil
from pathlib import Path
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from explorer import navigation
from ked.runs.presets import RECIPES
from ked.store import Run, list_presets, list_runs

# A server looks through the installed packages once, as it starts; AppTest would for each visitor, which takes longer than most pages.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)

ROOT = Path(__file__).resolve().parents[1]
TITLES = {
    "superfeatures": "Which features belong together?",
    "train": "Train students on explanations",
    "explain": "What does each superfeature say?",
    "attributions": "Which explanation can be trusted?",
    "agreement": "Do students explain as their teacher does?",
    "chimeras": "What if a part came from another sample?",
    "data": "What is in the data?",
}
PAGES = tuple(TITLES)  # those that show one run or data set
TITLES |= {"overview": "Not only what, but why", "lesson": "What is a superfeature?"}
TITLES["runs"] = "What came out of every run?"
TITLES["studies"] = "What do explanations buy?"
CONTROLS = dict.fromkeys(PAGES, "widget.dataset")  # a menu without which a page is of no use
CONTROLS |= {"runs": "widget.of_data", "studies": "widget.cell"}

DIGITS = {"data": "digits", "m": "4"}  # all other settings of its preset are the defaults


def visit(page: str = "superfeatures", **address: str) -> AppTest:
    """A new visitor who opens a page with this address; one that names neither data nor a stored run is of digits, which are small."""
    app = AppTest.from_file(ROOT / "explorer/app.py", default_timeout=180)
    for key, text in (address if "data" in address or _is_stored(address.get("run", "")) else address | (DIGITS | address)).items():
        app.query_params[key] = text
    return turn_to(app, page)


def _is_stored(run: str) -> bool:
    return run in {found.id for found in (*list_runs(), *list_presets())}


def turn_to(app: AppTest, page: str) -> AppTest:
    return app.switch_page(str(navigation.file(page))).run()


def sound(app: AppTest, page: str) -> AppTest:
    """Checks that the page is all there, that nothing went wrong and that every control says in a sentence what it does."""
    usable(app, page)
    assert not app.error
    assert not app.warning
    assert [f"{element.type} {element.label!r}" for element in controls(app) if not element.proto.help] == []
    return app


def controls(app: AppTest) -> list[Any]:
    """Everything on the page that a visitor can work, those behind buttons that open included."""
    kinds = (
        "button", "button_group", "checkbox", "download_button", "file_uploader", "menu_button", "multiselect", "number_input", "selectbox",
        "slider", "text_input",
    )  # fmt: skip
    return [element for kind in kinds for element in app.get(kind)]


def usable(app: AppTest, page: str) -> None:
    """Checks that no exception reached the visitor and that there are controls to go on with."""
    assert [error.message for error in app.exception] == []
    assert [title.value for title in app.title] == [TITLES[page]]
    if page in CONTROLS:
        assert control(app, CONTROLS[page]).options


def control(app: AppTest, key: str) -> Any:
    """The control of a key, or what stands there since the page itself has moved its value."""
    (found,) = [element for element in controls(app) if re.fullmatch(rf"{re.escape(key)}(\.\d+)?", element.key or "")]
    return found


def said(app: AppTest) -> list[str]:
    """Errors and warnings as they are read, without the strokes that keep Markdown from making anything of them."""
    return [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", message.value) for message in [*app.error, *app.warning]]


def standing(app: AppTest) -> str:
    """What the train page says of the run's state, place and time."""
    return next(text.value for text in app.markdown if text.value.startswith("**:material/"))


def address(app: AppTest) -> dict[str, str]:
    """What the address says beside the digits that `visit` begins with."""
    found = {key: text[0] if isinstance(text, list) else text for key, text in app.query_params.items()}
    begun = {"data": "digits", "methods": ",".join(RECIPES["digits"].methods)}
    return {key: text for key, text in found.items() if begun.get(key) != text}


def figure(app: AppTest, key: str) -> dict[str, Any]:
    """The plotly figure that the page draws under a key."""
    (found,) = [element for element in app.get("bidi_component") if element.key == key]
    return json.loads(json.loads(found.proto.json)["figure"])


def figures(app: AppTest) -> set[str]:
    """What is drawn; tables are read from `app.dataframe`."""
    return {element.key for element in app.get("bidi_component") if not element.key.startswith("table.")}


def buttons(app: AppTest, key: str) -> Any:
    """The row of buttons of a setting."""
    return control(app, key)


def row(app: AppTest, label: str) -> Any:
    """The first row of buttons of this name."""
    return next(found for found in app.get("button_group") if found.label == label)


def groups_shown(app: AppTest) -> int:
    """How many superfeatures the headline lists."""
    return len(buttons(app, "widget.selected").proto.options)


def caption(app: AppTest, start: str) -> str:
    return next(found.value for found in app.caption if found.value.startswith(start))


def command(app: AppTest) -> str:
    """The first command that the page shows; a link to share is none."""
    return next(found.value for found in app.code if found.language == "bash")


def copy_of(run: Run, home: Path) -> Run:
    """A finished run in this test's home, which may be changed and damaged."""
    return Run(Path(shutil.copytree(run.folder, home / "runs" / run.id)))
