"""The house rules, read off the source: who may import whom, where things must not be, how long a file may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("ked", "explorer", "pages")  # each may import from those before it and from itself
LIMIT = 300

SOURCES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
METHOD = [path for path in SOURCES if path.is_relative_to(ROOT / "ked")]
EVERYTHING = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), _name(path))


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its top or inside a function; `from a import b` gives a and a.b."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)} imports relatively, which hides the layer"
            yield from (node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names))


def _packages(path: Path) -> set[str]:
    return {module.split(".")[0] for module in _imports(path)}


def _calls(path: Path) -> Iterator[str]:
    """Every call's function as written: print, torch.load."""
    return (ast.unparse(node.func) for node in ast.walk(_tree(path)) if isinstance(node, ast.Call))


def test_there_is_something_to_look_at() -> None:
    assert {path.parent.name for path in SOURCES} >= set(LAYERS)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_imports_go_from_pages_to_explorer_to_ked_and_never_back(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    above = set(LAYERS[LAYERS.index(layer) + 1 :]) | {"tests", "conftest", "oracles"}
    assert not _packages(path) & above


@pytest.mark.parametrize("path", METHOD, ids=_name)
def test_the_method_draws_nothing_and_knows_no_browser(path: Path) -> None:
    assert not _packages(path) & {"streamlit", "plotly", "matplotlib", "playwright", "pytest"}


PICTURES = [path for path in SOURCES if path.is_relative_to(ROOT / "explorer" / "pictures")]


@pytest.mark.parametrize("path", PICTURES, ids=_name)
def test_pictures_are_made_without_streamlit(path: Path) -> None:
    assert "streamlit" not in _packages(path)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_captum_is_imported_in_one_room(path: Path) -> None:
    assert "captum" not in _packages(path) or path.is_relative_to(ROOT / "ked" / "attribution")


@pytest.mark.parametrize("path", METHOD, ids=_name)
def test_the_method_prints_nothing_but_on_the_command_line(path: Path) -> None:
    assert "print" not in set(_calls(path)) or path.is_relative_to(ROOT / "ked" / "cli")


UNPICKLING = {"torch.load", "np.load", "numpy.load", "joblib.load", "pd.read_pickle", "pandas.read_pickle"}


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_nothing_is_ever_unpickled(path: Path) -> None:
    assert "allow_pickle=True" not in path.read_text("utf-8")
    if path.parent != ROOT / "ked" / "data":  # some data sets come as pickles: those files guard themselves
        assert not _packages(path) & {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
        assert not set(_calls(path)) & UNPICKLING


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_streamlit_caches_live_in_one_file(path: Path) -> None:
    assert not any(call.startswith("st.cache_") for call in _calls(path)) or _name(path) == "explorer/cache.py"


def test_no_file_is_a_drawer_for_everything() -> None:
    assert not {path.stem for path in EVERYTHING} & {"utils", "util", "helpers", "helper", "common", "misc", "tools"}


@pytest.mark.parametrize("path", EVERYTHING, ids=_name)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LIMIT
