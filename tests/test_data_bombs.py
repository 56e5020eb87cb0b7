"""Own files that promise, or unpack to, far more than they are: what they say of themselves is checked before anything is read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from refusals import refused

from ked import data
from ked.data import limits, progress, user_files
from ked.errors import InvalidInput

X = np.random.default_rng(0).normal(size=(40, 6)).astype("<f4")
Y = np.arange(40) % 2


def npy(header: str | bytes, body: bytes, version: tuple[int, int] = (1, 0), length: int | None = None) -> bytes:
    """An array's file with any header."""
    content = header if isinstance(header, bytes) else header.encode()
    size = (len(content) if length is None else length).to_bytes(2 if version == (1, 0) else 4, "little")
    return b"\x93NUMPY" + bytes(version) + size + content + body


def header(shape: str = "(40, 6)", descr: str = "'<f4'", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}"


def npz(path: Path, x: bytes | None = None, y: bytes | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy(header(), X.tobytes()) if x is None else x)
        archive.writestr("y.npy", npy(header("(40,)", "'<i8'"), Y.tobytes()) if y is None else y)
    return path


# Headers of arrays

SHAPES = [
    "(True, 40)", "(40, False)", "(-40, 6)", "(40, -6)", "(40.0, 6)", "('40', 6)", "(None, 6)", "40", "[40, 6]", "()", "(40,)", "(40, 0)",
    "(40, 6, 1, 1, 1)", "(1,) * 70", f"({'1, ' * 100})", "(10**9, 10**9)", "(99999999999999999999999999, 6)", f"({'9' * 5000}, 6)",
    "(0, 6)",
    "(9223372036854775807, 9223372036854775807)", "(4294967296, 4294967296)", "(40, 6", "40, 6)", "((40, 6),)", "{40, 6}", "(40, 6j)",
]  # fmt: skip
DTYPES = [
    "'O'", "'|V4'", "'|V0'", "'<U0'", "'|S0'", "'<U1000000000'", "'<c8'", "'<M8[s]'", "'<m8[ns]'", "'|S6'", "'<U6'", "''", "'x4'",
    "'f4,f4'", "4", "None", "True", "[('a', '<f4')]", "[('a', '<f4', (2, 3))]", "[('a', 'O')]", "('<f4', (6,))", "('O', (6,))",
    "{'names': ['a'], 'formats': ['O']}", "[]", "'<f4' 'x'", "b'<f4'", "'\\udcff'",
]  # fmt: skip
WHOLE = {
    "brackets": "(" * 3058,
    "square brackets": "[" * 9000,
    "minus signs": "-" * 9000 + "1",
    "nothing": "",
    "blanks": " " * 9000,
    "a number": "7",
    "a text": "'x'",
    "too few keys": "{'descr': '<f4'}",
    "too many keys": header()[:-1] + ", 'more': 1}",
    "other keys": "{'a': 1, 'b': 2, 'c': 3}",
    "a list": "['descr', 'fortran_order', 'shape']",
    "a call": "__import__('os').system('x')",
    "a walk": "{'descr': '<f4', 'fortran_order': False, 'shape': (i := 40, 6)}",
    "a cut": header()[:-9],
    "zero bytes": header().replace("40", "\0"),
    "line breaks": header().replace(", ", ",\n\n\n") + "\n(",
    "an escape": header(descr="'\\N{BULLET}'"),
    "a wrong escape": header(descr="'\\d'"),
    "an order that is none": header(order="'C'"),
    "a number as order": header(order="1"),
    "too long": header() + " " * 20_000,
}


def one_sentence_about(path: Path) -> None:
    refused(path, "^The file 't.npz' cannot be used: [^\n]{1,250}$")


def test_an_array_of_no_sensible_shape_is_refused(tmp_path: Path) -> None:
    for shape in SHAPES:
        one_sentence_about(npz(tmp_path / "t.npz", x=npy(header(shape), X.tobytes())))
        if shape not in ("(40,)", "()"):
            one_sentence_about(npz(tmp_path / "t.npz", y=npy(header(shape, "'<i8'"), Y.tobytes())))


