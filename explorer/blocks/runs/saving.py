"""What can be saved of a run as a file: the archive, and the report, which is written before it is offered."""

from __future__ import annotations

import io
import re

import streamlit as st

from explorer.report.document import report
from explorer.words.run_list import Entry
from ked.errors import InvalidInput, Unavailable
from ked.library.archive import export_run
from ked.store import Run

_REPORT = "ked.report"  # the id of a run, and its report: one at a time, as each has some megabytes


def buttons(run: Run, found: Entry) -> str:
    """The buttons; returns why a report could not be written that was asked for just now, "" where none was or it could."""
    st.download_button(
        "Download", lambda: _archive(run), f"{run.id}.zip", "application/zip", icon=":material/download:", on_click="ignore",
        disabled=found.status == "active",
        help="A zip with run.json, events, weights, results.csv, curves.csv and reproduce.py, which computes the numbers again.",
    )  # fmt: skip
    failure = ""
    told = "One file that opens offline: results, the whole training with its slider, superfeatures and explanations."
    if st.button("Report", icon=":material/description:", disabled=found.status not in ("done", "preset"), help=told):
        # Written here: of a file that is made on its way to the browser, nobody would hear why it was not.
        failure = _write(run)
    written = st.session_state.get(_REPORT)
    if written is not None and written[0] == run.id:
        st.download_button(
            "Save the report", written[1], _file_name(found.name, run.id), "text/html", icon=":material/save:",
            on_click="ignore", type="primary", help="The report is ready; this saves it.",
        )  # fmt: skip
    else:
        st.session_state.pop(_REPORT, None)
    return failure


def _write(run: Run) -> str:
    st.session_state.pop(_REPORT, None)
    try:
        with st.spinner("Writing the report …", width="content"):
            st.session_state[_REPORT] = (run.id, report(run))
    except (InvalidInput, Unavailable) as error:
        return f"There is no report of this run: {error}"
    return ""


def _file_name(name: str, run_id: str) -> str:
    """The report's file, by the run's own name as far as a file may have it."""
    kept = re.sub(r"[^\w.-]+", "-", name).strip("-.")
    return f"{kept or run_id}.html"


def _archive(run: Run) -> bytes:
    file = io.BytesIO()
    export_run(run, file)
    return file.getvalue()
