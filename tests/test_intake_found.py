"""What people's tables hold beside their numbers: codes for gaps, titles, names that come again, words in several spellings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from flowers import LENGTH, RNG, SPECIES, N, frame, loaded, same, text
from refusals import refused

from ked.data.dataset import Dataset


def column(found: Dataset, name: str) -> list[float]:
    """A column's values in its own units, NaN for gaps."""
    one = next(one for one in found.intake.columns if one.name == name)
    units = found.original(torch.arange(len(found.x))).numpy()
    values = units[:, one.start].astype(float)
    if one.gaps:
        values[units[:, one.start + 1] > 0.5] = np.nan
    return [round(value, 3) for value in values.tolist()]


def gapped(values: list[float], rows: list[int]) -> list[float]:
    return [np.nan if row in rows else value for row, value in enumerate(values)]


CODES = [[-999], [-9], [-99.9], [999.9], [9999], [-8, -9], [98, 99], [-32768], [1e20], [9.96921e36], [-3.40282e38]]


@pytest.mark.parametrize("codes", CODES, ids=str)
def test_a_number_that_lies_far_from_all_others_as_codes_for_gaps_do_is_one(codes: list[float], tmp_path: Path) -> None:
    share = (LENGTH / 3).round(3)
    rows = [4, 9, 17, 30]
    given = [codes[row % len(codes)] if row in rows else value for row, value in enumerate(share.tolist())]
    for row, code in zip(rows, codes, strict=False):
        given[row] = code
    found = loaded(tmp_path / "t.csv", frame(share=given))
    np.testing.assert_equal(column(found, "share"), gapped(share.tolist(), rows))
    named = " and ".join(f"{code:.15g}" for code in sorted(codes))
    far = "lie" if len(codes) > 1 else "lies"
    assert f"In the column `share` {named} {far} far from all other numbers and is taken for a gap (--keep)." in found.intake.remarks()
    kept = loaded(tmp_path / "t.csv", frame(share=given), keep=("share",))
    assert np.allclose(column(kept, "share"), given, rtol=0, atol=1e-6 * max(map(abs, codes)))
    typed = found.intake.encode({"length": "5", "width": "2", "share": str(codes[0])})
    assert found.intake.decode(typed)["share"] == ""


MEASURED = [[-9, 9], [99, 80, 120], [999, 400, 20], [-1, 0, 1], [77, 88, 99, 5, 30], [-99, -40, 35], [99, 2]]


@pytest.mark.parametrize("values", MEASURED, ids=str)
def test_a_number_near_others_is_no_code(values: list[float], tmp_path: Path) -> None:
    given = [values[i % len(values)] for i in RNG.permutation(N)]
    assert column(loaded(tmp_path / "t.csv", frame(size=given)), "size") == given


def test_a_column_of_official_parts_is_kept_as_such(tmp_path: Path) -> None:
    parts = np.array(["train", "train", "train", "Val", "test"])[RNG.permutation(N) % 5]
    found = loaded(tmp_path / "t.csv", frame(split=parts), None)
    same(found)
    assert [getattr(found, part).tolist() for part in ("train", "validation", "test")] == [
        np.flatnonzero(parts == part).tolist() for part in ("train", "Val", "test")
    ]
    assert "left out: `split`, it names the official parts." in found.intake.sentence()
    assert "Its official parts are kept: 36 train, 12 validation, 12 test." in found.notes
    assert loaded(tmp_path / "t.csv", frame(split=parts), drop=("split",)).test.tolist() != found.test.tolist()
    assert "split = Val" in loaded(tmp_path / "t.csv", frame(split=parts), keep=("split",)).features


def test_words_for_gaps_may_be_most_of_a_column_of_few_numbers(tmp_path: Path) -> None:
    for gap in ("-", ".", "\\N", "(null)", "unknown"):
        given = [str([4, 6, 8][i % 3]) if i % 4 == 0 else gap for i in range(N)]
        found = loaded(tmp_path / "t.csv", frame(every=given))
        np.testing.assert_equal(column(found, "every"), [float(one) if one != gap else np.nan for one in given])


def test_gaps_among_dates_are_gaps(tmp_path: Path) -> None:
    given = ["0000-00-00" if i % 7 == 0 else f"2024-03-{1 + i % 9:02}" for i in range(N)]
    found = loaded(tmp_path / "t.csv", frame(seen=given))
    np.testing.assert_equal(column(found, "seen"), [np.nan if i % 7 == 0 else 19783.0 + i % 9 for i in range(N)])


@pytest.mark.parametrize("title", ["Flowers of 2026,,\n", "Flowers,2026,\n,,\n", '"Flowers, all of 2026",,\nby J. Doe,,\n,,\n'])
def test_a_title_above_the_table_may_be_padded_to_its_width(title: str, tmp_path: Path) -> None:
    same(loaded(tmp_path / "t.csv", title + text()))
    same(loaded(tmp_path / "t.csv", (title + text()).replace(",", ";")))


