"""Texts that somebody typed, such as names of classes, features, files and runs: shown letter by letter, wherever they are shown."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from ked.errors import shortened

_PLACES: dict[str, Callable[[str], str]] = {
    "markdown": lambda text: re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text),  # links, pictures, colours, formulas, HTML
    "figure": lambda text: html.escape(text, quote=False),  # plotly reads <b> and <a href>
    "table": lambda text: f"'{text}" if re.match(r"[=+\-@\t\r]", text) and not _is_number(text) else text,  # formulas of a spreadsheet
}


def inert(text: object, place: str = "markdown", *, most: int | None = None) -> str:
    """A text that nothing is made of in the place where it is shown.

    Args:
        text: Whatever somebody typed; line breaks and signs that cannot be seen are written out.
        place: "markdown" (Streamlit's texts, labels and messages), "figure" (plotly's texts) or "table" (a cell of a CSV file, which a
            spreadsheet may open).
        most: Letters; a longer text loses its middle.

    >>> inert("![](//host/p.png)"), inert("<b>cat", "figure"), inert("=1+2", "table"), inert("-1.5", "table")
    ('\\\\!\\\\[\\\\]\\\\(\\\\/\\\\/host\\\\/p\\\\.png\\\\)', '&lt;b&gt;cat', "'=1+2", '-1.5')
    """
    whole = str(text)
    return _PLACES[place](shortened(whole, most or len(whole) + 1))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
