"""The three pieces of JavaScript: a plot that stays, the slider that moves plots through time, and a canvas."""

from pathlib import Path

COMPONENTS = Path(__file__).parent
"""The folder of their scripts and styles."""
