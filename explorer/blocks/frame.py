"""What every page has around its content: the title, the run that is looked at, notices, errors as sentences."""

from __future__ import annotations

import contextlib
import functools
import gc
import json
from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from explorer import cache, navigation
from explorer.blocks import controls, share
from explorer.components import script
from explorer.components.plot import library_path
from explorer.state import session, visitor
from explorer.state.adapt_to_data import fitting
from explorer.state.setting_types import Choice
from explorer.state.settings import SETTINGS, of_recipe
from explorer.words.glossary import GLOSSARY, spoken
from explorer.words.inert import inert
from explorer.words.run_list import STATUSES
from ked.data import is_foreign, is_user_file
from ked.data.own import looks_like_path
from ked.data.sources import FOREIGN
from ked.errors import InvalidInput, Unavailable, quoted
from ked.jobs import workers
from ked.library import title
from ked.nets.cnn.architectures import ARCHITECTURES
from ked.recipe import MLP
from ked.shares import in_percent
from ked.store import Run, list_presets, load_run

assert isinstance(SETTINGS["dataset"], Choice)
_HERE = Path(__file__).parent
_SCRIPT = script("library") + "".join((_HERE / f"{part}.js").read_text(encoding="utf-8") for part in ("words", "frame"))
_STYLE = (_HERE / "frame.css").read_text(encoding="utf-8")
_STEPS = (
    ("Undo", ":material/undo:", "Ctrl+Z", session.undo),
    ("Redo", ":material/redo:", "Ctrl+Shift+Z", session.redo),
)
DATASETS = SETTINGS["dataset"].options  # name -> what people call it


@contextlib.contextmanager
def page(name: str, title: str, lead: str) -> Iterator[None]:
    """Open a page: state and address in step, title and one sentence, notices; refusals become messages, not tracebacks."""
    _spare_what_is_imported()
    bare = session.begin(name)
    # One element for both: a style alone is put outside the page, where a rerun that a fragment asks for can lose it.
    known = f"window.kedLibraryPath = {json.dumps(library_path())};\nwindow.kedWords = {json.dumps(spoken())};\n"
    named = f".st-key-header {{ --ked-page: {json.dumps(navigation.PAGES[name].title)} }}"
    look = f"<style>{_STYLE}{named}{share.look()}</style><script>{known}{visitor.script()}{_SCRIPT}</script>"
    st.html(look, unsafe_allow_javascript=True, width="content")
    with st.container(horizontal=True, vertical_alignment="center", key="header"):
        st.title(title, anchor=False)
        with st.container(key="phone-settings", width="content"):  # seen where there is no room for the controls above the first picture
            st.toggle("Settings", key="ked.settings", help="Shows what can be chosen on this page.")
        _words()
        share.button(name)
        _steps()
    share.follow(name)
    st.markdown(lead)
    _tell(session.notices())
    with sentences():  # of its own: a refusal here leaves the page to be shown
        _arrive(bare)
    with sentences():
        yield
    session.end()


def _words() -> None:
    """The glossary, on every page."""
    help = "What the words on these pages mean."
    with st.popover("Words", icon=":material/menu_book:", help=help, key="words"), st.container(key="glossary"):
        st.markdown("\n".join(f"- **{term}**: {meaning}" for term, meaning in GLOSSARY.items()))


def _tell(notices: list[str]) -> None:
    """What the address asked for and could not have, in one box."""
    if notices:
        more = f" {len(notices) - 1} more of its settings {'were' if len(notices) > 2 else 'was'} ignored, too." if len(notices) > 1 else ""
        st.warning(inert(notices[0]) + more, icon=":material/link_off:")


def _arrive(bare: bool) -> None:
    """Bring data set, run and settings in step with what the address named."""
    _keep_to_data_that_are_there()
    workers.keep_warm()  # whoever looks at a page may press Train soon
    if session.get("run"):
        current_run()  # a run in the address decides the data set, before any control shows another one
    if bare:
        _suit(current_run(), named=bool(session.get("run")) or session.get("dataset") != SETTINGS["dataset"].default)


@functools.cache
def _spare_what_is_imported() -> None:
    """After every run of a page Streamlit looks for garbage in all that there is: from now on not in modules, which stay."""
    gc.collect()
    gc.freeze()


def _steps() -> None:
    """The buttons that take the last move back and make it again."""
    names = session.undoable()
    for (label, icon, shortcut, step), changes in zip(_STEPS, names, strict=True):
        told = f"{label}: {_listed(changes)}" if changes else f"Nothing to {label.lower()} yet"
        st.button(
            label, key=f"step.{label}", icon=icon, help=f"{told} ({shortcut})", on_click=step, type="tertiary",
            disabled=not changes, shortcut=shortcut,
        )  # fmt: skip


def _listed(names: set[str]) -> str:
    labels = [setting.label for name, setting in SETTINGS.items() if name in names]
    return ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")


def _keep_to_data_that_are_there() -> None:
    """Somebody may have deleted the data that this visitor looks at."""
    name = session.get("dataset")
    if name not in DATASETS:
        st.warning(f"{inert(name)} has been deleted; here is what a new visitor sees.", icon=":material/link_off:")
        session.put(dataset=SETTINGS["dataset"].default, run="")
        follow_dataset()


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """Show a refusal as its sentence; what is already on the page stays."""
    try:
        yield
    except (InvalidInput, Unavailable) as error:
        st.error(inert(str(error)), icon=":material/error:")


