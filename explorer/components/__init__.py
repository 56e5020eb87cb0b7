"""The pieces of JavaScript: a plot that stays, with a sketch of it for the time before; the slider that moves plots through time; a
canvas; buttons that count; a table; and a word that the browser says back."""

from pathlib import Path

COMPONENTS = Path(__file__).parent
"""The folder of their scripts and styles."""

_PARTS = {"plot": ("library", "numbers", "bar", "sketch", "plot")}


def script(name: str) -> str:
    """A component's module, whole: what it is made of stands one after the other."""
    return "\n".join((COMPONENTS / f"{part}.js").read_text("utf-8") for part in _PARTS.get(name, (name,)))


def style(name: str) -> str:
    """A component's style sheet."""
    return (COMPONENTS / f"{name}.css").read_text("utf-8")
