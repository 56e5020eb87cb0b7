"""The command line as scripts use it: the last line of stdout, exit codes, and one sentence on stderr."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Answer, Ked

from ked import bench, data
from ked.bench.growth import exponent
from ked.data import fashion_mnist
from ked.store import Run, list_runs, load_run

ROOT = Path(__file__).resolve().parent.parent
TINY = ["--teacher-hidden", "32,32", "--student-hidden", "12,12", "--seeds", "2", "--epochs", "2", "--teacher-epochs", "3"]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Fashion-MNIST, whose way to the net leads to a port where nobody listens."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("KED_DATA", str(tmp_path / "empty"))
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "no-such-folder")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(urllib.request, "_opener", None)  # urllib keeps its way to the net for whoever comes next


def _process(*arguments: str) -> Answer:
    command = [sys.executable, "-W", "error", "-m", "ked", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ, timeout=300, check=False)
    return Answer(done.returncode, done.stdout, done.stderr)


def _check_result(result: dict[str, object], small_run: Run) -> None:
    assert list(result) == ["run", "folder", "accuracy", "superfeature_sizes", "seconds"]
    accuracy = result["accuracy"]
    assert isinstance(accuracy, dict)
    assert list(accuracy) == ["teacher", "explaining", "plain", "kd", "ked"]
    assert all(isinstance(accuracy[name], float) for name in ("teacher", "explaining"))
    assert all(len(accuracy[name]) == 2 for name in ("plain", "kd", "ked"))
    assert isinstance(result["superfeature_sizes"], list)
    assert sum(result["superfeature_sizes"]) == 64
    assert isinstance(result["seconds"], dict)
    assert set(result["seconds"]) == set(small_run.info["seconds"])
    assert load_run(str(result["run"])) == Run(Path(str(result["folder"])))


def test_run_in_a_process_of_its_own_ends_with_one_json_object(small_run: Run) -> None:
    done = _process("run", "--dataset", "digits", "--methods", "plain,kd,ked", "--superfeatures", "4", *TINY, "--json")
    assert done.code == 0, done.err
    _check_result(done.result, small_run)
    assert len(done.out.splitlines()) == 1, "progress belongs on stderr"
    assert "student-ked" in done.err


def test_a_wrong_value_in_a_process_of_its_own_gives_one_sentence() -> None:
    done = _process("run", "--dataset", "imagenet", "--json")
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert "'imagenet'" in done.err
    assert ", ".join(data.SOURCES) in done.err


def test_options_reach_the_recipe(ked: Ked) -> None:
    options = {
        "--dataset": "digits",
        "--methods": "ked,plain",
        "--superfeatures": "3",
        "--seeds": "1",
        "--seed": "7",
        "--epochs": "1",
        "--teacher-epochs": "1",
        "--teacher-hidden": "16",
        "--student-hidden": "9",
        "--activation": "gelu",
        "--grouping": "grid",
        "--reduce": "mean_abs",
        "--scale": "std",
        "--engine": "scikit-network",
        "--batch-size": "64",
        "--teacher-batch-size": "65",
        "--lr": "0.01",
        "--temperature": "4",
        "--tau": "5",
        "--lambda": "0.6",
        "--mu": "0.5",
        "--device": "cpu",
    }
    answer = ked("run", *(part for option in options.items() for part in option), "--json")
    assert answer.code == 0, answer.err
    recipe = load_run(str(answer.result["run"])).recipe
    assert recipe.methods == ("plain", "ked")
    assert (recipe.superfeatures, recipe.seed_list, recipe.grouping, recipe.reduce) == (3, (7,), "grid", "mean_abs")
    assert (recipe.teacher_hidden, recipe.student_hidden, recipe.activation) == ((16,), (9,), "gelu")
    assert (recipe.scale, recipe.engine, recipe.device) == ("std", "scikit-network", "cpu")
    assert (recipe.batch_size, recipe.teacher_batch_size, recipe.epochs, recipe.teacher_epochs) == (64, 65, 1, 1)
    assert (recipe.lr, recipe.temperature, recipe.tau, recipe.lam, recipe.mu) == (0.01, 4.0, 5.0, 0.6, 0.5)


def test_run_without_json_draws_a_table_for_people(ked: Ked) -> None:
    answer = ked("run", "--methods", "plain", "--teacher-hidden", "8", "--teacher-epochs", "1", "--epochs", "1")
    assert answer.code == 0
    assert "test accuracy" in answer.out
    assert "plain" in answer.out


WRONG = {
    "unknown data set": ("--dataset imagenet", "'imagenet'", "digits, digit-pairs"),
    "no superfeature": ("--superfeatures 0", "superfeatures = 0", "greater than or equal to 1"),
    "more superfeatures than features": ("--superfeatures 65", "superfeatures = 65", "64 features"),
    "negative epochs": ("--epochs -3", "epochs = -3", "greater than or equal to 0"),
    "unknown method": ("--methods plain,magic", "'magic'", "plain, kd"),
    "no method": ("--methods ,", "''", "plain, kd"),
    "widths that are no numbers": ("--teacher-hidden 20,many", "'20,many'", "500,500"),
    "a width of zero": ("--student-hidden 20,0", "(20, 0)", "at least one unit"),
    "unknown grouping": ("--grouping by-hand", "'by-hand'", "hessian"),
    "lambda above one": ("--lambda 1.5", "1.5", "less than or equal to 1"),
    "a temperature that is no number": ("--temperature nan", "nan", "finite"),
    "no such device": ("--device tpu", "'tpu'", "cpu"),
    "too many superfeatures for the net": (
        "--superfeatures 60 --student-hidden 1 --teacher-hidden 8 --teacher-epochs 0 --methods ked",
        "60 superfeatures",
        "fewer",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_exits_2_with_one_sentence(ked: Ked, case: str, one_sentence: Callable[[str], str]) -> None:
    options, named, allowed = WRONG[case]
    answer = ked("run", *options.split(), "--json")
    assert (answer.code, answer.out) == (2, "")
    sentence = answer.err.rstrip("\n").splitlines()[-1]
    assert "Traceback" not in answer.err
    assert sentence.startswith("ked: ")
    one_sentence(sentence)
    assert named in sentence
    assert allowed in sentence


@pytest.mark.parametrize("option", ["--epochs many", "--superfeatures 2.5", "--lr fast", "--colour red"])
def test_what_is_no_option_or_no_number_exits_2_without_a_traceback(ked: Ked, option: str) -> None:
    answer = ked("run", *option.split())
    assert answer.code == 2
    assert option.split()[0] in answer.err
    assert "Traceback" not in answer.err


def test_an_unknown_benchmark_exits_2_with_one_sentence(ked: Ked, one_sentence: Callable[[str], str]) -> None:
    answer = ked("bench", "everything", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert "'everything'" in one_sentence(answer.err.rstrip("\n"))
    assert all(name in answer.err for name in bench.BENCHMARKS)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("command", ["run --dataset fashion-mnist --json", "data fetch fashion-mnist"])
def test_fashion_mnist_that_cannot_be_had_exits_1_with_one_sentence(ked: Ked, command: str) -> None:
    answer = ked(*command.split())
    assert (answer.code, answer.out) == (1, "")
    assert "KED_DATA" in answer.err
    assert "Traceback" not in answer.err
    assert len(answer.err.rstrip("\n").splitlines()[-1]) > 50
    assert all(
        run.status == "failed" for run in list_runs() if run.recipe.dataset == "fashion-mnist" and "preset" not in run.id
    )


def test_an_unknown_data_set_to_fetch_exits_2(ked: Ked) -> None:
    answer = ked("data", "fetch", "imagenet")
    assert answer.code == 2
    assert "imagenet" in answer.err


@pytest.mark.parametrize("home", ["a file", "below a file", "/proc/ked"])
def test_a_run_folder_that_cannot_be_written_exits_1_with_one_sentence(
    ked: Ked, home: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, one_sentence: Callable[[str], str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    places = {"a file": tmp_path / "file", "below a file": tmp_path / "file" / "home", "/proc/ked": Path("/proc/ked")}
    monkeypatch.setenv("KED_HOME", str(places[home]))
    answer = ked("run", *TINY, "--json")
    assert (answer.code, answer.out) == (1, "")
    assert "cannot be written" in one_sentence(answer.err.rstrip("\n"))
    assert str(places[home]) in answer.err


def test_data_list_names_every_source(ked: Ked) -> None:
    answer = ked("data", "list")
    assert answer.code == 0
    assert all(name in answer.out for name in data.SOURCES)


def test_data_fetch_says_what_is_there(ked: Ked) -> None:
    answer = ked("data", "fetch", "digits")
    assert (answer.code, answer.err) == (0, "")
    assert "64 features" in answer.out


def test_no_arguments_give_help(ked: Ked) -> None:
    answer = ked("--help")
    assert answer.code == 0
    assert all(command in answer.out for command in ("run", "data", "bench", "app"))


def test_every_benchmark_is_in_the_table_and_the_fast_one_measures_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(bench.BENCHMARKS) == [
        "dependency", "communities", "training", "loop", "shapley", "chimeras", "growth",
        "branches", "hints", "agreement", "steering", "own-nets", "jobs",
    ]  # fmt: skip
    order: list[str] = []
    times = bench.alternate({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3)
    assert order == ["a", "b"] * 3
    assert 0 <= min(times.values()) < 0.1


def test_growth_finds_the_exponent_of_a_power_law() -> None:
    assert exponent([1, 10, 100], [3.0, 30.0, 300.0]) == pytest.approx(1)
    assert exponent([2, 4, 8, 16], [5 * size**2.5 for size in (2, 4, 8, 16)]) == pytest.approx(2.5)
    assert exponent([1, 4, 16], [0.2, 0.2, 0.2]) == pytest.approx(0, abs=1e-12)
