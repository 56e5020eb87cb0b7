"""The house rules, read off the source: who may import whom, where things must not be, how long a file may be.

An import counts wherever it stands, inside a function too. One under `if TYPE_CHECKING` counts for layers, floors and rooms,
which are about who may know whom; it never runs, so that it makes no circle of files and reaches nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from import_graph import ImportGraph, circle, inside, room_of

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("ked", "explorer", "pages")  # each may import from those before it and from itself
LIMIT = 300

FLOORS = {
    "ked": (
        ("errors", "shares", "statistics", "run_form"),
        ("showing",),
        ("files", "communities", "dependency", "explanation"),
        ("data", "nets", "groupings", "group_sums", "explaining"),
        ("settings", "hint_losses", "maps"),
        ("changes", "hints", "heard"),
        ("methods",),
        ("losses", "recipe"),
        ("run_tables",),
        ("store", "chimeras", "matching", "distillation"),
        ("training", "agreements", "what_if", "stage_cache"),
        ("runs", "attribution"),
        ("jobs",),
        ("library",),
        ("bench",),
        ("studies",),
        ("ked",),  # the front door: it hands on what stands below, and nothing below asks it
        ("cli",),
        ("__main__",),
    ),
    "explorer": (
        ("timeline", "words", "navigation", "entrance"),
        ("pictures", "state"),
        ("cache", "components", "study_results", "notebook"),
        ("replay",),
        ("report", "readme"),
        ("blocks",),
        ("app",),
    ),
}
"""The rooms of a layer from the ground up: a room imports only from rooms of the floors below its own."""

WITHOUT_STREAMLIT = ("explorer.pictures", "explorer.words", "explorer.timeline", "explorer.notebook")
SHARED_BLOCKS = ("frame", "controls", "choose", "nothing_yet", "explained_sample", "pair_answers", "share", "sheets", "what_it_means")
UNPICKLERS = {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
UNPICKLING = {"torch.load", "np.load", "numpy.load", "joblib.load", "pd.read_pickle", "pandas.read_pickle"}

GRAPH = ImportGraph(ROOT, LAYERS)
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def demand(offences: Iterable[object], remedy: str) -> None:
    """Fails with every offence on a line of its own, and what to do about it."""
    found = [str(offence) for offence in offences]
    assert not found, "\n".join([*found, f"-> {remedy}"])


def calls(path: Path) -> Iterator[tuple[str, str]]:
    """Every call's function as written (print, torch.load), and where it stands."""
    for node in ast.walk(GRAPH.trees[path]):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), f"{name(path)}:{node.lineno}"


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def floor(module: str, layer: str) -> int:
    """How high a module's room stands in its layer; an error that says where to write it where the picture lacks it."""
    room = room_of(module, layer).rpartition(".")[2]
    heights = [height for height, rooms in enumerate(FLOORS[layer]) if any(fnmatch(room, pattern) for pattern in rooms)]
    assert len(heights) == 1, f"{layer}/{room} has no floor of its own -> write it into FLOORS, above all that it imports"
    return heights[0]


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in GRAPH.files} == set(LAYERS)
    assert {found.importer for found in GRAPH.imports} >= {"pages.train", "explorer.blocks.frame", "ked.recipe", "ked"}


def test_imports_go_from_pages_to_explorer_to_ked_and_never_back() -> None:
    above = {layer: {*LAYERS[at + 1 :], "tests", *(path.stem for path in TESTS)} for at, layer in enumerate(LAYERS)}
    upwards = (found for found in GRAPH.imports if found.imported.split(".")[0] in above[found.importer.split(".")[0]])
    demand(upwards, "Move what is needed down into the layer that needs it, or hand it over as an argument.")


@pytest.mark.parametrize("layer", FLOORS)
def test_a_room_imports_only_from_the_floors_below_it(layer: str) -> None:
    among = (found for _, found in GRAPH.between_rooms_of(layer))
    upwards = (found for found in among if floor(found.importer, layer) <= floor(found.imported, layer))
    demand(upwards, "Ask the room below, move the shared part below both, or hand it over as an argument: see FLOORS.")


def test_no_files_import_each_other_in_a_circle() -> None:
    made = [((found.importer, found.imported), found) for found in GRAPH.imports if not found.typing]
    demand(circle(made), "Break the circle at one of these: move what both need into a file below them.")


def test_no_rooms_import_each_other_in_a_circle() -> None:
    for package in ("", *sorted(GRAPH.packages)):
        remedy = f"These rooms of {package or 'the project'} know each other: move what both need into a third below them."
        demand(circle(GRAPH.between_rooms_of(package)), remedy)


def test_imports_are_written_from_the_top() -> None:
    relative = (
        f"{name(path)}:{node.lineno}: {ast.unparse(node)}"
        for path in GRAPH.files
        if path.suffix == ".py"
        for node in ast.walk(GRAPH.trees[path])
        if isinstance(node, ast.ImportFrom) and node.level
    )
    demand(relative, "Write the module's whole name: a relative import hides the layer.")


