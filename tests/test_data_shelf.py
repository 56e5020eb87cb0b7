"""The shelf: what is kept comes back as it was, under a name that says what is in it, and what is refused leaves nothing."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from explorer.blocks.data import upload
from ked import data
from ked.data import limits, own, user_files
from ked.data.byte_pixels import BytePixels
from ked.data.progress import listening
from ked.errors import InvalidInput, Unavailable
from ked.recipe import Recipe
from ked.runs.stage_keys import stage_keys
from ked.store import Run, create_run, load_run

Sentence = Callable[[str], str]


def table(rows: int = 30, label: str = "label") -> bytes:
    lines = [f"height,weight,{label}", *(f"{i}.5,{-i},{('cat', 'dog')[i % 2]}" for i in range(rows))]
    return "\n".join(lines).encode()


def pictures() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(12):
            picture = io.BytesIO()
            Image.fromarray(np.full((8, 8), 20 * i, np.uint8)).save(picture, "PNG")
            archive.writestr(f"{('dark', 'light')[i % 2]}/{i}.png", picture.getvalue())
    return packed.getvalue()


def arrays() -> bytes:
    packed = io.BytesIO()
    np.savez(packed, x=np.arange(60.0).reshape(20, 3), y=np.arange(20) % 2)
    return packed.getvalue()


FILES = {"Pets (2).csv": table(), "shades.zip": pictures(), "numbers.npz": arrays()}


@pytest.mark.parametrize("name", FILES)
def test_what_is_kept_is_loaded_as_the_file_itself_is(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    key = user_files.add(name, FILES[name])
    kept, direct = data.load(key), data.load(str(tmp_path / name))
    assert kept.name == key
    assert torch.equal(kept.x, direct.x)
    assert torch.equal(kept.y, direct.y)
    assert torch.equal(kept.train, direct.train)
    assert (kept.classes, kept.features, kept.shape) == (direct.classes, direct.features, direct.shape)
    read = own.as_read(hashlib.sha256(FILES[name]).hexdigest(), version=own.version(name))
    assert data.fingerprint(key) == data.fingerprint(str(tmp_path / name)) == read
    assert list(user_files.listed()) == [key]
    assert user_files.listed()[key].file == name


def test_another_class_column_is_kept_beside_the_file_and_is_other_data() -> None:
    content = table(label="species")
    key = user_files.add("pets.csv", content, "species")
    assert data.load(key).classes == ("cat", "dog")
    assert user_files.entry(key).label == "species"
    numbers = "\n".join(f"{i % 2},{i % 3},{i}" for i in range(30))
    one, other = (user_files.add("n.csv", f"a,label,b\n{numbers}".encode(), column) for column in ("a", "label"))
    assert one != other
    assert data.fingerprint(one) != data.fingerprint(other)
    with pytest.raises(InvalidInput, match="brings its own labels"):
        data.load(key, "height")


def test_the_same_content_is_there_once_whatever_the_file_is_called() -> None:
    key = user_files.add("pets.csv", table())
    assert user_files.add("Animals.CSV", table(), "label") == key
    assert user_files.add("pets.csv", table(32)) != key
    assert len(user_files.listed()) == 2


def test_the_same_bytes_under_another_ending_are_something_else() -> None:
    user_files.add("numbers.npz", FILES["numbers.npz"])
    with pytest.raises(InvalidInput, match="it holds no pictures in class folders"):
        user_files.add("numbers.zip", FILES["numbers.npz"])


@pytest.mark.parametrize(
    ("name", "content", "label", "named"),
    [
        ("pets.csv", table(), "species", "no column 'species' to hold the class"),
        ("pets.csv", b"", None, "0 bytes"),
        ("pets.xlsx", b"PK", None, "it cannot be read"),
        ("pets.zip", b"no zip", None, "not a zip"),
        ("pets.npz", b"\x80\x04no npz", None, "cannot be unpacked"),
        ("../../pets.csv", b"a,b\n", None, "'pets.csv'"),
        ("<b>x</b>.csv", b"a,b\n", None, "'b_.csv'"),
        ("pets", table(), None, "ending is ''"),
    ],
)
def test_a_refusal_is_a_sentence_and_leaves_nothing_behind(
    name: str, content: bytes, label: str | None, named: str, ked_home: Path, one_sentence: Sentence
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        user_files.add(name, content, label)
    assert named in one_sentence(str(refusal.value))
    assert [path for path in ked_home.rglob("*") if path.is_file()] == []
    assert list((ked_home / "data" / "own").iterdir()) == []


def test_a_full_shelf_says_so(monkeypatch: pytest.MonkeyPatch, one_sentence: Sentence) -> None:
    key = user_files.add("pets.csv", table())
    monkeypatch.setattr(limits, "SHELF_BYTES", len(table()) + 10)
    with pytest.raises(Unavailable) as refusal:
        user_files.add("more.csv", table(40))
    assert "delete some" in one_sentence(str(refusal.value))
    assert user_files.add("pets.csv", table()) == key


NO_NAMES = ["own:", "own:../../etc-0123456789", "own:pets", "own:Pets-0123456789", "own:pets-0123456789/..", "own:pets-0123456789\n"]


@pytest.mark.parametrize("key", NO_NAMES)
def test_what_is_no_name_is_refused_before_the_disk_is_touched(
    key: str, one_sentence: Sentence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_files.locations, "own_folder", lambda: pytest.fail("the disk was asked"))
    for act in (data.load, data.check, data.fingerprint, user_files.forget, user_files.entry):
        with pytest.raises(InvalidInput) as refusal:
            act(key)
        one_sentence(str(refusal.value).replace("\n", ""))
    with pytest.raises(InvalidInput):
        Recipe.make(dataset=key)


def test_data_that_are_not_on_this_machine_are_a_sentence_and_their_run_can_still_be_read(
    small_recipe: Recipe, finish: Callable[[Recipe], Run], one_sentence: Sentence
) -> None:
    key = user_files.add("pets.csv", table())
    run = finish(small_recipe.without(dataset=key, methods=("plain",), superfeatures=2, epochs=1, teacher_epochs=1, seeds=1))
    assert re.fullmatch("own-pets-[0-9a-f]{8}", run.id)  # without the letters that tell files apart
    user_files.forget(key)
    assert user_files.listed() == {}
    assert load_run(run.id).recipe.dataset == key
    assert run.status == "done"
    for act in (data.load, data.fingerprint, user_files.entry):
        with pytest.raises(Unavailable, match=key) as refusal:
            act(key)
        assert "python -m ked data add" in one_sentence(str(refusal.value))
    with pytest.raises(InvalidInput, match=key):
        user_files.forget(key)
    assert user_files.add("pets.csv", table()) == key


def test_a_file_that_was_changed_is_damaged_until_it_is_added_again(ked_home: Path, one_sentence: Sentence) -> None:
    key = user_files.add("pets.csv", table())
    (file,) = ked_home.rglob("pets.csv")
    file.write_bytes(table(40))
    with pytest.raises(Unavailable, match="not the file that was added"):
        data.load(key)
    assert user_files.add("pets.csv", table()) == key
    assert len(data.load(key).x) == 30


@pytest.mark.parametrize("about", ["", "[]", "{}", '{"file": "../../x.csv"}', "changed"])
def test_a_damaged_description_is_a_sentence_and_is_not_listed(about: str, ked_home: Path) -> None:
    key = user_files.add("pets.csv", table())
    (path,) = ked_home.rglob("about.json")
    known = json.loads(path.read_text())
    path.write_text(about if about != "changed" else json.dumps(known | {"file": "../pets.csv"}))
    assert user_files.listed() == {}
    with pytest.raises(Unavailable, match="damaged"):
        data.load(key)
    user_files.forget(key)


def test_a_stage_depends_on_the_content_and_its_class_column_not_on_the_name_of_the_file() -> None:
    content = "\n".join(["a,label,b", *(f"{i % 2},{i % 3},{i}" for i in range(30))]).encode()
    one, other = user_files.add("n.csv", content), user_files.add("n.csv", content, "a")
    keys = [stage_keys(Recipe(dataset=key))["teacher"] for key in (one, other)]
    assert keys[0] != keys[1]
    user_files.forget(one)
    again = user_files.add("another.csv", content)
    assert again != one
    assert stage_keys(Recipe(dataset=again))["teacher"] == keys[0]


@given(st.text(min_size=1, max_size=200))
def test_any_name_of_a_file_becomes_a_harmless_one_that_stays_itself(name: str) -> None:
    plain = user_files._plain(name)
    assert user_files._plain(plain) == plain
    assert 1 <= len(plain.encode()) <= 255
    assert not set(plain) & set("/\\<>&\"'`*$:[]\n\0")
    assert plain not in (".", "..")


def test_the_columns_of_a_file_are_read_without_keeping_it(ked_home: Path) -> None:
    assert user_files.columns("t.csv", "\ufeffä; size ;label\n1;2;x\n".encode()) == (("ä", "size", "label"), "label")
    assert user_files.columns("t.csv", table(5)) == (("height", "weight", "label"), "label")
    with pytest.raises(InvalidInput, match=r"'t\.csv' cannot be used.*has 0 bytes"):
        user_files.columns("t.csv", b"")
    assert [path for path in ked_home.rglob("*") if path.is_file()] == []


def test_many_pictures_are_decoded_once_and_mapped_ever_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ked.data.pixels.FEW", 5)
    heard: list[float] = []
    with listening(heard.append):
        key = user_files.add("shades.zip", pictures())
    assert heard[-1] == 1
    (tmp_path / "shades.zip").write_bytes(pictures())
    direct = data.load(str(tmp_path / "shades.zip"))
    monkeypatch.setattr("ked.data.own.load", lambda *_: pytest.fail("the file was read again"))
    found = data.load(key)
    assert isinstance(found.x, BytePixels)
    assert torch.equal(found.x.chosen(), direct.x + 0)
    assert (found.shape, found.classes, found.features) == (direct.shape, direct.classes, direct.features)
    for part in data.PARTS:
        assert torch.equal(getattr(found, part), getattr(direct, part))
    user_files.forget(key)
    assert list((tmp_path / "ked-home" / "data" / "own").iterdir()) == []


@pytest.mark.parametrize("damaged", ["x.npy", "about.npy", "names.json"])
def test_kept_pictures_that_are_damaged_are_decoded_again(damaged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ked.data.pixels.FEW", 5)
    key = user_files.add("shades.zip", pictures())
    before = data.load(key).x + 0
    (place,) = (tmp_path / "ked-home").rglob(damaged)
    for content in (b"", b"null", b"\x93NUMPY\1\0\0\0"):
        place.write_bytes(content)
        assert torch.equal(data.load(key).x + 0, before)


def test_upload_page_and_command_line_take_files_of_the_same_size() -> None:
    server = tomllib.loads((Path(upload.__file__).parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))["server"]
    assert upload.MEGABYTES == server["maxUploadSize"] == limits.FILE_BYTES / 2**20


@pytest.mark.parametrize("name", FILES)
def test_what_was_added_by_an_earlier_version_opens(name: str, ked_home: Path) -> None:
    key = user_files.add(name, FILES[name])
    before = data.load(key)
    place = ked_home / "data" / "own" / key.removeprefix("own:") / "about.json"
    about = json.loads(place.read_text("utf-8"))
    place.write_text(json.dumps({field: about[field] for field in ("file", "label", "sha256", "size", "added")}), "utf-8")
    assert torch.equal(data.load(key).x, before.x)
    assert data.fingerprint(key)


def test_a_table_that_was_added_before_columns_were_judged_is_read_as_it_was(ked_home: Path) -> None:
    content = "\n".join(["row,a,label", *(f"{i},{i * i % 7},{'xy'[i % 2]}" for i in range(30))]).encode()
    key = user_files.add("old.csv", content)
    assert data.load(key).features == ("a",)
    (path,) = ked_home.rglob("about.json")
    about = json.loads(path.read_text())
    as_it_was = {name: value for name, value in about.items() if name not in ("drop", "keep", "notes", "visitor")}
    path.write_text(json.dumps(as_it_was))
    assert data.load(key).features == ("row", "a")
    assert data.fingerprint(key) == own.as_read(about["sha256"]) == f"{about['sha256']} 2"


def test_a_run_of_a_file_from_before_columns_were_judged_opens_with_all_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("\n".join(["row,a,label", *(f"{i},{i * i % 7},{'xy'[i % 2]}" for i in range(30))]))
    run = create_run(Recipe(dataset=str(path)))
    assert run.recipe.keep == ()
    info = json.loads((run.folder / "run.json").read_text())
    del info["recipe"]["drop"], info["recipe"]["keep"]
    (run.folder / "run.json").write_text(json.dumps(info))
    recipe = run.recipe
    assert data.load(recipe.dataset, recipe.label, drop=recipe.drop, keep=recipe.keep).features == ("row", "a")
    assert stage_keys(recipe) != stage_keys(Recipe(dataset=str(path)))
