"""The blocks of the runs page: the list with its filters, one run closely, and what may be done with it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from explorer import cache, navigation, study_results
from explorer.blocks import controls, frame
from explorer.blocks.runs import saving
from explorer.blocks.what_it_means import what_it_means
from explorer.components.plot import plot
from explorer.components.table import table
from explorer.pictures.curves import learning_curves
from explorer.report.tables import conclusion
from explorer.state import session, visitor
from explorer.state.settings import RECIPE_SETTINGS, SETTINGS, of_recipe
from explorer.words import run_list
from explorer.words.inert import inert
from explorer.words.results import LABELS, result_table
from explorer.words.run_list import Entry
from ked import library
from ked.errors import InvalidInput, Unavailable
from ked.library.archive import import_run
from ked.recipe import Recipe
from ked.store import Run, load_run, strangers

MOST = 6  # runs that can be compared: more kinds of broken lines cannot be told apart
UPLOAD_MB = 200
_TABLE, _UPLOADS = "compare", "ked.uploads"


def entries() -> list[Entry]:
    """All stored runs, also those that cannot be read."""
    return [_entry(run, _facts(run)) for run in cache.list_runs()]


def _entry(run: Run, facts: dict[str, Any] | None) -> Entry:
    return run_list.entry(run, facts, lambda: {name: values[-1] for name, values in cache.curves(run).items()})


def _facts(run: Run) -> dict[str, Any] | None:
    try:
        return cache.facts(run)
    except (InvalidInput, Unavailable):
        return None


def filters(found: list[Entry]) -> list[Entry]:
    """The controls that narrow and order the list, and what is left of it."""
    controls.text("search", width=230)
    controls.pick("of_data", {"": "all"} | {entry.dataset: entry.title for entry in found if entry.dataset}, width=190)
    controls.choice("of_status", width=140)
    controls.pick("of_tag", {"": "all"} | {tag: tag for entry in found for tag in entry.tags}, width=140)
    controls.choice("order", width=150)
    asked = (session.get(name) for name in ("search", "of_data", "of_status", "of_tag"))
    return run_list.ordered(run_list.wanted(found, *asked), session.get("order"))


def selected() -> list[str]:
    """The ids of the chosen runs, in the order in which they were chosen; those that are gone are forgotten."""
    wanted = list(dict.fromkeys(filter(None, session.get("compare").split(","))))
    there = {run.id for run in cache.list_runs()}
    if gone := [name for name in wanted if name not in there]:
        session.put(compare=",".join(name for name in wanted if name in there))
        st.warning(f"There is no run {', '.join(gone)} here; it may have been deleted.", icon=":material/link_off:")
    return [name for name in wanted if name in there]


def choose(shown: list[Entry], chosen: list[str]) -> None:
    """The list; its marked rows are the chosen runs. Chosen runs that a filter hides stay chosen."""
    ids = [entry.id for entry in shown]
    rows = [ids.index(name) for name in chosen if name in ids]

    def mark(wanted: list[int]) -> None:
        marked = [ids[row] for row in wanted if row < len(ids)]
        kept = [name for name in chosen if name in marked or name not in ids]
        names = [*kept, *(name for name in marked if name not in kept)]
        if len(names) > MOST:
            st.toast(f"Up to {MOST} runs can be compared; unmark another one first.", icon=":material/info:")
        session.put(compare=",".join(names[:MOST]))

    listed = run_list.table(shown)
    if not any(listed["tags"]):
        listed = listed.drop(columns="tags")
    table(
        listed, _TABLE, marked=rows, mark=mark, several=True, columns=_COLUMNS, height=38 + 35 * min(max(len(shown), 2), 5),
        alt="The stored runs: name, best accuracy, data set, status, M, best students, net, when, tags, students.",
    )  # fmt: skip
    hidden = len([name for name in chosen if name not in ids])
    st.caption(
        f"{len(shown)} run{'s' * (len(shown) != 1)}. On the keyboard Shift+Space marks one."
        + (f" {hidden} marked, but hidden by the filters." if hidden else "")
    )
    for name, advice in list(strangers().items())[:MOST]:
        st.caption(f":material/folder_off: **{inert(name, most=60)}** in the runs' folder is not a run: {advice}.")


_COLUMNS: dict[str, Any] = {
    "name": st.column_config.TextColumn("run", width=160),
    "best": st.column_config.NumberColumn(
        "best, %", format="%.1f", width=70, help="Mean test accuracy of the students that did best on validation data."
    ),
    "data": st.column_config.TextColumn("data", width=155),
    "status": st.column_config.TextColumn("status", width=85),
    "M": st.column_config.NumberColumn("M", width=45, help="Superfeatures."),
    "best students": st.column_config.TextColumn("best students", width=140),
    "net": st.column_config.TextColumn("students' net", width=110),
    "when": st.column_config.DatetimeColumn("when", format="YYYY-MM-DD HH:mm", width=130),
    "tags": st.column_config.ListColumn("tags", width=150),
    "students": st.column_config.TextColumn("all students", width=300),
}


def take_in() -> None:
    """Import a run from a zip that was exported here or elsewhere."""
    with st.popover("Import", icon=":material/upload:", help="Adds a run that was downloaded here or elsewhere."):
        st.caption("A zip from *Download* or `python -m ked export`. Every file in it is checked; nothing in it is executed.")
        count = st.session_state.setdefault(_UPLOADS, 0)
        file = st.file_uploader("Zip of a run", "zip", key=f"upload-{count}", max_upload_size=UPLOAD_MB, help="It gets a new id.")
        if file is not None:
            with frame.sentences():
                run = import_run(file, visitor.name())
                st.session_state[_UPLOADS] = count + 1  # an empty uploader next time
                session.put(compare=run.id)
                st.toast(f"Imported as {run.id}.", icon=":material/check_circle:")
                st.rerun()


def details(run_id: str) -> None:
    """One run closely: results, what it was made with, and what can be done with it."""
    run = load_run(run_id)
    found = _entry(run, facts := _facts(run))
    st.subheader(inert(found.name), anchor=False)
    if facts is None or found.status == "damaged":
        st.error(f"run.json of run {run_id} is missing or damaged; all that can be done is to delete it.")
        if visitor.may_change({}):
            _delete(run, found)
        else:
            st.caption(visitor.NOT_YOURS)
        return
    st.caption(_about(found, facts))
    if curves := cache.curves(run):
        picture, actions = st.columns([3, 2], gap="large")
        with picture:
            st.markdown("**Validation accuracy**")
            figure = cache.figure(learning_curves, curves, labels=LABELS, epochs=facts["recipe"]["epochs"], height=300)
            plot(figure, "curves", alt="Validation accuracy against epochs, one line per method with its 95 % interval.", select=())
    with actions if curves else st.container():
        _actions(run, found, facts)
    _results(run, facts)
    made, origin = st.columns(2, gap="large")
    with made:
        if run.recorded:
            st.markdown("**Recipe**")
            st.caption("Recorded with `ked.record` from nets that were trained elsewhere; how they were trained is not known here.")
        else:
            _settings(cache.recipe(run))
    with origin:
        _provenance(facts)


def _about(found: Entry, facts: dict[str, Any]) -> str:
    parts = [found.id, run_list.STATUSES[found.status], *(f"tag {inert(tag)}" for tag in found.tags)]
    if "imported" in facts:
        parts.append("imported: its numbers were computed elsewhere")
    return "  ·  ".join(parts)


def _actions(run: Run, found: Entry, facts: dict[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="actions"):
        if found.dataset in frame.DATASETS:
            st.markdown("Open in", width="content")
            for page in _OPENED_IN:
                shown = navigation.PAGES[page]
                if st.button(shown.title, icon=shown.symbol, help=f"Show this run on the page {shown.title}."):
                    session.put(run=run.id, node=-1, coalition="", **of_recipe(cache.recipe(run)))
                    navigation.go(page)
        failure = saving.buttons(run, found)
        if not library.is_own(run):
            st.caption("Ships with the app and cannot be changed.", width="content")
        elif visitor.may_change(facts):
            _rename(run, facts)
            _delete(run, found)
        else:
            st.caption(visitor.NOT_YOURS, width="content")
    if failure:
        st.error(inert(failure), icon=":material/error:")


_OPENED_IN = ("superfeatures", "train", "explain", "attributions", "agreement")


def _rename(run: Run, facts: dict[str, Any]) -> None:
    told = "What people call this run, and words to find it by; its id stays."
    with st.popover("Name and tags", icon=":material/edit:", help=told), st.form(f"name-{run.id}", border=False):
        name = st.text_input(
            "Name", facts.get("name", ""), placeholder=run.id, max_chars=library.NAME_LENGTH, help="If empty, the id is the name."
        )
        tags = st.text_input(
            "Tags, separated by commas", ", ".join(facts.get("tags", [])), placeholder="paper, to do",
            help=f"Up to {library.TAGS}, to filter the list by.",
        )  # fmt: skip
        if st.form_submit_button("Save", type="primary", help="Saves both."):
            with frame.sentences():
                cleaned = library.clean_tags(tags.split(","))  # before anything is changed
                library.rename(run, name)
                library.tag(run, cleaned)
                st.rerun()


def _delete(run: Run, found: Entry) -> None:
    told = "Deletes this run, after asking; if it is in progress, stop it first."
    with st.popover("Delete", icon=":material/delete:", disabled=found.status == "active", help=told):
        st.markdown(f"Delete **{inert(found.name)}** for good? Its weights, curves and results cannot be brought back.")
        if st.button("Delete for good", type="primary", key=f"delete-{run.id}", help="This cannot be undone."):
            with frame.sentences():
                library.delete(run)
                left = [name for name in session.get("compare").split(",") if name != run.id]
                session.put(compare=",".join(left), run="" if session.get("run") == run.id else session.get("run"))
                st.toast(f"Deleted {run.id}.", icon=":material/delete:")
                st.rerun()


def _results(run: Run, facts: dict[str, Any]) -> None:
    if facts.get("message"):
        st.error(inert(facts["message"]), icon=":material/error:")
    if "summary" in facts:
        st.markdown("**Test accuracy**")
        table(result_table(facts["summary"], facts["seconds"]), "results-table")
        st.caption("95 % Student-t intervals over the students' seeds; differences in percentage points, paired by seed.")
        try:
            said = conclusion(run)
        except (InvalidInput, Unavailable):
            st.caption("What it means is told where the run's data are: intervals depend on the size of its test set.")
        else:
            what_it_means(said, study_results.on(cache.recipe(run)))
    elif not facts.get("message"):
        st.info("No result yet: the run has not finished.", icon=":material/hourglass_top:")


def _settings(recipe: Recipe) -> None:
    """Every setting, those that were changed first."""
    usual, values = Recipe().model_dump(), recipe.model_dump()
    names = sorted(values, key=lambda name: values[name] == usual[name])
    st.markdown("**Recipe**")
    rows = [{"setting": label(name), "value": shown(values[name]), "default": shown(usual[name])} for name in names]
    table(pd.DataFrame(rows), "recipe", height=316)


def label(name: str) -> str:
    """What a setting of a recipe is called."""
    return SETTINGS[name].label if name in RECIPE_SETTINGS else name.replace("_", " ").capitalize()


def shown(value: Any) -> str:
    """A setting's value as people write it."""
    if isinstance(value, tuple | list):
        return " · ".join(str(LABELS.get(part, part)) for part in value)
    return "–" if value is None else str(value)


def _provenance(facts: dict[str, Any]) -> None:
    st.markdown("**Provenance**")
    known, commit = facts.get("versions", {}), str(facts.get("commit", ""))
    lines = {
        "commit": f"{commit[:12]}{'+, changed since' * commit.endswith('+')}" if commit else "not recorded",
        "versions": ", ".join(f"{package} {number}" for package, number in known.items()),
        "device": str(facts.get("device", "")),
        "seeds": "" if "recorded" in facts else ", ".join(map(str, facts.get("seeds", []))),
        "computing": f"{sum(facts['seconds'].values()):.1f} s, not counting what came from the cache" if facts.get("seconds") else "",
    }
    rows = [{"what": name, "value": inert(text)} for name, text in lines.items() if text]
    st.table(pd.DataFrame(rows), hide_index=True, hide_header=True, border="horizontal")
