"""`python -m explorer.report RUN -o report.html`, which `python -m ked report` calls."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path


def main() -> None:
    """Write the report and name its file; exit code 2 for a wrong value, 1 for something missing, with a sentence."""
    arguments = argparse.ArgumentParser(prog="ked report")
    arguments.add_argument("run")
    arguments.add_argument("-o", "--output", default="report.html")
    asked = arguments.parse_args()
    logging.disable(logging.WARNING)  # Streamlit's, about there being no server
    from explorer.report.document import report
    from ked.errors import InvalidInput, Unavailable
    from ked.store import load_run

    try:
        text, file = report(load_run(asked.run)), Path(asked.output)
        _write(file, text)
    except (InvalidInput, Unavailable) as error:
        print(f"ked: {error}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, InvalidInput) else 1) from None
    print(file)


def _write(file: Path, text: str) -> None:
    from ked.errors import Unavailable

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}; name another place with -o.") from None


if __name__ == "__main__":
    main()
