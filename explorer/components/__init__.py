"""The two pieces of JavaScript: a plot that stays, and the slider that moves plots through time."""

from pathlib import Path

COMPONENTS = Path(__file__).parent
"""The folder of their scripts and styles."""