def test_files_on_disk_know_nothing_of_what_is_in_them() -> None:
    ours = (found for found in GRAPH.imports if inside(found.importer, "ked.files") and inside(found.imported, "ked"))
    others = (found for found in ours if not inside(found.imported, "ked.files") and found.imported != "ked.errors")
    demand(others, "ked/files is the ground: what knows recipes, runs or data belongs above it.")


def test_training_can_be_lifted_out() -> None:
    demand(
        _ways(("ked.training",), ("ked.recipe", "ked.store", "ked.runs")),
        "Hand ked/training the values that it needs from there.",
    )


def test_pictures_and_words_are_made_without_streamlit() -> None:
    demand(_ways(WITHOUT_STREAMLIT, ("streamlit",)), "Let the page hand over what is drawn or said; these rooms run anywhere.")


def test_the_method_draws_nothing_and_knows_no_browser() -> None:
    outside = {"streamlit", "plotly", "matplotlib", "playwright", "pytest"}
    drawing = (found for found in GRAPH.imports if inside(found.importer, "ked") and found.imported in outside)
    demand(drawing, "ked hands out numbers: what draws them belongs into explorer.")


def test_the_blocks_of_a_page_know_no_other_page() -> None:
    shared = {f"explorer.blocks.{room}" for room in SHARED_BLOCKS}
    others = (found for (_, imported), found in GRAPH.between_rooms_of("explorer.blocks") if imported not in shared)
    demand(others, "Move what two pages need beside their folders and write it into SHARED_BLOCKS.")


def test_captum_is_imported_in_one_room() -> None:
    asked = (found for found in GRAPH.imports if found.imported == "captum" and not inside(found.importer, "ked.attribution"))
    demand(asked, "Ask ked.attribution, which knows Captum's ways and mends them.")


def test_the_method_prints_nothing_but_on_the_command_line() -> None:
    quiet = (path for path in GRAPH.files if inside(GRAPH.module_of(path), "ked") and not _speaks(GRAPH.module_of(path)))
    printing = (
        f"{place}: {call}"
        for path in quiet
        for call, place in calls(path)
        if call in {"print", "sys.stdout.write", "typer.echo"}
    )
    demand(printing, "Return or yield it; ked/cli says it.")


def _speaks(module: str) -> bool:
    return module == "ked.__main__" or inside(module, "ked.cli") or module.endswith(".__main__")


def test_nothing_is_ever_unpickled() -> None:
    allowed = (place for path in GRAPH.files for place in _allowing_pickles(path))
    readers = [
        path for path in GRAPH.files if path.parent != ROOT / "ked" / "data"
    ]  # some data come so: those files guard themselves
    modules = {GRAPH.module_of(path) for path in readers}
    imports = (found for found in GRAPH.imports if found.importer in modules and found.imported in UNPICKLERS)
    loads = (f"{place}: {call}" for path in readers for call, place in calls(path) if call in UNPICKLING)
    demand(
        [*allowed, *imports, *loads],
        "Read safetensors, JSON or npy files without pickles: a pickle runs what a stranger wrote.",
    )


def _allowing_pickles(path: Path) -> Iterator[str]:
    for node in ast.walk(GRAPH.trees[path]):
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            yield f"{name(path)}:{node.value.lineno}: allow_pickle"


def test_streamlit_caches_live_in_one_room() -> None:
    homes = tuple(path for path in GRAPH.files if room_of(GRAPH.module_of(path), "explorer").startswith("explorer.cache"))
    strays = (
        f"{name(path)}:{node.lineno}: {ast.unparse(node)}"
        for path in GRAPH.files
        if path not in homes
        for node in ast.walk(GRAPH.trees[path])
        if isinstance(node, ast.Attribute) and node.attr in {"cache_data", "cache_resource"}
    )
    demand(strays, "Remember it in explorer/cache, where everybody sees what is kept and for how long.")


def test_tables_are_shown_in_one_way() -> None:
    shown = (f"{place}: {call}" for path in GRAPH.files for call, place in calls(path) if call in {"st.dataframe", "st.data_editor"})
    strays = (found for found in shown if not found.startswith("explorer/components/table.py"))
    demand(strays, "Call explorer.components.table: on a phone a painted grid shows three columns of eight.")


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    demand((name(path) for path in [*GRAPH.files, *TESTS] if path.stem in drawers), "Name the file after the one thing in it.")


def test_files_stay_short() -> None:
    lengths = ((name(path), len(path.read_text("utf-8").splitlines())) for path in [*GRAPH.files, *TESTS])
    demand(
        (f"{file}: {lines} lines" for file, lines in lengths if lines > LIMIT), f"Split it by idea: {LIMIT} lines are enough."
    )


def _ways(rooms: Iterable[str], goals: Iterable[str]) -> Iterator[str]:
    """For every module of some rooms the chain of imports by which it reaches one of the goals."""
    goals = tuple(goals)
    for module in sorted(GRAPH.modules):
        if any(inside(module, room) for room in rooms) and (way := GRAPH.way(module, goals)):
            yield " ... ".join(map(str, way))