def test_names_that_come_again_are_no_row(tmp_path: Path) -> None:
    """Files were put together, each with its names, or with its row numbers."""
    joined = pd.concat([frame().iloc[:20], frame().iloc[20:].reset_index(drop=True)])
    numbered = loaded(tmp_path / "t.csv", joined.to_csv())
    same(numbered)
    assert "`column 1`, row numbers of several tables" in numbered.intake.sentence()
    lines = text().splitlines()
    again = "\n".join([*lines[:5], lines[0], *lines[5:30], lines[0], *lines[30:]])
    found = loaded(tmp_path / "t.csv", again)
    same(found)
    assert "2 lines repeat the names of the columns: left out." in found.notes


def test_rows_that_are_the_same_are_no_names(tmp_path: Path) -> None:
    words = "\n".join(["yes,no,a", "no,yes,b", "no,no,b", "yes,yes,a"] * 15)
    found = loaded(tmp_path / "t.csv", words, None)
    assert (len(found.x), found.intake.label) == (60, "column 3")


def test_a_point_between_groups_is_no_decimal_point_beside_short_whole_numbers(tmp_path: Path) -> None:
    people = RNG.integers(1, 400, N) * 10
    people[:3] = 4, 1160, 20
    given = [f"{one:,}".replace(",", ".") for one in people.tolist()]
    for separator in (";", "\t"):
        found = loaded(tmp_path / "t.csv", frame(people=given).to_csv(index=False, sep=separator))
        assert column(found, "people") == people.tolist()
    fractions = [round(one / 1000, 3) for one in people.tolist()]
    assert column(loaded(tmp_path / "t.csv", frame(people=fractions)), "people") == fractions


def test_letters_behind_a_few_numbers_are_no_units_and_an_open_range_is_no_negative_number(tmp_path: Path) -> None:
    family = [*map(str, 100 + RNG.permutation(N - 2)), "136A", "7B"]
    found = loaded(tmp_path / "t.csv", frame(family=family))
    np.testing.assert_equal(column(found, "family"), [float(one) if one.isdigit() else np.nan for one in family])
    assert "In the column `family` some texts are no numbers and count as gaps: '136A', '7B'." in found.intake.remarks()
    since = loaded(tmp_path / "t.csv", frame(since=[f"{1935 + 5 * (i % 3)}-" for i in range(N)]))
    assert since.features[2:] == ("since = 1935-", "since = 1940-", "since = 1945-")


MILLIONS = [
    (["1.2K", "900", "3M", "0"], [1200, 900, 3_000_000, 0]),
    (["€110.5M", "€500K", "€0", "€250"], [110_500_000, 500_000, 0, 250]),
    (["1.5m", "250k", "2bn", "1m"], [1_500_000, 250_000, 2e9, 1_000_000]),
    (["1.5m", "2.5m", "3m", "0m"], [1.5, 2.5, 3, 0]),
    (["1.5M", "2.5M", "3M", "0M"], [1.5, 2.5, 3, 0]),
]


@pytest.mark.parametrize(("written", "meant"), MILLIONS)
def test_thousands_and_millions_are_multiplied_where_they_stand_beside_each_other(
    written: list[str], meant: list[float], tmp_path: Path
) -> None:
    order = RNG.permutation(N) % 4
    found = loaded(tmp_path / "t.csv", frame(value=[written[i] for i in order]))
    assert np.allclose(column(found, "value"), [meant[i] for i in order], rtol=0, atol=1e-6 * max(meant))


def test_a_date_without_signs_is_a_date_and_a_season_is_none(tmp_path: Path) -> None:
    days = pd.Timestamp("2024-01-20") + pd.to_timedelta(RNG.permutation(N) * 3 % 50, unit="D")
    found = loaded(tmp_path / "t.csv", frame(day=days.strftime("%Y%m%d")))
    assert column(found, "day") == ((days - pd.Timestamp("1970-01-01")).days).tolist()
    assert f"Read as numbers or dates: `day`, '{days.max():%Y%m%d}' as {days.max():%Y-%m-%d}." in found.intake.remarks()
    assert found.intake.decode(found.intake.encode({"length": "5", "width": "2", "day": "20240229"}))["day"] == "2024-02-29"
    seasons = loaded(tmp_path / "t.csv", frame(season=[f"200{i % 4}-0{1 + i % 4}" for i in range(N)]))
    assert seasons.features[2] == "season = 2000-01"


