"""`python -m ked data`: a user's own data get a name, are trained on by it, and go away again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ked import cli
from ked.data import user_files
from ked.store import list_runs

Ked = Callable[..., tuple[int, str, str]]
FAST = ("--methods", "plain,ked", "--teacher-hidden", "8", "--student-hidden", "6", "--epochs", "1", "--teacher-epochs", "1")


@pytest.fixture
def ked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ked:
    """`ked("data", "list")`: exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ked", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(str(end.code or 0))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    path = tmp_path / "flowers.csv"
    lines = ["length,width,species", *(f"{i % 7}.5,{i % 11},{('rose', 'tulip')[i % 2]}" for i in range(60))]
    path.write_text("\n".join(lines))
    return path


def test_own_data_are_added_listed_trained_on_and_removed(ked: Ked, flowers: Path) -> None:
    code, out, _ = ked("data", "add", str(flowers), "--label", "species")
    (name,) = user_files.listed()
    assert (code, out) == (0, f"{name}: 36 train, 12 validation, 12 test samples, 2 features, 2 classes\n")
    flowers.unlink()
    listed = "".join(ked("data", "list")[1].split())
    assert name in listed
    assert "flowers.csv,classinthecolumnspecies." in listed
    assert ked("run", "--dataset", name, "--superfeatures", "2", *FAST)[0] == 0
    assert list_runs()[0].recipe.dataset == name
    assert ked("data", "remove", name) == (0, "", "")
    assert user_files.listed() == {}
    code, _, err = ked("run", "--dataset", name, "--superfeatures", "2", *FAST)
    assert (code, err.splitlines()[-1].startswith(f"ked: The data set '{name}' is not on this machine")) == (1, True)


WRONG = {
    "a file that is not there": ("data add {folder}/none.csv", "none.csv"),
    "a file of another kind": ("data add {folder}/other.pdf", "'.pdf'"),
    "a column that is not there": ("data add {folder}/flowers.csv --label specie", "did you mean 'species'"),
    "no name to remove": ("data remove flowers", "no name of own data"),
    "a path to remove": ("data remove own:../../x", "no name of own data"),
    "a name that is none there": ("data remove own:flowers-0123456789", "'own:flowers-0123456789'"),
    "a convolutional net for a table": (
        "run --dataset {folder}/flowers.csv --label species --net small-cnn --superfeatures 2", "(2,) are no pictures",
    ),
    "more superfeatures than columns": ("run --dataset {folder}/flowers.csv --label species --superfeatures 3", "has 2 features"),
    "another column for a name": ("run --dataset digits --label species", "no column 'species'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_done_with_own_data_exits_2_with_one_sentence(
    case: str, ked: Ked, flowers: Path, one_sentence: Callable[[str], str]
) -> None:
    (flowers.parent / "other.pdf").write_text("x")
    command, named = WRONG[case]
    code, out, err = ked(*command.format(folder=flowers.parent).split())
    assert (code, out) == (2, "")
    assert named in one_sentence(err.rstrip("\n").splitlines()[-1])
