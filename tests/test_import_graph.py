"""The reader of imports finds what it has to find, in a small project made here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from import_graph import Import, ImportGraph, circle, room_of

Draw = Callable[[Mapping[str, str]], ImportGraph]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """`draw({"a/b.py": "import a.c"})`: the graph of a project of these files, in the folders `low` and `high`."""

    def write(files: Mapping[str, str]) -> ImportGraph:
        for name, text in {"low/__init__.py": "", "high/__init__.py": "", **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return ImportGraph(tmp_path, ("low", "high"))

    return write


def pairs(graph: ImportGraph) -> set[tuple[str, str]]:
    return {(found.importer, found.imported) for found in graph.imports}


def among_files(graph: ImportGraph) -> list[Import]:
    return circle(((found.importer, found.imported), found) for found in graph.imports if not found.typing)


def test_an_import_is_found_wherever_and_however_it_is_written(draw: Draw) -> None:
    graph = draw(
        {
            "low/a.py": "import os.path\nfrom low import b, c as other\nfrom low.d import word\n",
            "low/b.py": "def late():\n    if True:\n        import high.x\n",
            "low/c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from low.d import word\n",
            "low/d.py": "word = 1\n",
            "high/x.py": "try:\n    import low.d as here\nexcept ImportError:\n    here = None\n",
        }
    )
    assert pairs(graph) == {
        ("low.a", "os"), ("low.a", "low.b"), ("low.a", "low.c"), ("low.a", "low.d"),
        ("low.b", "high.x"), ("low.c", "typing"), ("low.c", "low.d"), ("high.x", "low.d"),
    }  # fmt: skip
    assert [str(found) for found in graph.imports if found.imported == "high.x"] == ["low/b.py:3: low.b imports high.x"]
    assert [found.imported for found in graph.imports if found.typing] == ["low.d"]


def test_a_name_that_a_stub_hands_on_is_an_import_of_where_it_comes_from(draw: Draw) -> None:
    graph = draw(
        {
            "low/__init__.pyi": "from .deep import word as word\nfrom .deep.well import water as drink\n",
            "low/deep/__init__.py": "",
            "low/deep/__init__.pyi": "from .well import word as word\n",
            "low/deep/well.py": "word = water = 1\n",
            "high/x.py": "from low import word\n",
            "high/y.py": "from low import drink\n",
            "high/z.py": "import low\n",
        }
    )
    assert {imported for importer, imported in pairs(graph) if importer == "high.x"} == {"low", "low.deep", "low.deep.well"}
    assert {imported for importer, imported in pairs(graph) if importer == "high.y"} == {"low", "low.deep.well"}
    assert {imported for importer, imported in pairs(graph) if importer == "high.z"} == {"low", "low.deep", "low.deep.well"}
    assert graph.way("low.deep.well", ["low.deep.other"]) == []
    assert {found.imported for found in graph.imports if found.stub and found.importer == "low"} == {
        "low.deep",
        "low.deep.well",
    }


@pytest.mark.parametrize("size", [2, 3, 7])
def test_a_circle_of_files_is_found_however_long_and_named_import_by_import(draw: Draw, size: int) -> None:
    files = {f"low/f{at}.py": f"def late():\n    from low import f{(at + 1) % size}\n" for at in range(size)}
    graph = draw({**files, "low/outside.py": "from low import f0\n"})
    found = among_files(graph)
    assert {one.file for one in found} == set(files)
    assert all(one.imported == two.importer for one, two in zip(found, [*found[1:], found[0]], strict=True))
    assert among_files(draw({"low/f0.py": ""})) == []


def test_who_asks_its_own_packages_front_door_closes_a_circle(draw: Draw) -> None:
    front = {"low/__init__.pyi": "from .a import word as word\n", "low/a.py": "word = 1\n"}
    assert among_files(draw(front)) == []
    assert among_files(draw({**front, "low/a.py": "from low import word\n"}))


def test_rooms_make_a_circle_where_their_files_make_none(draw: Draw) -> None:
    files = {
        "low/up/a.py": "from low.down import b\n", "low/up/c.py": "", "low/up/__init__.py": "",
        "low/down/b.py": "", "low/down/d.py": "from low.up import c\n", "low/down/__init__.py": "",
    }  # fmt: skip
    graph = draw(files)
    assert among_files(graph) == []
    assert {found.file for found in circle(graph.between_rooms_of("low"))} == {"low/up/a.py", "low/down/d.py"}
    assert circle(graph.between_rooms_of("low.up")) == circle(graph.between_rooms_of("")) == []


@pytest.mark.parametrize(
    ("module", "package", "room"),
    [
        ("a.b.c", "a", "a.b"),
        ("a.b", "a", "a.b"),
        ("a", "a", "a"),
        ("a.b.c", "a.b", "a.b.c"),
        ("a.bc", "a.b", ""),
        ("a.b.c", "", "a"),
    ],
)
def test_a_room_is_the_direct_child_of_a_package(module: str, package: str, room: str) -> None:
    assert room_of(module, package) == room


def test_the_shortest_way_leads_through_others_and_through_the_packages_that_run_first(draw: Draw) -> None:
    graph = draw(
        {
            "high/a.py": "from high import b\n",
            "high/b.py": "from low.deep import c\nfrom high import d\n",
            "high/d.py": "import torch\n",
            "low/deep/__init__.py": "import torch\n",
            "low/deep/c.py": "",
            "low/e.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n",
        }
    )
    assert [found.file for found in graph.way("high.a", ["torch"])] == ["high/a.py", "high/b.py", "low/deep/__init__.py"]
    assert [found.file for found in graph.way("low.deep.c", ["torch"])] == ["low/deep/__init__.py"]
    assert graph.way("low.e", ["torch"]) == graph.way("high.a", ["tor", "low.e"]) == []
