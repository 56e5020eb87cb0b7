"""Who imports whom, read off the source: every import statement of every file, inside functions too."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One import: the file and line it stands in, who imports, and what: a module of ours or a package from outside.

    `stub`: it says what a package hands on when it is asked for. `typing`: it stands under `if TYPE_CHECKING` and never runs.
    """

    file: str
    line: int
    importer: str
    imported: str
    stub: bool = False
    typing: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.importer} imports {self.imported}"


class ImportGraph:
    """The imports of all files in some folders of a project: Python files, and the stubs that lazy packages hand names on by."""

    def __init__(self, root: Path, folders: Iterable[str]) -> None:
        self.root, self.folders = root, frozenset(folders)
        self.files = sorted(
            path for folder in self.folders for path in (root / folder).rglob("*.py*") if path.suffix in {".py", ".pyi"}
        )
        self.trees = {path: ast.parse(path.read_text("utf-8"), str(path)) for path in self.files}
        self.modules = frozenset(map(self.module_of, self.files))
        self.packages = frozenset(self.module_of(path) for path in self.files if path.stem == "__init__")
        self.handed_on = dict(name for path in self.files if path.suffix == ".pyi" for name in self._handed_on(path))

    def module_of(self, path: Path) -> str:
        """The name that a file is imported by; a package's is its folder's."""
        parts = path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _handed_on(self, path: Path) -> Iterator[tuple[str, str]]:
        package = self.module_of(path)
        for node in ast.walk(self.trees[path]):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield f"{package}.{alias.asname or alias.name}", f"{_base(node, package)}.{alias.name}"

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(found for path in self.files for found in self._imports_of(path))

    def _imports_of(self, path: Path) -> Iterator[Import]:
        importer, file, stub = self.module_of(path), path.relative_to(self.root).as_posix(), path.suffix == ".pyi"
        package = importer if path.stem == "__init__" else importer.rpartition(".")[0]
        for_typing = {id(node) for test in ast.walk(self.trees[path]) if _is_for_typing(test) for node in ast.walk(test)}
        for node in ast.walk(self.trees[path]):
            for imported in sorted({module for name in self._named(node, package) for module in self._modules(name)}):
                yield Import(file, node.lineno, importer, imported, stub, id(node) in for_typing)  # type: ignore[attr-defined]

    def _named(self, node: ast.AST, package: str) -> Iterator[str]:
        """What an import statement names, dotted: `from a import b` names a.b, `import a` all that a hands on."""
        if isinstance(node, ast.ImportFrom):
            yield from (f"{_base(node, package)}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            named = {alias.name for alias in node.names}
            yield from named
            yield from (name for name in self.handed_on if name.rpartition(".")[0] in named)

    def _modules(self, name: str) -> Iterator[str]:
        """The module that a dotted name stands in, and the one that it is handed on from; of what is not ours, the package."""
        if name.split(".")[0] not in self.folders:
            yield name.split(".")[0]
            return
        if name in self.handed_on and name not in self.modules:
            yield from self._modules(self.handed_on[name])
        while name not in self.modules and "." in name:
            name = name.rpartition(".")[0]
        yield name

    def between_rooms_of(self, package: str) -> Iterator[tuple[tuple[str, str], Import]]:
        """The imports among a package's modules, and the two of its rooms that each is between: a room is a direct child.

        What stands in the package's own `__init__` is a room too, by the package's name; "" is the project, whose rooms are the folders.
        """
        for found in self.imports:
            rooms = room_of(found.importer, package), room_of(found.imported, package)
            if rooms[0] and rooms[1] and rooms[0] != rooms[1] and found.imported in self.modules:
                yield rooms, found

    def way(self, start: str, goals: Iterable[str]) -> list[Import]:
        """The shortest chain of imports by which whoever imports `start` imports a goal or a part of it; none if there is none.

        To import a.b is to run a as well. What a stub hands on counts for those who ask for it by its name.
        """
        goals, chains, waiting = tuple(goals), dict[str, list[Import]]({start: []}), [start]
        for module in waiting:
            if any(inside(module, goal) for goal in goals):
                return chains[module]
            parts = module.split(".")
            for ran in (".".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
                for found in self._run_by.get(ran, ()):
                    if found.imported not in chains:
                        chains[found.imported] = [*chains[module], found]
                        waiting.append(found.imported)
        return []

    @cached_property
    def _run_by(self) -> dict[str, list[Import]]:
        """The imports that a module makes, at once or when its functions are called."""
        made: dict[str, list[Import]] = {}
        for found in self.imports:
            if not (found.stub or found.typing):
                made.setdefault(found.importer, []).append(found)
        return made


def circle(edges: Iterable[tuple[tuple[str, str], Import]]) -> list[Import]:
    """One circle of importers, as the imports that close it; none where there is no circle."""
    why = {pair: found for pair, found in edges if pair[0] != pair[1]}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for importer, imported in why:
        sorter.add(importer, imported)
    try:
        sorter.prepare()
    except CycleError as error:
        nodes = error.args[1][::-1]  # each imports the next one
        return [why[pair] for pair in pairwise(nodes)]
    return []


def inside(module: str, package: str) -> bool:
    """Whether a module is this package or a part of it."""
    return module == package or module.startswith(f"{package}.")


def room_of(module: str, package: str) -> str:
    """The direct child of a package that a module stands in: itself for the package; "" where it stands elsewhere."""
    depth = package.count(".") + 2 if package else 1
    return ".".join(module.split(".")[:depth]) if not package or inside(module, package) else ""


def _base(node: ast.ImportFrom, package: str) -> str:
    """The module that names are imported from."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def _is_for_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
