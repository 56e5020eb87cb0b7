"""A table's cells as text, as a narrow screen lays them out: what the grid beside it would show."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer.components.table import MOST, explaining, written


def test_cells_are_written_as_the_grid_writes_them() -> None:
    rows = pd.DataFrame({
        "net": ["KED", "KD"], "gain": [-0.25, float("nan")], "seeds": [5, 3], "share": [41.6, 7.0],
        "when": [pd.Timestamp("2026-11-30 13:45", tz="UTC"), pd.NaT], "tags": [["paper", "to do"], []], "run": ["./train?run=a-1&m=2", ""],
    })  # fmt: skip
    looks = {
        "net": st.column_config.TextColumn("student"),
        "gain": st.column_config.NumberColumn(format="%.3f"),
        "share": st.column_config.ProgressColumn(format="%.0f %%"),
        "run": st.column_config.LinkColumn(display_text=r"run=([^&]+)"),
    }
    found = written(rows, looks)
    assert found["heads"] == ["student", "gain", "seeds", "share", "when", "tags", "run"]
    assert found["cells"][0] == [
        "KED",
        "−0.250",
        "5",
        "42 %",
        "2026-11-30 13:45",
        "paper, to do",
        ["a-1", "./train?run=a-1&m=2"],
    ]
    assert found["cells"][1] == ["KD", "", "3", "7 %", "", "", ""]
    assert written(pd.DataFrame({"x": [0.1, 12345.0]}), {})["cells"] == [["0.1"], ["12345"]]


def test_cells_of_columns_that_know_missing_values_are_written_as_of_others() -> None:
    rows = pd.DataFrame({"x": [1.5, None, -2e-7], "n": [2, None, -3], "yes": [True, None, False], "word": ["a-b", None, "c"]})
    assert written(rows.convert_dtypes(), {})["cells"] == [["1.5", "2", "yes", "a-b"], ["", "", "", ""], ["0", "−3", "no", "c"]]


def test_of_many_rows_the_first_are_written_and_the_rest_counted() -> None:
    found = written(pd.DataFrame({"x": range(MOST + 7)}), {})
    assert (len(found["cells"]), found["left"]) == (MOST, 7)


def test_rows_that_are_marked_are_marked_in_the_grid() -> None:
    def page() -> None:
        import pandas as pd
        import streamlit as st

        from explorer.components.table import table

        marked = st.session_state.setdefault("marked", [1])
        table(
            pd.DataFrame({"x": [1, 2, 3]}),
            "few",
            marked=marked,
            mark=lambda rows: st.session_state.update(marked=rows),
            several=True,
        )

    app = AppTest.from_function(page).run()
    assert not app.exception
    assert app.session_state["table.few"]["selection"]["rows"] == [1]


def test_a_head_explains_its_words_unless_it_has_help_of_its_own() -> None:
    rows = pd.DataFrame({"modularity": [0.1], "fidelity": [0.2], "x": [1]})
    looks = explaining(rows, {"fidelity": st.column_config.NumberColumn(help="Mine."), "x": st.column_config.NumberColumn("seed")})
    assert looks["modularity"]["help"].startswith("**modularity**: How much more link strength")
    assert looks["fidelity"]["help"] == "Mine."
    assert looks["x"]["label"] == "seed"
    assert looks["x"]["help"].startswith("**seed**")