def test_an_array_of_anything_but_numbers_is_refused(tmp_path: Path) -> None:
    for dtype in DTYPES:
        one_sentence_about(npz(tmp_path / "t.npz", x=npy(header(descr=dtype).encode("utf-8", "surrogatepass"), X.tobytes())))
        if dtype != "'<U6'":
            one_sentence_about(npz(tmp_path / "t.npz", y=npy(header("(40,)", dtype).encode("utf-8", "surrogatepass"), bytes(4000))))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_a_header_of_anything_else_is_refused(version: tuple[int, int], tmp_path: Path) -> None:
    for whole in WHOLE.values():
        for key, body in (("x", X.tobytes()), ("y", Y.tobytes())):
            one_sentence_about(npz(tmp_path / "t.npz", **{key: npy(whole, body, version)}))


NO_ARRAYS = [b"", b"\x93NUMP", b"\x93NUMPY", b"\x93NUMPY\1\0", b"\x93NUMPY\1\0\xff\xff{", b"PK\3\4", b"\x80\x04cos\nsystem\n"]


@pytest.mark.parametrize("content", NO_ARRAYS)
def test_what_is_no_array_at_all_is_refused(content: bytes, tmp_path: Path) -> None:
    one_sentence_about(npz(tmp_path / "t.npz", x=content))
    one_sentence_about(npz(tmp_path / "t.npz", y=content))


@pytest.mark.parametrize("version", [(0, 0), (1, 1), (4, 0), (255, 255)])
def test_a_version_that_there_is_not_is_refused(version: tuple[int, int], tmp_path: Path) -> None:
    one_sentence_about(npz(tmp_path / "t.npz", x=npy(header(), X.tobytes(), version)))


def test_every_version_that_there_is_can_be_read(tmp_path: Path) -> None:
    plain = data.load(str(npz(tmp_path / "t.npz")))
    for version in ((2, 0), (3, 0)):
        assert np.array_equal(data.load(str(npz(tmp_path / "t.npz", x=npy(header(), X.tobytes(), version)))).x, plain.x)
    fortran = npy(header(order="True"), np.asfortranarray(X).tobytes("F"))
    assert np.array_equal(data.load(str(npz(tmp_path / "t.npz", x=fortran))).x, plain.x)


def test_a_header_of_gigabytes_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = npz(tmp_path / "t.npz", x=npy(header() + " " * 50_000_000, b"", (2, 0)))
    asked: list[int | None] = []
    read = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda file, n=-1: asked.append(n) or read(file, n))
    one_sentence_about(path)
    assert asked
    assert all(n is not None and 0 <= n < 100_000 for n in asked)


@pytest.mark.parametrize(
    ("x", "y", "named"),
    [
        (("(120000, 4000)", "'<f4'"), ("(120000,)", "'<i8'"), "120000 samples of 4000 features, which take 5.76 GB"),
        (("(2000000, 2)", "'<f4'"), ("(2000000,)", "'<i8'"), "2000000 samples"),
        (("(5000, 20000)", "'|i1'"), ("(5000,)", "'<i8'"), "20000 features"),
        (("(40, 3, 2000, 2000)", "'|u1'"), ("(40,)", "'<i8'"), "12000000 features"),
        (("(40, 6)", "'<f4'"), ("(40000000,)", "'|u1'"), r"y has the shape \(40000000,\)"),
        (("(40, 6)", "'<f4'"), ("(1000000000,)", "'<U0'"), r"y has the shape \(1000000000,\)"),
        (("(40, 6)", "'<f4'"), ("(40,)", "'<U2600000'"), "40 texts of up to 2600000 letters"),
    ],
)
def test_what_arrays_promise_is_checked_before_any_is_read(
    x: tuple[str, str], y: tuple[str, str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `bomb.npz`: a few kB that would unpack to gigabytes; the sizes in the archive's table are made up to fit."""
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("an array was read"))
    monkeypatch.setattr(limits.machine, "memory", lambda: 16 * 10**9)
    infos = zipfile.ZipFile.infolist

    def promised(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        found = infos(archive)
        for one in found:
            one.file_size = 1_930_000_000 if (one.filename == "x.npy") == ("U" not in y[1]) else 130_000_000
        return found

    path = npz(tmp_path / "t.npz", npy(header(*x), b""), npy(header(*y), b""))
    monkeypatch.setattr(zipfile.ZipFile, "infolist", promised)
    refused(path, named)


# Tables of contents


@pytest.mark.parametrize("ending", ["npz", "zip"])
def test_a_table_of_contents_that_is_too_long_is_not_read(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"t.{ending}"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(3000):
            archive.writestr(f"a/{i}", b"")
    monkeypatch.setattr(limits, "TABLE_BYTES", 100_000)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("the table was read"))
    refused(path, "its table of contents takes more than 100000 bytes")


def test_an_archive_may_have_more_in_front_and_a_comment_behind(tmp_path: Path) -> None:
    path = npz(tmp_path / "t.npz")
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"a comment"
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert len(data.load(str(path)).x) == 40


# Lines


def test_a_line_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LONGEST", 1000)
    (tmp_path / "t.csv").write_text("a,b,label\n" + "1,2,x\n" * 20 + "1" * 1001)
    refused(tmp_path / "t.csv", r"not in the CSV format \(line 22 has more than 1000 letters\)")
    (tmp_path / "t.csv").write_text(",".join(f"c{i}" for i in range(400)))
    refused(tmp_path / "t.csv", "line 1 has more than 1000 letters")
    for content in (b"a," * 600, b'"' + b"a\n" * 600, b'"a' * 600):
        with pytest.raises(InvalidInput, match=r"'t\.csv' cannot be used"):
            user_files.columns("t.csv", content)


def test_as_many_columns_as_a_line_can_name_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",".join(f"c{i}" for i in range(400_000)) + "\n")
    refused(tmp_path / "t.csv", "it has 400000 columns, but at most 12289")
    with pytest.raises(InvalidInput, match="400000 columns"):
        user_files.columns("t.csv", (tmp_path / "t.csv").read_bytes())


def test_a_table_of_too_many_values_is_read_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.machine, "memory", lambda: 8 * 12 * 100)
    (tmp_path / "t.csv").write_text("a,b,label\n" + "1,2,x\n" * 60 + "not a number,2,x\n")
    refused(tmp_path / "t.csv", "51 samples of 2 features.*50 such samples would fit")


