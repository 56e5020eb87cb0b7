"""The wheel: built, installed beside nothing of the source, and used from an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Answer
from laboratory import Visitor, shown
from packaging.requirements import Requirement
from playwright.sync_api import expect
from served import served

import ked
from explorer.navigation import PAGES
from ked.runs.presets import RECIPES

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--teacher-hidden", "16", "--student-hidden", "8", "--seeds", "1", "--epochs", "1", "--teacher-epochs", "1"]
WITHOUT_EXTRAS = (
    "import sys; sys.modules |= dict.fromkeys(('streamlit', 'plotly', 'distributed')); from ked.cli import main; main()"
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", str(ROOT), "--no-build-isolation", "--wheel-dir", str(folder))
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel is installed in."""
    folder = tmp_path_factory.mktemp("installed")
    _pip("install", str(wheel), "--target", str(folder), "--no-compile")
    return folder


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--no-deps", "--quiet", "--disable-pip-version-check"]
    subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.fixture
def there(installed: Path, tmp_path: Path) -> Callable[..., Answer]:
    """`there("-c", ...)`: what Python answers with these arguments, from an empty folder, to somebody who has the wheel."""
    (tmp_path / "empty").mkdir()

    def ask(*arguments: str) -> Answer:
        env = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "300"}
        command = [sys.executable, "-P", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path / "empty", env=env, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        assert list((tmp_path / "empty").iterdir()) == []
        return Answer(done.returncode, done.stdout, done.stderr)

    return ask


def test_the_wheel_holds_two_packages_and_all_that_they_need(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"ked", "explorer", "ked_explorer"}
    assert f"ked_explorer-{ked.__version__}.dist-info/METADATA" in names
    wanted = {f"explorer/app_pages/{page}.py" for page in PAGES} | {f"ked/presets/{name}-preset/run.json" for name in RECIPES}
    wanted |= {"explorer/.streamlit/config.toml", "explorer/assets/icon.png", "explorer/py.typed", "ked/py.typed"}
    for top, packed in (("ked", "ked"), ("explorer", "explorer"), ("results", "ked/results")):
        kept = subprocess.run(["git", "ls-files", top], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split(
            "\n"
        )
        wanted |= {name.replace(top, packed, 1) for name in kept if name}
    assert wanted - set(names) == set()


def test_every_package_that_the_tests_pin_lies_in_the_range_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    ranges = {found.name: found.specifier for line in asked if (found := Requirement(line)).name != project["name"]}
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert ranges.keys() == pins.keys()
    assert [name for name, version in pins.items() if version not in ranges[name]] == []


def test_to_import_the_installed_library_is_enough(there: Callable[..., Answer], installed: Path) -> None:
    said = there("-c", "import ked; print(ked.__version__, ked.__file__)").out.split()
    assert said == [ked.__version__, str(installed / "ked" / "__init__.py")]


def test_the_command_line_runs_without_the_extras(there: Callable[..., Answer], ked_home: Path) -> None:
    assert "Train a teacher" in there("-c", WITHOUT_EXTRAS, "--help").out
    result = there("-c", WITHOUT_EXTRAS, "run", "--dataset", "digits", *TINY, "--json").result
    assert Path(str(result["folder"])) == ked_home / "runs" / str(result["run"])


def test_presets_and_results_come_with_the_wheel(there: Callable[..., Answer]) -> None:
    runs = there("-m", "ked", "runs").out
    assert [name for name in RECIPES if f"{name}-preset" not in runs] == []
    stored = there("-m", "ked", "study", "kd-vs-ked", "--stored", "--json").result
    assert stored["contrasts"]


WAIT = """
import time
from ked import Recipe, jobs
quick = {"teacher_hidden": (16,), "student_hidden": (8,), "seeds": 1, "epochs": 1, "teacher_epochs": 1}
run = jobs.submit(Recipe(dataset="digits", methods=("plain",), **quick))
while jobs.status(run) in ("queued", "running"):
    time.sleep(0.1)
print(jobs.status(run))
"""


def test_a_job_of_the_installed_library_is_computed_in_a_process_of_its_own(there: Callable[..., Answer]) -> None:
    assert there("-c", WAIT).out == "done\n"


def test_the_installed_app_has_its_icon_theme_pages_and_presets(
    installed: Path, home: Path, tmp_path: Path, visitor: Callable[..., Visitor]
) -> None:
    env = {"KED_HOME": str(home), "PYTHONPATH": str(installed)}
    with served("--port", "0", cwd=tmp_path, env=env, ked=[str(installed / "bin" / "ked")]) as app:
        page = visitor().page
        page.goto(f"{app.address}/superfeatures")
        shown(page, "Graph of 128 features")
        expect(page.get_by_role("combobox", name="Run")).to_have_value(re.compile("^digit-pairs-preset"))
        expect(page.get_by_test_id("stTopNavLink")).to_have_count(len(PAGES))
        icon = page.locator("link[rel='shortcut icon']").evaluate("link => link.href")
        assert page.request.get(icon).body() == (ROOT / "assets/icon.png").read_bytes()
        accent = page.evaluate("getComputedStyle(document.querySelector('.ked-plot')).getPropertyValue('--st-primary-color')")
        theme = tomllib.loads((ROOT / "explorer/.streamlit/config.toml").read_text("utf-8"))["theme"]
        assert accent.lower() == theme["light"]["primaryColor"].lower()
        page.goto(f"{app.address}/studies")
        expect(page.get_by_role("heading", name="What do explanations buy?")).to_be_visible()
    assert list(tmp_path.iterdir()) == []
