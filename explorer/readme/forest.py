"""A forest plot as an SVG file: a row a comparison, its difference with a 95 % interval, and the line of no difference.

Written by hand, because a file beside a README has no chart library; it follows the reader's light or dark scheme.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.words.numbers import signed

ROW, TOP, BOTTOM = 24, 14, 46
PLOT, RIGHT = 350, 150  # room for dots, and for numbers
LETTER = 7.2  # pixels of a letter, with which names find room
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.n{fill:#5c6470}.b{font-weight:600}.g{stroke:#d4d7dd}.z{stroke:#1f2933}"
    ".s{stroke:#1f2933;fill:#1f2933}.h{stroke:#5c6470;fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e6e8eb}.n{fill:#a5acb5}.g{stroke:#3a414b}.z{stroke:#e6e8eb}"
    ".s{stroke:#e6e8eb;fill:#e6e8eb}.h{stroke:#a5acb5;fill:#0d1117}}"
)


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: What minus what, and where.
        mean, low, high: The difference and its interval, in the unit of the axis; NaN where there is no interval.
        shown: Whether it counts as shown: a full dot, else a hollow one.
        heading: What stands above it and the rows after it, until another one.
    """

    name: str
    mean: float
    low: float
    high: float
    shown: bool
    heading: str = ""


def forest(rows: Sequence[Row], axis: str, digits: int = 1) -> str:
    """The plot of at least one row, with the axis' title below it; `digits`: of each number after the point."""
    left = 40 + round(LETTER * max(len(text) for row in rows for text in (row.name, row.heading)))
    ends = [0.0, *(end for row in rows for end in (row.low, row.mean, row.high) if end == end)]
    room = max(max(ends) - min(ends), 1e-6) / 25
    low, high = min(ends) - room, max(ends) + room
    ticks = _ticks(low, high)
    tops, bottom, last = [], TOP, ""
    for row in rows:
        bottom += ROW * (row.heading != last)
        tops.append(bottom)
        bottom, last = bottom + ROW, row.heading

    def at(value: float) -> float:
        return left + PLOT * (value - low) / (high - low)

    parts = [_tick(tick, at(tick), bottom) for tick in ticks]
    parts.append(_words(axis, (at(low) + at(high)) / 2, bottom + 37))
    for row, top in zip(rows, tops, strict=True):
        line = (at(row.low), at(row.high)) if row.low == row.low else None
        parts += _row(row, left, top + ROW / 2, at(row.mean), line, digits)
    headed = dict(zip((row.heading for row in reversed(rows)), reversed(tops), strict=True))
    parts += [f'<text class="b" x="10" y="{top - 7}">{html.escape(text)}</text>' for text, top in headed.items() if text]
    width, height = left + PLOT + RIGHT, bottom + BOTTOM
    told = html.escape(f"Differences with 95 % intervals: {'; '.join(f'{row.name} {_told(row, digits)}' for row in rows)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f"<title>{told}</title><style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _tick(value: float, x: float, bottom: float) -> str:
    look = "z" if value == 0 else "g"
    line = f'<line class="{look}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
    return line + _words(f"{value:g}".replace("-", "−"), x, bottom + 17)


def _words(text: str, x: float, y: float) -> str:
    return f'<text class="n" x="{x:.1f}" y="{y}" text-anchor="middle">{html.escape(text)}</text>'


def _row(row: Row, left: int, y: float, mean: float, line: tuple[float, float] | None, digits: int) -> list[str]:
    look = "s" if row.shown else "h"
    ends = f'<line class="{look}" x1="{line[0]:.1f}" x2="{line[1]:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke-width="2.5"/>' if line else ""
    return [
        f'<text x="{left - 14}" y="{y + 4.5:.1f}" text-anchor="end">{html.escape(row.name)}</text>',
        ends,
        f'<circle cx="{mean:.1f}" cy="{y:.1f}" r="5" class="{look}" stroke-width="2"/>',
        f'<text class="{"" if row.shown else "n"}" x="{left + PLOT + 14}" y="{y + 4.5:.1f}">{html.escape(_told(row, digits))}</text>',
    ]


def _told(row: Row, digits: int) -> str:
    mean, low, high = (signed(value, digits) for value in (row.mean, row.low, row.high))
    return f"{mean} [{low}, {high}]" if row.low == row.low else mean


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers in the range, three to seven of them, 0 among them."""
    rough = (high - low) / 6
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(nice for nice in (1, 2, 5, 10) if nice * power >= rough * (1 - 1e-9))
    return [round(float(step * i), 10) for i in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
