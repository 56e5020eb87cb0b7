"""Tables whose columns are pixels become pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from flowers import RNG, SPECIES, N, loaded

from ked import data

GREYS = RNG.integers(0, 256, (N, 49))


@pytest.mark.parametrize("case", ["pixels", "places", "numbers", "no names", "with row numbers"])
def test_a_table_of_pixels_is_pictures(case: str, tmp_path: Path) -> None:
    names = {
        "places": [f"{i}x{j}" for i in range(1, 8) for j in range(1, 8)],
        "numbers": [f"v{i}" for i in range(49)],
    }.get(case, [f"pixel{i}" for i in range(49)])  # fmt: skip
    table = pd.DataFrame(GREYS, columns=names)
    table.insert(0, "label", RNG.permutation(N) % 3)
    table.to_csv(tmp_path / "t.csv", index=case == "with row numbers", header=case != "no names")
    found = data.load(str(tmp_path / "t.csv"))
    assert found.shape == (7, 7)
    assert torch.equal(found.x, torch.from_numpy(GREYS.astype(np.float32) / 255))
    assert "49 pixels of pictures of 7x7" in found.intake.sentence()
    assert data.load(str(tmp_path / "t.csv"), keep=("*",)).shape[0] >= 49


PIXELS = RNG.integers(0, 256, (N, 6, 6))
GRID = [(row, column) for row in range(6) for column in range(6)]
NAMED = {
    "in any order": ([f"pixel{i}" for i in range(36)], PIXELS),
    "rows and columns": ([f"{row + 1}x{column + 1}" for row, column in GRID], PIXELS),
    "letters": ([f"r{row}c{column}" for row, column in GRID], PIXELS),
    "words": ([f"pixel_{row}_{column}" for row, column in GRID], PIXELS),
    "brackets": ([f"({row}, {column})" for row, column in GRID], PIXELS),
    "columns before rows": ([f"x{column}y{row}" for row, column in GRID], PIXELS),
    "shares": ([f"px{i:02}" for i in range(36)], PIXELS / 255),
    "from -1 to 1": ([f"pixel{i}" for i in range(36)], PIXELS / 127.5 - 1),
    "16 bits": ([f"pixel{i}" for i in range(36)], PIXELS * 257),
}


@pytest.mark.parametrize("case", NAMED)
def test_pixels_are_where_their_names_say_whatever_stands_beside_them(case: str, tmp_path: Path) -> None:
    names, values = NAMED[case]
    given = pd.DataFrame(values.reshape(N, 36), columns=names)[RNG.permutation(names).tolist()]
    given = given.assign(photo=[f"img_{i}.png" for i in range(N)], species=SPECIES)
    found = loaded(tmp_path / "t.csv", given)
    assert found.shape == (6, 6)
    assert np.allclose(found.x.numpy(), PIXELS.reshape(N, 36) / 255, atol=1e-6)
    assert [(one.name, one.reason) for one in found.intake.left_out] == [("photo", "it stands beside pixels")]
    assert found.intake.rows == N


def test_a_pixel_that_is_missing_is_filled_and_said(tmp_path: Path) -> None:
    values = pd.DataFrame(PIXELS.reshape(N, 36), columns=[f"pixel{i}" for i in range(36)]).astype(float).assign(species=SPECIES)
    values.iloc[7, 3] = np.nan
    found = loaded(tmp_path / "t.csv", values)
    known = [row for row in found.train.tolist() if row != 7]
    assert found.x[7, 3].item() == pytest.approx(np.median(PIXELS.reshape(N, 36)[known, 3]) / 255)
    assert "Missing pixels of 1 picture are filled with the median." in found.notes


@pytest.mark.parametrize("layout", ["together", "apart", "named"])
def test_pixels_in_colour_are_pictures_in_colour(layout: str, tmp_path: Path) -> None:
    """Of pixels that are just numbered the data tell how the colours lie, as neighbours are alike."""
    ramp = np.add.outer(np.arange(6), np.arange(6))
    given = (RNG.integers(0, 60, (N, 3, 1, 1)) * [[[1]], [[2]], [[3]]] + 4 * ramp).astype(int)
    flat = given if layout == "apart" else given.transpose(0, 2, 3, 1)
    names = [f"pixel_{i}_{colour}" for i in range(36) for colour in "rgb"] if layout == "named" else [f"pixel{i:04}" for i in range(108)]
    found = loaded(tmp_path / "t.csv", pd.DataFrame(flat.reshape(N, 108), columns=names).assign(species=SPECIES))
    assert found.shape == (3, 6, 6)
    assert np.allclose(found.x.numpy(), given.reshape(N, 108) / 255, atol=1e-6)


@pytest.mark.parametrize("form", ["{}", "[{}]"])
def test_pixels_listed_in_one_column_are_pictures_in_the_official_parts(form: str, tmp_path: Path) -> None:
    """As FER-2013 has them."""
    listed = [form.format(" ".join(map(str, one.reshape(36)))) for one in PIXELS]
    parts = [["Training", "Training", "Training", "PublicTest"][i % 4] for i in range(N)]
    found = loaded(tmp_path / "t.csv", pd.DataFrame({"emotion": np.arange(N) // 4 % 3, "pixels": listed, "Usage": parts}), None)
    assert (found.shape, found.intake.label) == ((6, 6), "emotion")
    assert np.allclose(found.x.numpy(), PIXELS.reshape(N, 36) / 255, atol=1e-6)
    assert found.test.tolist() == list(range(3, N, 4))


def test_numbers_listed_in_one_column_are_columns(tmp_path: Path) -> None:
    numbers = RNG.normal(size=(N, 20))
    listed = [str([float(f"{value:.6g}") for value in row]) for row in numbers]
    found = loaded(tmp_path / "t.csv", pd.DataFrame({"text": listed, "species": SPECIES}))
    assert found.features[:2] == ("text 0", "text 1")
    assert np.allclose(found.original(torch.arange(N)), numbers, atol=1e-5)
    assert "The column 'text' lists 20 numbers: each is a column." in found.notes


def test_answers_from_one_to_five_are_no_pictures(tmp_path: Path) -> None:
    answers = pd.DataFrame(RNG.integers(1, 6, (N, 16)), columns=[f"q{i}" for i in range(1, 17)])
    assert loaded(tmp_path / "t.csv", answers.assign(species=SPECIES)).shape == (16,)