# What a refusal repeats

LONG = "ab\ncd\u202e" * 30


@pytest.mark.parametrize(
    "content",
    [
        f'{LONG!r},b,label\n'.encode() + b"x,2,y\n" * 9,
        f'"{LONG}",b,label\n'.encode() + b"x,2,y\n" * 9,
        f'"{LONG}","{LONG}",label\n'.encode(),
        f'"{LONG}",b,c\n'.encode(),
        f'a,b,label\n1,"{LONG}",y\n'.encode(),
        f'a,b,"{LONG}"\n1,2,y\n'.encode(),
        b"a,b,label\n" + f'1,2,"{LONG}"\n'.encode() + b"1,2,x\n1,2,y\n" * 6,
        f'"{LONG}"\n'.encode(),
        ("1" * 200 + ",2\n").encode(),
    ],
)  # fmt: skip
def test_a_refusal_repeats_little_of_a_file_and_no_line_break(content: bytes, tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InvalidInput) as refusal:
        data.load(str(tmp_path / "t.csv"), LONG if b"abel" not in content else None)
    said = one_sentence(str(refusal.value))
    assert said.isprintable()
    assert len(said) < 300
    assert said.count("ab") <= 60


def test_a_refusal_repeats_little_of_names_in_archives(tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    names = [f"{LONG}/x", f"a/b/c/{LONG}", f"../{LONG}", f"cat/{LONG}"]
    for ending in ("npz", "zip"):
        for name in names:
            with zipfile.ZipFile(tmp_path / f"t.{ending}", "w") as archive:
                for i in range(6):
                    archive.writestr(f"{name}{i}", b"x")
                    archive.writestr(f"dog/{i}", b"x")
            with pytest.raises(InvalidInput) as refusal:
                data.load(str(tmp_path / f"t.{ending}"))
            said = one_sentence(str(refusal.value))
            assert said.isprintable()
            assert len(said) < 300


@pytest.mark.parametrize("name", [f"{LONG}.csv", f"{LONG}/x.csv", "x" * 500 + ".csv", "own:" + LONG, "x" * 500, LONG])
def test_a_refusal_repeats_little_of_the_name_that_was_asked_for(name: str, one_sentence: Callable[[str], str]) -> None:
    for act in (data.load, data.check, data.fingerprint, lambda key: user_files.add(key, b"x")):
        try:
            act(name)
        except InvalidInput as refusal:
            said = one_sentence(str(refusal))
            assert said.isprintable()
            assert len(said) < 500


def test_a_zip_of_zips_is_no_zip_of_pictures(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bytes(10_000_000))
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for i in range(12):
            archive.writestr(f"{'ab'[i % 2]}/{i}.zip", inner.getvalue())
    refused(tmp_path / "t.zip", "it holds no pictures in class folders")
