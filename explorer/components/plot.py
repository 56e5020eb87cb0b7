"""The one component that draws every plotly figure: zoom outlives new data, clicks on points, cells and pixels come back.

`st.plotly_chart` mounts a new chart whenever its data change and reports no click on heatmaps and images; `plot.js` calls
`Plotly.react` on a node that stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st
from plotly.offline import get_plotlyjs_version
from streamlit.components.v1 import declare_component

from explorer.components import script, style
from explorer.pictures import theme

LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
"""The chart library, which the plotly package brings along."""

# A component whose files are the package's own: Streamlit serves them, and nothing has to be copied. It is never shown.
_served = declare_component("library", path=LIBRARY.parent)
_DEFAULT_HEIGHT = 380

_component = st.components.v2.component(
    "ked_plot",
    js=script("plot"),
    css=style("plot"),
    isolate_styles=False,  # plotly puts its style sheet into the page's head, which a shadow root would not see
)


def plot(
    figure: go.Figure,
    key: str,
    *,
    alt: str,
    height: int | None = None,
    select: Sequence[str] = ("click",),
    group: str | None = None,
) -> dict[str, Any] | None:
    """Draw `figure` under the constant `key`; return a click or selection once, in the run that it causes, else None.

    `alt` is read to those who do not see the figure. `height` in pixels: the figure's own, else 380.
    `select`: what is reported, of "click" and "select" (box and lasso).
    A click gives {"event": "click", "curve": trace index, "name", "point": index or [row, column], "x", "y", "z",
    "customdata"}; a selection gives {"event": "select", "points": [the same without "event", ...]}.
    Zoom, camera and hidden traces are kept until `figure.layout.uirevision` changes: set it to what names the axes.
    `group`: the figure's frames follow the scrubber of this name (`scrubber.py`); each is shown at the tick it is named
    after and until the next one that has a frame. Before its first frame the figure is pale.
    """
    pixels = int(height or figure.layout.height or _DEFAULT_HEIGHT)
    data = {
        "figure": _json(figure),
        "alt": alt,
        "height": pixels,
        "select": list(select),
        "group": group,
        "name": key,
        "library": library_path(),
    }
    state = _component(key=key, data=data, height=pixels, on_event_change=_rerun)
    return _once(key, state.get("event"))


def _rerun() -> None:
    """Streamlit reruns the page when the browser reports an event; nothing else is to be done."""


def library_path() -> str:
    """Where the browser finds the chart library, from where the app lies (`library.js`); another version has another path."""
    return f"component/{_served.name}/{LIBRARY.name}?v={get_plotlyjs_version()}"


def _json(figure: go.Figure) -> str:
    """The figure as JSON, kept with it: what moves by itself, or many look at, is shown several times a second."""
    if not hasattr(figure, "_ked_json"):
        figure._ked_json = theme.to_json(figure)
    return str(figure._ked_json)


def _once(key: str, event: dict[str, Any] | None) -> dict[str, Any] | None:
    """The event as the caller sees it, if this session has not been given it before."""
    seen = f"{key}.seen"
    if not event or st.session_state.get(seen) == event["id"]:
        return None
    st.session_state[seen] = event["id"]
    if event["event"] == "click":
        return {"event": "click", **event["points"][0]}
    return {"event": event["event"], "points": event["points"]}