@contextlib.contextmanager
def toasts() -> Iterator[None]:
    """Show the refusal of a button's action as a passing note; the page goes on as it is."""
    try:
        yield
    except (InvalidInput, Unavailable) as error:
        st.toast(inert(str(error)), icon=":material/info:")


def current_run() -> Run | None:
    """The run that all pages show: the chosen one, else the preset or the newest run of the chosen data set."""
    wanted = session.get("run")
    if wanted:
        try:
            run = load_run(wanted)
            dataset = cache.recipe(run).dataset
            if dataset not in DATASETS:
                raise Unavailable(_elsewhere(wanted, str(dataset)))
            if cache.data_changed(run):
                raise Unavailable(
                    f"run {wanted} was made with the file {quoted(Path(dataset).name)} by its path, and the file, or how it is read, has "
                    "changed since; train on it again."
                )
            if dataset != session.get("dataset"):
                session.put(dataset=dataset)
            return run
        except (InvalidInput, Unavailable) as error:
            told = str(error) if wanted in str(error) else f"run {wanted} cannot be shown: {error}"
            st.warning(inert(told), icon=":material/link_off:")
            session.put(run="")
    return default_run(session.get("dataset"))


def _elsewhere(run_id: str, dataset: str) -> str:
    """Why a run cannot be shown whose data set is none of the menu's."""
    if is_user_file(dataset):
        return f"run {run_id} was made with {dataset}, which is not on this machine; add its file on the Data page to see it."
    if is_foreign(dataset):
        file = quoted(dataset.removeprefix(FOREIGN))
        return f"run {run_id} was made with the file {file} of another machine; add it on the Data page and train on it there to see it."
    if looks_like_path(dataset):
        file = quoted(Path(dataset).name)
        return f"run {run_id} was made with the file {file} by its path, which leads nowhere now; add it on the Data page and train on it."
    return f"run {run_id} was made with the data set {quoted(dataset)}, which this app does not have."


def default_run(dataset: str) -> Run | None:
    """What a visitor sees of a data set before choosing: its preset, else its newest run."""
    return next((run for run in [*list_presets(), *cache.list_runs()] if _dataset(run) == dataset), None)


def follow_dataset() -> None:
    """After the data set was changed: show its preset, and let the settings be those of that run."""
    run = default_run(session.get("dataset"))
    session.put(run=run.id if run else "", node=-1, selected=0, sample=0, label=-1, against=-1, coalition="", donors="")
    _suit(run)


def _suit(run: Run | None, *, named: bool = True) -> None:
    """Let the settings be those of the run; where there is none yet, let them fit a visitor's own data.

    `named`: whether somebody chose this run or its data. Who has just come would train the usual students, not all of a preset's.
    """
    if run:
        settings = of_recipe(cache.recipe(run))
        session.put(**(settings if named else {name: value for name, value in settings.items() if name != "methods"}))
    elif is_user_file(session.get("dataset")):
        with contextlib.suppress(InvalidInput, Unavailable):  # what is wrong with damaged data is said where they are shown
            data = cache.dataset(session.get("dataset"))
            session.put(**fitting(session.values(), data.shape, data.group_count))


def run_menu() -> None:
    """Choose among the stored runs of the data set."""
    runs = {run.id: run for run in cache.list_runs() if _dataset(run) == session.get("dataset")}
    run = current_run()
    if not run or run.id not in runs:
        return
    labels = {name: describe(runs[name]) for name in runs}

    def choose(label: str) -> None:
        # The browser answers with the label it has, and by then the run may have ended and be described otherwise; its id
        # stands first or, where it has a name, last.
        words = label.split(" · ")
        name = next((word for word in (words[-1], words[0]) if word in runs), run.id)
        if name != run.id:
            with sentences():
                session.put(run=name, node=-1, coalition="", **of_recipe(cache.recipe(runs[name])))

    about = SETTINGS["run"]
    bound = controls.bind("widget.run", run.id, choose)
    st.selectbox(about.label, list(labels), format_func=labels.__getitem__, help=about.help, **bound)


def describe(run: Run) -> str:
    """A run in a few words: its name or id, the teacher's form, M, how it ended; last the id, where a name stands first."""
    facts = cache.facts(run)
    recipe = facts["recipe"]
    net = recipe.get("net", MLP)
    form = "-".join(map(str, recipe["teacher_hidden"])) if net == MLP else recipe["teacher_net"] or ARCHITECTURES[net].teacher
    taught = "recorded" if "recorded" in facts else f"teacher {form}"
    status = cache.status(run)
    ended = "" if status == "done" else f" · {STATUSES.get(status, STATUSES['active'])}"
    accuracy = facts.get("summary", {}).get("accuracy", {}).get("teacher")
    scored = f" · {in_percent(accuracy, 1)}" if accuracy is not None else ""
    called, known = title(run.id, facts), f" · {run.id}" if facts.get("name") else ""
    return f"{called} · {taught}{scored} · M {recipe['superfeatures']}{ended}{known}"


def title_of(dataset: str) -> str:
    """A data set's name as people write it."""
    return DATASETS[dataset]


def _dataset(run: Run) -> str | None:
    return cache.recipe(run).dataset if cache.is_sound(run) else None
