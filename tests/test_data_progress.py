"""Long readings say how far they are to whoever listens, and to nobody else."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from ked import data
from ked.data import progress
from ked.data.progress import listening, tracked, tracked_lines


def test_a_listener_hears_rising_shares_up_to_one_and_the_items_come_as_they_are() -> None:
    heard: list[float] = []
    with listening(heard.append):
        assert list(tracked(range(1000))) == list(range(1000))
    assert heard == sorted(heard)
    assert heard[-1] == 1
    assert len(heard) <= 201


def test_after_listening_nobody_is_told() -> None:
    heard: list[float] = []
    with listening(heard.append):
        pass
    list(tracked("abc"))
    assert heard == []


def test_lines_are_told_by_the_bytes_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("a line of text\n" * 50_000, "utf-8")
    heard: list[float] = []
    with listening(heard.append), path.open(encoding="utf-8") as file:
        lines = list(tracked_lines(file, path.stat().st_size))
    assert lines == ["a line of text\n"] * 50_000
    assert heard == sorted(heard)
    assert len(heard) == 50_000 // progress._LINES
    assert 0 < heard[0] < 0.2
    assert 0.9 < heard[-1] <= 1


def test_a_zip_of_pictures_and_a_table_tell(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for name in ("cat", "dog"):
            for number in range(12):
                picture = io.BytesIO()
                Image.fromarray(generator.integers(0, 255, (8, 8), dtype=np.uint8)).save(picture, "PNG")
                archive.writestr(f"{name}/{number}.png", picture.getvalue())
    rows = "\n".join(f"{a},{b},{'xy'[a % 2]}" for a, b in generator.integers(0, 99, (5000, 2)))
    (tmp_path / "table.csv").write_text(f"a,b,label\n{rows}\n", "utf-8")
    for file in ("pictures.zip", "table.csv"):
        heard: list[float] = []
        with listening(heard.append):
            data.load(str(tmp_path / file))
        assert heard
        assert heard == sorted(heard)
