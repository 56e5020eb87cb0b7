"""The command line: the explorer in a browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

app = typer.Typer()


@app.command("app")
def app_command() -> None:
    """Open the explorer in a browser."""
    script = Path(__file__).resolve().parents[2] / "explorer" / "app.py"
    raise SystemExit(subprocess.call([sys.executable, "-m", "streamlit", "run", str(script)]))
