"""The one component that draws every plotly figure: zoom outlives new data, clicks on points, cells and pixels come back.

`st.plotly_chart` mounts a new chart whenever its data change and reports no click on heatmaps and images; `plot.js` calls
`Plotly.react` on a node that stays.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st
from plotly.offline import get_plotlyjs_version

from explorer.components import script, style
from explorer.pictures import theme

STATIC = Path(__file__).resolve().parents[1] / "static"
"""The folder that Streamlit serves under app/static/."""

_FILE = f"plotly-{get_plotlyjs_version()}.min.js"
_DEFAULT_HEIGHT = 380

_component = st.components.v2.component(
    "ked_plot",
    js=script("plot"),
    css=style("plot"),
    isolate_styles=False,  # plotly puts its style sheet into the page's head, which a shadow root would not see
)


def ensure_plotly(folder: Path = STATIC) -> Path:
    """The installed package's plotly.min.js in `folder`, copied there when missing, damaged or of another version."""
    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    target = folder / _FILE
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("plotly-*.min.js"):
        old.unlink(missing_ok=True)
    # Copied beside its place and renamed: a visitor who asks at this moment gets a whole file.
    handle, part = tempfile.mkstemp(dir=folder)
    os.close(handle)
    shutil.copyfile(source, part)
    Path(part).chmod(0o644)
    Path(part).replace(target)
    return target


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
    ensure_plotly()
    pixels = int(height or figure.layout.height or _DEFAULT_HEIGHT)
    data = {
        "figure": _json(figure, key),
        "alt": alt,
        "height": pixels,
        "select": list(select),
        "group": group,
        "name": key,
        "source": source(),
    }
    state = _component(key=key, data=data, height=pixels, on_event_change=_rerun)
    return _once(key, state.get("event"))


def _rerun() -> None:
    """Streamlit reruns the page when the browser reports an event; nothing else is to be done."""


def source() -> str:
    """Where the browser finds the chart library."""
    return f"{base_path()}/app/static/{_FILE}"


def base_path() -> str:
    """What stands before the path of every page's address; "" where the app has a host for itself."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def _json(figure: go.Figure, key: str) -> str:
    """The figure as JSON; what moves by itself shows one and the same figure several times a second."""
    kept: tuple[go.Figure, str] | None = st.session_state.get(f"{key}.json")
    if kept is None or kept[0] is not figure:
        kept = st.session_state[f"{key}.json"] = (figure, theme.to_json(figure))
    return kept[1]


def _once(key: str, event: dict[str, Any] | None) -> dict[str, Any] | None:
    """The event as the caller sees it, if this session has not been given it before."""
    seen = f"{key}.seen"
    if not event or st.session_state.get(seen) == event["id"]:
        return None
    st.session_state[seen] = event["id"]
    if event["event"] == "click":
        return {"event": "click", **event["points"][0]}
    return {"event": event["event"], "points": event["points"]}
