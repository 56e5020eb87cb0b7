"""What becomes of each kind of column, and what the report says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from flowers import LENGTH, RNG, SPECIES, WIDTH, N, frame, loaded, same, text

from explorer.report.document import report
from ked import data
from ked.errors import InvalidInput
from ked.recipe import Recipe
from ked.store import Run


def test_texts_and_truths_are_one_hot_and_the_parts_of_a_column_belong_together(tmp_path: Path) -> None:
    sexes = np.array(["female", "male"])[RNG.permutation(N) % 2]
    wild = RNG.permutation(N) % 2 == 0
    found = loaded(tmp_path / "t.csv", frame(sex=sexes, wild=wild))
    assert found.features == ("length", "width", "sex = female", "sex = male", "wild = False", "wild = True")
    assert found.together == ((0,), (1,), (2, 3), (4, 5))
    raw = found.original(torch.arange(N)).numpy()
    assert np.allclose(raw[:, 3], sexes == "male", atol=1e-6)
    assert np.allclose(raw[:, 5], wild, atol=1e-6)
    assert found.intake.sentence() == "4 of 4 columns used: 2 encoded."


def test_an_ordered_category_is_one_number(tmp_path: Path) -> None:
    sizes = pd.Categorical(
        np.array(["small", "large", "medium"])[RNG.permutation(N) % 3], ["small", "medium", "large"], ordered=True
    )
    frame(size=sizes).to_parquet(tmp_path / "t.parquet")
    found = data.load(str(tmp_path / "t.parquet"), "species")
    assert found.features == ("length", "width", "size")
    assert np.allclose(found.original(torch.arange(N))[:, 2], sizes.codes, atol=1e-6)


DATES = pd.Timestamp("2024-01-20") + pd.to_timedelta(RNG.permutation(N) * 3 % 50, unit="D")


FORMS = [
    "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d %b %Y", "%B %d, %Y", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%d 02:00:00 CEST", "%Y-%m-%dT01:00:00+01:00[Europe/Berlin]", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%SZ", "%a, %d %b %Y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S +0000 %Y", "%A, %B %d, %Y", "%d/%b/%Y:%H:%M:%S +0000", "%d-%b-%y 12.00.00.000 AM", "%d.%m.%Y 00:00 Uhr",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_dates_are_days(form: str, tmp_path: Path) -> None:
    found = loaded(tmp_path / "t.csv", frame(seen=DATES.strftime(form)))
    assert found.features == ("length", "width", "seen")
    days = (DATES - pd.Timestamp("1970-01-01")).days
    assert np.allclose(found.original(torch.arange(N))[:, 2], days, atol=1e-3)
    assert found.intake.decode(found.original(torch.arange(1))[0].numpy())["seen"] == str(DATES[0].date())


def test_months_in_other_languages_and_without_days_are_dates(tmp_path: Path) -> None:
    german = [f"{1 + i % 9}. {['März', 'Mai', 'Okt.', 'Dezember'][i % 4]} 2024" for i in range(N)]
    months = [f"20{20 + i % 5}{1 + i % 12:02}" for i in range(N)]
    found = loaded(tmp_path / "t.csv", frame(seen=german, month=months))
    raw = found.original(torch.arange(N)).numpy()
    iso = [[f"2024-{[3, 5, 10, 12][i % 4]:02}-0{1 + i % 9}", f"{months[i][:4]}-{months[i][4:]}-01"] for i in range(N)]
    assert np.allclose(raw[:, 2:], (np.array(iso, "M8[D]") - np.datetime64(0, "D")).astype(int), atol=1e-3)


def test_times_of_day_are_hours(tmp_path: Path) -> None:
    minutes = RNG.integers(0, 24 * 60, N)
    moments = pd.Timestamp(0) + pd.to_timedelta(minutes, unit="min")
    for form in ("%H:%M", "%H:%M:%S", "%I:%M %p"):
        found = loaded(tmp_path / "t.csv", frame(woke=moments.strftime(form)))
        assert np.allclose(found.original(torch.arange(N))[:, 2], minutes / 60, atol=1e-5)
    latest = pd.Timestamp(0) + pd.Timedelta(minutes=int(minutes.max()))
    assert f"Read as numbers or dates: `woke`, '{latest:%I:%M %p}' as {minutes.max() / 60:.6g} hours." in found.notes


def test_some_texts_among_dates_are_gaps_and_named(tmp_path: Path) -> None:
    seen = DATES.strftime("%d.%m.%Y").to_numpy(object)
    seen[5], seen[9] = "soon", "31.02.2024"
    found = loaded(tmp_path / "t.csv", frame(seen=seen))
    assert np.flatnonzero(found.original(torch.arange(N))[:, 3].round()).tolist() == [5, 9]
    assert "In the column `seen` some texts are no dates and count as gaps: 'soon', '31.02.2024'." in found.intake.remarks()


def test_gaps_hold_the_median_of_the_training_rows_beside_a_column_that_says_so(tmp_path: Path) -> None:
    length, colour = LENGTH.astype(object), np.array(["red", "white"])[RNG.permutation(N) % 2].astype(object)
    length[[3, 20, 41]], colour[[3, 7]] = None, None
    found = loaded(tmp_path / "t.csv", frame(length=length, colour=colour))
    assert found.features == ("length", "length missing", "width", "colour = red", "colour = white", "colour = missing")
    raw = found.original(torch.arange(N)).numpy()
    known = [row for row in found.train.tolist() if row not in (3, 20, 41)]
    assert np.allclose(raw[[3, 20, 41], 0], np.median(LENGTH[known]), atol=1e-6)
    assert np.flatnonzero(raw[:, 1].round()).tolist() == [3, 20, 41]
    assert np.flatnonzero(raw[:, 5].round()).tolist() == [3, 7]
    assert found.intake.sentence() == "3 of 3 columns used: 1 encoded, 2 filled in 4 rows."


def test_some_texts_among_numbers_are_gaps_and_named(tmp_path: Path) -> None:
    length = LENGTH.astype(str).astype(object)
    length[5], length[9] = "<0.1", "none"
    found = loaded(tmp_path / "t.csv", frame(length=length))
    assert found.features == ("length", "length missing", "width")
    assert "In the column `length` some texts are no numbers and count as gaps: '<0.1'." in found.intake.remarks()


PRICE = (RNG.uniform(900, 99_999, N)).round(2)
SIGNS = str.maketrans(",.", ".,")
AMERICAN = ["{:,.2f}", "${:,.2f}", "-{:,.2f}", "({:,.2f})", "−{:,.2f}", "{:,.2f}%", "€ {:,.2f}", "{:,.2f} kg/m³", "{:.2f} cm", "{:.6E}",
            "₹{:,.2f}", "US${:,.2f}", "R$ {:,.2f}", "Rs {:,.2f}", "SEK {:,.2f}", "{:,.2f} ₽"]  # fmt: skip


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize("form", AMERICAN)
def test_numbers_are_read_with_either_mark_and_signs_for_thousands_money_percent_and_units(form: str, mark: str, tmp_path: Path) -> None:
    texts = [form.format(one) for one in PRICE.tolist()]
    texts = texts if mark == "." else [text.translate(SIGNS) for text in texts]
    found = loaded(tmp_path / "t.csv", frame(price=texts))
    same_price = PRICE * (-1 if form[0] in "-(−" else 1)
    assert np.allclose(found.original(torch.arange(N))[:, 2], same_price, rtol=1e-6, atol=1e-2)


@pytest.mark.parametrize("sign", ["'", "’", "_", " ", "\u00a0", "\u202f"])
def test_other_signs_for_thousands_are_left_out(sign: str, tmp_path: Path) -> None:
    found = loaded(tmp_path / "t.csv", frame(price=[f"{one:,.2f}".replace(",", sign) for one in PRICE.tolist()]))
    assert np.allclose(found.original(torch.arange(N))[:, 2], PRICE, rtol=0, atol=1e-2)


def test_a_point_is_a_sign_for_thousands_where_the_file_has_decimal_commas(tmp_path: Path) -> None:
    """Also among numbers that could all be decimal ones, and the report shows one."""
    share, people = RNG.uniform(1, 9, N).round(3), RNG.integers(1000, 9999, N)
    rows = [f"{one:.3f};{many:,};{name}".translate(SIGNS) for one, many, name in zip(share, people.tolist(), SPECIES, strict=True)]
    found = loaded(tmp_path / "t.csv", "share;people;label\n" + "\n".join(rows), None)
    assert np.allclose(found.original(torch.arange(N)), np.column_stack([share, people]), rtol=1e-6, atol=1e-2)
    assert "Numbers have decimal commas." in found.notes
    most = int(people.max())
    assert f"Read as numbers or dates: `people`, '{f'{most:,}'.translate(SIGNS)}' as {most}." in found.notes


def test_numbers_of_several_units_are_texts(tmp_path: Path) -> None:
    sizes = [f"{5 * i} {'cm' if i % 2 else 'mm'}" for i in range(N)]
    assert "`size`, an id" in loaded(tmp_path / "t.csv", frame(size=sizes)).intake.sentence()


@pytest.mark.parametrize("gap", ["(null)", "\\N", "x", "#VALUE!", "not available"])
def test_one_text_among_many_numbers_is_a_gap_however_often_it_comes(gap: str, tmp_path: Path) -> None:
    length = LENGTH.astype(str).astype(object)
    length[::3] = gap
    found = loaded(tmp_path / "t.csv", frame(length=length))
    assert found.original(torch.arange(N))[:, 1].round().tolist() == [float(row % 3 == 0) for row in range(N)]
    assert f"In the column `length` some texts are no numbers and count as gaps: '{gap}'." in found.intake.remarks()


@pytest.mark.parametrize(("latest", "meant"), [("12/08/2024", "2024-12-08"), ("12/08/65", "1965-12-08"), ("12/08/49", "2049-12-08")])
def test_of_dates_that_can_be_read_otherwise_one_is_shown(latest: str, meant: str, tmp_path: Path) -> None:
    dates = [latest, *(f"0{1 + i % 9}/0{1 + i % 8}/{latest[6:]}" for i in range(1, N))]
    remarks = loaded(tmp_path / "t.csv", frame(seen=dates)).intake.remarks()
    assert f"Read as numbers or dates: `seen`, '{latest}' as {meant}." in remarks


def test_dates_with_days_in_either_place_are_none(tmp_path: Path) -> None:
    dates = [f"{13 + i % 9}/01/2024" if i % 2 else f"01/{13 + i % 9}/2024" for i in range(N)]
    assert "seen = 01/13/2024" in loaded(tmp_path / "t.csv", frame(seen=dates)).features


IDS = RNG.permutation(np.arange(1000, 1000 + 7 * N, 7))
USELESS = {
    "a row number": ("rownames", np.arange(1, N + 1)),
    "a row number ": ("nr", RNG.permutation(N)),
    "an id": ("PassengerId", IDS),
    "an id: each row has its own": ("code", [f"c{i:04d}" for i in IDS]),
    "free text": ("remark", [f"a note on flower number {i % 30}" for i in range(N)]),
    "texts with 30 values (at most 20 are encoded)": ("town", [f"town{i % 30}" for i in range(N)]),
    "constant": ("year", [2026] * N),
    "empty": ("nothing", [None] * N),
    "the same as 'width'": ("breadth", WIDTH),
}


@pytest.mark.parametrize("case", USELESS)
def test_what_says_nothing_is_left_out_named_and_comes_back_when_asked_for(case: str, tmp_path: Path) -> None:
    name, values = USELESS[case]
    found = loaded(tmp_path / "t.csv", frame(**{name: values}))
    same(found)
    assert found.intake.sentence() == f"2 of 3 columns used; left out: `{name}`, {case.strip()}."
    if case != "empty":
        kept = data.load(str(tmp_path / "t.csv"), "species", keep=(name.upper(),))
        assert name in [column.name for column in kept.intake.columns]
        assert kept.intake.left_out == ()


def test_columns_are_dropped_when_asked_for(tmp_path: Path) -> None:
    found = loaded(tmp_path / "t.csv", frame(), drop=("Length",))
    assert found.features == ("width",)
    assert found.intake.sentence() == "1 of 2 columns used; left out: `length`, as asked."
    with pytest.raises(InvalidInput, match="'species' holds the class, but the class cannot be left out"):
        data.load(str(tmp_path / "t.csv"), "species", drop=("species",))
    with pytest.raises(InvalidInput, match="none of its columns can be used"):
        data.load(str(tmp_path / "t.csv"), "species", drop=("1", "2"))


def test_rows_without_a_class_or_of_a_tiny_one_are_left_out_and_counted(tmp_path: Path) -> None:
    species = SPECIES.astype(object)
    species[[4, 8]], species[[1, 2]] = None, "orchid"
    found = loaded(tmp_path / "t.csv", frame().assign(species=species))
    assert found.intake.rows_left_out == {"they have no class": 2, "the class 'orchid' has fewer than 5": 2}
    assert len(found.x) == found.intake.rows == N - 4
    kept = [row for row in range(N) if row not in (1, 2, 4, 8)]
    assert np.allclose(found.original(torch.arange(N - 4))[:, 0], LENGTH[kept], atol=1e-5)


def test_a_column_that_gives_the_class_away_is_named(tmp_path: Path) -> None:
    code = {"rose": 7, "tulip": 3, "aster": 5}
    found = loaded(tmp_path / "t.csv", frame(code=[code[one] for one in SPECIES]))
    assert [column.name for column in found.intake.columns if column.telling] == ["code"]
    assert "`code`: alone it tells the class; leave out what would not be known beforehand." in found.intake.remarks()
    rows = loaded(tmp_path / "t.csv", frame().sort_values("species").assign(row=range(N)), keep=("row",))
    assert [column.name for column in rows.intake.columns if column.telling] == ["row"]


def test_columns_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    found = loaded(tmp_path / "t.csv", text().replace("width", "length", 1))
    assert found.features == ("length", "length (2)")
    third = loaded(tmp_path / "t.csv", frame(**{"length (2)": LENGTH**2}).rename(columns={"width": "length"}))
    assert third.features == ("length", "length (3)", "length (2)")
    assert "Several columns are called 'length'" in "\n".join(found.intake.remarks())


def test_a_row_that_is_typed_in_is_taken_as_the_table_was(tmp_path: Path) -> None:
    colour = np.array(["red", "white"])[RNG.permutation(N) % 2].astype(object)
    colour[3] = None
    found = loaded(tmp_path / "t.csv", frame(colour=colour, seen=DATES.strftime("%d.%m.%Y")))
    row = {"length": str(LENGTH[0]), "width": str(WIDTH[0]), "colour": colour[0], "seen": DATES.strftime("%d.%m.%Y")[0]}
    assert torch.allclose(found.scaled(found.intake.encode(row)), found.x[0], atol=1e-5)
    assert found.intake.decode(found.intake.encode(row | {"colour": ""}))["colour"] == ""
    refusals = (("length", "long", "numbers, and 'long'"), ("colour", "blue", "no 'blue'"), ("seen", "soon", "holds dates"))
    for column, wrong, named in refusals:
        with pytest.raises(InvalidInput, match=named):
            found.intake.encode(row | {column: wrong})


def test_a_run_never_splits_a_column_and_its_folder_says_what_was_done(
    tmp_path: Path, small_recipe: Recipe, finish: Callable[[Recipe], Run]
) -> None:
    towns = np.array(["Ulm", "Bonn", "Kiel", "Jena", "Hof"])[RNG.permutation(N) % 5]
    loaded(tmp_path / "t.csv", frame(town=towns, nr=range(N)))
    settings = {"dataset": str(tmp_path / "t.csv"), "label": "species", "methods": ("ked",), "seeds": 1}
    recipe = small_recipe.without(**settings, superfeatures=3, epochs=1, teacher_epochs=3)
    run = finish(recipe)
    towns_are = {2, 3, 4, 5, 6}
    assert sorted(map(len, run.superfeatures().groups)) == [1, 1, 5]
    assert towns_are in map(set, run.superfeatures().groups)
    formed = [event["labels"] for event in run.events()[0] if event["kind"] == "forming"]
    assert formed
    assert all(len({labels[feature] for feature in towns_are}) == 1 for labels in formed)
    assert run.info["data"]["said"] == "3 of 4 columns used: 1 encoded; left out: `nr`, a row number."
    assert "3 of 4 columns used: 1 encoded; left out: “nr”, a row number." in report(run)
    with pytest.raises(InvalidInput, match=r"superfeatures = 4 is not allowed: t\.csv has 3 columns"):
        finish(recipe.without(superfeatures=4))
