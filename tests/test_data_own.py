"""A user's own data: what is a path and what a name, what CSV files become, and how each wrong one is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from refusals import refused

from ked import data
from ked.data import limits, own
from ked.errors import InvalidInput

# ---------------------------------------------------------------- names and paths


def test_a_known_name_is_never_a_path_and_a_path_never_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").write_text("not digits")
    (tmp_path / "wine.csv").write_text(_csv())
    assert data.load("digits").feature_count == 64
    assert data.load("wine.csv").name == "wine.csv"
    refused("./digits", "ending is ''.*only .csv, .*.npz, .zip")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nothing.csv", r"no file 'nothing\.csv'.*CSV"),
        ("no/where", "no file 'no/where'"),
        ("folder", "The folder 'folder' cannot be used: it holds no pictures in class folders"),
        ("table.xlsx", "'table.xlsx' cannot be used: it cannot be read"),
        ("table.ods", r"ending is '\.ods'"),
        ("empty.csv", "has 0 bytes.*1 to"),
        ("x\0.csv", "cannot be opened"),
        ("~nobody-of-this-name/x.csv", "cannot be opened"),
        ("a" * 5000 + ".csv", "cannot be opened"),
        ("a" * 5000, "no data set"),
    ],
)
def test_what_is_no_usable_file_isrefused(text: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "table.xlsx").write_text("x")
    (tmp_path / "table.ods").write_text("x")
    (tmp_path / "empty.csv").touch()
    refused(text, named)


def test_a_file_that_is_too_large_isrefused(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(limits.FILE_BYTES + 1)  # sparse: it takes no room
    refused(path, f"has {limits.FILE_BYTES + 1} bytes")


def test_a_fingerprint_is_of_the_content_and_of_a_known_name_the_name(tmp_path: Path) -> None:
    one, same, other = (tmp_path / f"{name}.csv" for name in ("one", "same", "other"))
    one.write_text("a"), same.write_text("a"), other.write_text("b")
    assert data.fingerprint(str(one)) == data.fingerprint(str(same)) != data.fingerprint(str(other))
    assert data.fingerprint("digits") == "digits"
    assert data.fingerprint(str(one)) == f"{hashlib.sha256(b'a').hexdigest()} {own.READERS_VERSION}"  # other numbers, other results
    with pytest.raises(InvalidInput, match="'nonsense'"):
        data.fingerprint("nonsense")


def test_whether_a_text_is_a_path_is_seen_without_reading() -> None:
    data.check("digits")
    data.check("anywhere/mine.csv")
    with pytest.raises(InvalidInput, match="'digit'"):
        data.check("digit")
    assert not own.looks_like_path("mnist")


# ---------------------------------------------------------------- CSV


def _csv(rows: int = 20, delimiter: str = ",") -> str:
    lines = [["height", "weight", "label"], *([f"{i}.5", f"-{i}e-1", ("cat", "dog")[i % 2]] for i in range(rows))]
    return "\n".join(delimiter.join(line) for line in lines) + "\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_is_a_standardised_table_split_with_equal_class_shares(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "pets.csv").write_text(_csv(100, delimiter), encoding="utf-8-sig")
    pets = data.load(str(tmp_path / "pets.csv"))
    assert (pets.name, pets.shape, pets.classes, pets.features) == ("pets.csv", (2,), ("cat", "dog"), ("height", "weight"))
    raw = torch.stack([torch.arange(100) + 0.5, -torch.arange(100) / 10], dim=1).double()
    train = raw[pets.train]
    assert torch.allclose(pets.x.double(), (raw - train.mean(0)) / train.std(0, correction=0), atol=1e-5)
    assert pets.y.tolist() == [0, 1] * 50
    for part, count in (("train", 30), ("validation", 10), ("test", 10)):
        assert pets.part(part)[1].bincount().tolist() == [count, count]
    assert torch.equal(pets.train, data.load(str(tmp_path / "pets.csv")).train)


def test_another_column_can_be_the_class_and_numbered_classes_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    lines = ["a,size,b", *(f"{i}.5,{i % 12},{-i}" for i in range(72))]
    (tmp_path / "t.CSV").write_text("\r\n".join(lines))
    table = data.load(str(tmp_path / "t.CSV"), label="size")
    assert table.classes == tuple(str(i) for i in range(12))
    assert table.features == ("a", "b")


def test_classes_stand_by_number_and_then_by_name_whatever_they_are_called(tmp_path: Path) -> None:
    names = ("10", "a", "inf", "9", "B", "1e1", "-2.5", "nano", "NaNs", "infinite")
    (tmp_path / "t.csv").write_text("a,b,label\n" + "".join(f"{i}.5,{i * i % 7}, {names[i % 10]}{' ' * (i % 3)}\n" for i in range(60)))
    table = data.load(str(tmp_path / "t.csv"))
    assert table.classes == ("-2.5", "9", "10", "1e1", "inf", "B", "NaNs", "a", "infinite", "nano")
    assert [table.classes[y] for y in table.y] == [names[i % 10] for i in range(60)]


def test_a_class_whose_name_is_no_number_though_it_reads_as_one_stands_among_the_words() -> None:
    labels = [name for name in ("b", "nan", "7", "a") for _ in range(5)]
    for order in (labels, labels[::-1], labels[7:] + labels[:7]):
        assert limits.numbered(Path("t.npz"), order)[1] == ("7", "a", "b", "nan")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (_csv().replace("\n3.5", "\n1,5"), "line 5 has 4 values.*lines before it have 3"),
        (_csv().replace("dog", "cat"), "has 1 class, but 2 to 1000"),
        (_csv().replace("cat", "").replace("dog", "?"), "no row has a class"),
        (_csv(0), "has 0 samples"),
        ("label\na\nb\n", "it has 1 column, but .* at least two"),
        ("1,2,3\n4,5,6\n", "column 1, column 2, column 3, of which none looks like classes.*--label chooses it"),
        ("a,,label\n", "has 0 samples"),
        ("\n\n", "has 0 columns"),
        ('a,"b,label\n1,2,3', "has 0 samples"),
        (_csv() + '1,"2,cat\n', "not in the CSV format"),
    ],
)
def test_a_csv_file_that_cannot_be_used_isrefused(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    refused(tmp_path / "t.csv", f"'t.csv' cannot be used.*{named}")


def test_a_csv_file_with_too_many_samples_isrefused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text(_csv())
    monkeypatch.setattr(limits, "SAMPLES", 19)
    refused(tmp_path / "t.csv", "20 samples.*1 to 19")
    monkeypatch.setattr(limits, "SAMPLES", 20)
    monkeypatch.setattr(limits.machine, "memory", lambda: 8 * 12 * 39)
    refused(tmp_path / "t.csv", "20 samples of 2 features.*19 such samples would fit")
    monkeypatch.setattr(limits, "FEATURES", 1)
    refused(tmp_path / "t.csv", "3 columns.*at most 2")


def test_a_csv_column_that_does_not_exist_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(_csv())
    refused(tmp_path / "t.csv", "no column 'species' to hold the class", label="species")
    refused(tmp_path / "t.csv", "did you mean 'height'", label="hieght")