def test_two_digits_of_a_year_mean_the_same_century_on_every_day(tmp_path: Path) -> None:
    born = [f"{1 + i % 28}.{1 + i % 12}.{50 + i % 50}" for i in range(N)]
    found = loaded(tmp_path / "t.csv", frame(born=born))
    meant = [f"19{50 + i % 50}-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(N)]
    assert column(found, "born") == pd.to_datetime(meant).to_series().sub(pd.Timestamp(0)).dt.days.tolist()


def test_whole_numbers_that_differ_where_no_float_does_are_left_out(tmp_path: Path) -> None:
    for start in (2**60, 10**25):
        ids = [str(start + int(i)) for i in RNG.permutation(N)]
        for given in (ids, ["", *ids[1:]]):
            found = loaded(tmp_path / "t.csv", frame(ticket=given))
            same(found)
            assert "`ticket`, whole numbers that differ after their 15th digit, as those of ids do" in found.intake.sentence()


def test_words_in_several_spellings_are_one_and_letters_are_not(tmp_path: Path) -> None:
    town = [["Ulm", "ULM ", "New  York", "new york", "Ulm", "Bonn"][i % 6] for i in range(N)]
    kind = [["Yes", "yes", "no", "NO", "no"][i % 5] for i in RNG.permutation(N)]
    found = loaded(tmp_path / "t.csv", frame(town=town, kind=kind), "kind", drop=("species",))
    assert found.features[2:] == ("town = Bonn", "town = New  York", "town = Ulm")
    assert [found.classes[y].lower() for y in found.y] == [one.lower() for one in kind]
    assert len(found.classes) == 2
    assert "In the column `town` spellings such as 'New  York', 'new york' are one." in found.intake.remarks()
    assert "Among the classes spellings such as 'NO', 'no' are one." in found.intake.remarks()
    as_it_is = loaded(tmp_path / "t.csv", frame(kind=kind), "kind", keep=("*",))
    assert as_it_is.classes == ("NO", "Yes", "no", "yes")
    letters = loaded(tmp_path / "t.csv", frame(kind=[["A", "a", "b"][i % 3] for i in RNG.permutation(N)]), "kind")
    assert letters.classes == ("A", "a", "b")
    assert "The classes 'A' and 'a' are two, as letters may be." in letters.intake.remarks()


def test_a_row_that_is_typed_in_may_spell_a_word_otherwise(tmp_path: Path) -> None:
    wild = ["TRUE", "FALSE"] * (N // 2)
    found = loaded(tmp_path / "t.csv", frame(wild=wild).assign(species=SPECIES))
    typed = found.intake.encode({"length": "5", "width": "2", "wild": "TRUE"})
    assert typed.tolist() == [5, 2, 0, 1]


def test_quotes_in_quotes_may_have_a_backslash(tmp_path: Path) -> None:
    """As R's write.table and MySQL write them; one at the end of a text is a backslash."""
    said = [f'he said \\"no{i % 3}{", not" * (i % 2)}\\", twice' for i in range(N)]
    given = text().splitlines()
    rows = [f'"{one}",{line}' for one, line in zip(said, given[1:], strict=True)]
    found = loaded(tmp_path / "t.csv", "\n".join([f"said,{given[0]}", *rows]))
    assert found.features[0] == 'said = he said "no0", twice'
    assert found.features[-2:] == ("length", "width")
    paths = [f'"C:\\\\dir{i % 3}\\",{line}'.replace("\\\\", "\\") for i, line in enumerate(given[1:])]
    assert loaded(tmp_path / "t.csv", "\n".join([f"path,{given[0]}", *paths])).features[0] == "path = C:\\dir0\\"


@pytest.mark.parametrize("row", [0, 7])
def test_a_row_with_too_many_values_is_named_wherever_it_stands(row: int, tmp_path: Path) -> None:
    lines = text().splitlines()
    lines[row + 1] = f"Smith,{lines[row + 1]}"
    (tmp_path / "t.csv").write_text("\n".join(lines))
    refused(tmp_path / "t.csv", f"line {row + 2} has 4 values, but the lines (after it have fewer|before it have 3)", "species")


def test_what_keeps_excel_from_changing_a_value_is_no_part_of_it(tmp_path: Path) -> None:
    found = loaded(tmp_path / "t.csv", frame(code=[f'="{i % 30:03}"' for i in range(N)]))
    assert column(found, "code") == [i % 30 for i in range(N)]


def test_infinite_values_are_gaps_and_named(tmp_path: Path) -> None:
    given = [np.inf if i % 9 == 0 else float(i % 7) for i in range(N)]
    found = loaded(tmp_path / "t.csv", frame(size=given))
    np.testing.assert_equal(column(found, "size"), gapped(given, [i for i in range(N) if i % 9 == 0]))
    assert "In the column `size` some texts are no numbers and count as gaps: 'inf'." in found.intake.remarks()
