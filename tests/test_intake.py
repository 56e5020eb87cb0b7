"""Tables as people have them: each kind comes in, and the report says what was done with every column and row."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pandas as pd
import pytest
import sklearn.datasets
import torch
from flowers import LENGTH, RNG, SPECIES, WIDTH, N, frame, loaded, same, text
from refusals import refused

from ked import data
from ked.data import own

SKLEARN = Path(sklearn.datasets.__file__).parent / "data"


UMLAUT = text().replace("rose", "Röschen")
TEXTS: dict[str, tuple[str, bytes | str, str]] = {
    "commas": ("t.csv", text(), ""),
    "tabs": ("t.tsv", text("\t"), "tabs"),
    "semicolons": ("t.csv", text(";"), "semicolons"),
    "strokes": ("t.txt", text("|"), "strokes"),
    "carets": ("t.csv", text("^"), "'^'"),
    "blanks": ("t.dat", text(" "), "blanks"),
    "many blanks": ("t.txt", "\n".join("  ".join(f"{cell:>8}" for cell in line.split(",")) for line in text().splitlines()), "blanks"),
    "blanks behind commas": ("t.csv", text().replace(",", ", "), ""),
    "single quotes": ("t.csv", text(quote="'"), ""),
    "decimal commas": ("t.csv", text(";", ","), "decimal commas"),
    "decimal commas in quotes": (
        "t.csv", re.sub(r"(?m)^([\d.]+)", lambda found: f'"{found[1].replace(".", ",")}"', text()),
        "decimal commas",
    ),
    "a line that names the separator": ("t.csv", "sep=;\n" + text(";"), "semicolons"),
    "a byte-order mark": ("t.csv", text().encode("utf-8-sig"), ""),
    "UTF-16": ("t.csv", text("\t").encode("utf-16"), "tabs"),
    "UTF-32": ("t.csv", text().encode("utf-32"), ""),
    "UTF-16 without a mark": ("t.csv", text().encode("utf-16-be"), ""),
    "Windows's line ends": ("t.csv", text().replace("\n", "\r\n"), ""),
    "old line ends": ("t.csv", text().replace("\n", "\r"), ""),
    "empty lines": ("t.csv", "\n\n" + text().replace("\n", "\n\n"), ""),
    "gzip": ("t.csv.gz", gzip.compress(text().encode()), ""),
    "a title": ("t.csv", "Flowers of 2026\n\n" + text(), "first line is no part"),
    "comments": ("t.csv", "# Flowers\n# of 2026\n" + text(), ""),
    "names in a comment": ("t.csv", "# " + text(), ""),
    "pandas' row numbers": ("t.csv", frame().to_csv(), "`column 1`, a row number"),
    "R's row names": ("t.csv", frame().set_axis(map(str, range(1, N + 1))).to_csv(quoting=2), "`column 1`, a row number"),
    "R's row names without a name": (
        "t.txt", frame().set_axis([f"flower {i}" for i in range(N)]).to_csv(quoting=2).removeprefix('"",'), "row names",
    ),
    "names of rows": ("t.csv", frame().assign(model=[f"m{i}" for i in range(N)]).to_csv(index=False), "`model`, an id"),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_is_read_however_it_is_laid_out(case: str, tmp_path: Path) -> None:
    name, content, told = TEXTS[case]
    found = loaded(tmp_path / name, content)
    same(found)
    assert found.intake is not None
    assert told in "\n".join([found.intake.sentence(), *found.intake.remarks()])


def test_how_a_file_was_read_is_said_also_where_its_numbers_are_taken_as_they_are(tmp_path: Path) -> None:
    named = text(";", ",").replace("species", "label")
    assert "Numbers have decimal commas." in loaded(tmp_path / "t.csv", named, None).notes
    other = text().replace("species", "label").replace("rose", "Röschen").encode("cp1252")
    assert "The text is taken for CP1252." in loaded(tmp_path / "t.csv", other, None).notes


def test_a_file_without_names_calls_columns_by_their_places_and_the_class_is_guessed(tmp_path: Path) -> None:
    found = loaded(tmp_path / "t.csv", frame().to_csv(index=False, header=False), None)
    assert found.features == ("column 1", "column 2")
    assert "`column 3`, a guess" in found.intake.remarks()[0]
    first = loaded(tmp_path / "t.csv", frame()[["species", "width", "length"]].to_csv(index=False, header=False), None)
    assert first.intake.label == "column 1"


@pytest.mark.parametrize("start", [0, 1, 2019])
def test_numbers_that_count_on_are_names(start: int, tmp_path: Path) -> None:
    """Those of columns that were never given any, or years."""
    given = frame().set_axis([*range(start, start + 2), "label" if start > 1 else start + 2], axis=1)
    found = loaded(tmp_path / "t.csv", given, "-1")
    assert (len(found.x), found.features) == (N, (str(start), str(start + 1)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1", "cp1252"])
def test_letters_come_through_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    assert loaded(tmp_path / "t.csv", UMLAUT.encode(encoding)).classes == ("Röschen", "aster", "tulip")


def test_rows_may_lack_their_last_values(tmp_path: Path) -> None:
    """Also the first one."""
    rows = [f"{length},{width},{name}" for length, width, name in zip(LENGTH, WIDTH, SPECIES, strict=True)]
    found = loaded(tmp_path / "t.csv", "\n".join(["length,width,species", "5.5,2", *rows]))
    assert found.intake.rows_left_out == {"they have no class": 1}
    same(found)


def test_one_and_one_point_nought_are_one_class(tmp_path: Path) -> None:
    kinds = [["1", "1.0", "2"][i % 3] for i in range(N)]
    assert loaded(tmp_path / "t.csv", frame(kind=kinds), "kind").classes == ("1", "2")
    assert loaded(tmp_path / "t.csv", frame(kind=[["1.0", "2.0"][i % 2] for i in range(N)]), "kind").classes == ("1.0", "2.0")


def test_a_sheet_that_can_be_no_table_is_passed_over_and_an_index_with_a_name_is_a_column(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame({"Flowers of 2026": []}).to_excel(book, sheet_name="about", index=False)
        frame().to_excel(book, sheet_name="flowers", index=False)
    same(data.load(str(tmp_path / "t.xlsx"), "species"))
    frame().set_index("species").to_parquet(tmp_path / "t.parquet")
    same(data.load(str(tmp_path / "t.parquet"), "species"))
    frame().set_index("width").to_parquet(tmp_path / "t.parquet")
    assert data.load(str(tmp_path / "t.parquet"), "species").features == ("width", "length")


def test_sheets_and_parquet_files_come_in(tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "t.parquet")
    frame().to_excel(tmp_path / "t.xlsx", index=False)
    for name in ("t.parquet", "t.xlsx"):
        same(data.load(str(tmp_path / name), "species"))
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame().to_excel(book, sheet_name="empty")
        frame().to_excel(book, sheet_name="flowers", startrow=3, startcol=2)
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="notes")
    found = data.load(str(tmp_path / "t.xlsx"), "species")
    same(found)
    assert "Of 2 sheets the first that can be a table, 'flowers'" in "\n".join(found.intake.remarks())
    assert [one.reason for one in found.intake.left_out] == ["a row number"]


PLACES = [("Species", "species"), (" SPECIES ", "species"), ("3", "species"), ("-1", "species"), ("2", "width")]


@pytest.mark.parametrize(("label", "found"), PLACES)
def test_the_class_is_named_in_any_case_or_by_its_place(label: str, found: str, tmp_path: Path) -> None:
    assert loaded(tmp_path / "t.csv", frame(), label).intake.label == found


def test_a_name_that_is_not_there_is_answered_with_the_likeliest(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "t.csv", index=False)
    refused(tmp_path / "t.csv", "no column 'spceies' to hold the class; did you mean 'species'", label="spceies")
    refused(tmp_path / "t.csv", "no column '9' to hold the class", label="9")


def test_a_column_of_measurements_is_no_class(tmp_path: Path) -> None:
    many = pd.concat([frame(size=RNG.permutation(N) + shift * N) for shift in range(10)])
    many.to_csv(tmp_path / "t.csv", index=False)
    refused(tmp_path / "t.csv", "'size' holds 600 different numbers.*a column of measurements is no class", label="size")


SHIPPED = {
    "iris.csv": (150, (4,), 3),
    "wine_data.csv": (178, (13,), 3),
    "breast_cancer.csv": (569, (30,), 2),
    "digits.csv.gz": (1797, (8, 8), 10),
    "diabetes_data_raw.csv.gz": (442, (9,), 2),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_files_that_scikit_learn_ships_come_in_as_they_are(name: str) -> None:
    found = data.load(str(SKLEARN / name))
    assert (len(found.x), found.shape, found.class_count) == SHIPPED[name]


@pytest.mark.parametrize(("name", "load"), [("wine_data.csv", "wine"), ("breast_cancer.csv", "breast-cancer")])
def test_they_hold_the_numbers_of_the_data_sets_made_of_them(name: str, load: str) -> None:
    found, known = data.load(str(SKLEARN / name)), data.load(load)
    assert torch.allclose(found.x, known.x, atol=1e-6)
    assert torch.equal(found.y, known.y)


def test_a_table_that_is_taken_as_it_is_has_the_fingerprint_that_it_always_had(tmp_path: Path) -> None:
    plain, judged = tmp_path / "plain.csv", tmp_path / "judged.csv"
    frame().rename(columns={"species": "label"}).to_csv(plain, index=False)
    frame(year=2026).rename(columns={"species": "label"}).to_csv(judged, index=False)
    digests = {path: own._sha256(path) for path in (plain, judged)}
    assert data.fingerprint(str(plain)) == f"{digests[plain]} 2"
    assert data.fingerprint(str(judged), keep=("*",)) == f"{digests[judged]} 2"
    assert data.load(str(judged), keep=("*",)).features == ("length", "width", "year")
    others = {data.fingerprint(str(judged), drop=drop) for drop in ((), ("width",))}
    assert len(others | {f"{digests[judged]} 2"}) == 3
