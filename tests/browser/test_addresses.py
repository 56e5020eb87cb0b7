"""Addresses: every page opens by its own, first thing on a new server, and also where a proxy puts something before them all.

The server's program is one that its user may not write to: the tree of another user, or of a system's administrator.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from laboratory import LONG, Visitor, shown
from playwright.sync_api import Page, expect
from served import App, served
from stripping_proxy import stripping
from visitor import ROOT, TITLES

from explorer.navigation import PAGES


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the program that nobody may write to."""
    folder = tmp_path_factory.mktemp("program") / "program"
    for part in ("ked", "explorer", "pages", "assets", "results"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "fashion-mnist-preset"))
    places = [folder, *folder.rglob("*")]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    yield folder
    for place in places:
        place.chmod(0o755)


@pytest.fixture(scope="module")
def content(tree: Path) -> dict[str, int]:
    """What lies in that tree before anybody has started it."""
    return _content(tree)


@pytest.fixture(scope="module")
def plain(home: Path, tree: Path, content: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A server of that tree which nobody has visited, started in an empty folder."""
    env = {"KED_HOME": str(home), "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    with served("--port", "0", cwd=tmp_path_factory.mktemp("empty"), env=env) as app:
        yield app


@pytest.fixture(scope="module")
def under_a_path(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that has been told what stands before its addresses, as behind a proxy that keeps the prefix."""
    env = {"KED_HOME": str(home), "PYTHONPATH": str(ROOT), "STREAMLIT_SERVER_BASE_URL_PATH": "class/ked"}
    with served("--port", "0", cwd=tmp_path_factory.mktemp("empty"), env=env) as app:
        yield app.address


@pytest.fixture
def behind_a_proxy(plain: App) -> Iterator[str]:
    with stripping("/class/ked", urlsplit(plain.address).port or 0) as address:
        yield address


def _content(folder: Path) -> dict[str, int]:
    return {str(path): os.stat(path).st_mtime_ns for path in folder.rglob("*")}


def _is_open(page: Page, name: str) -> None:
    """The page is there, the menu is whole and marks it, and nothing was complained about."""
    expect(page.get_by_role("heading", name=TITLES[name])).to_be_visible()
    menu = page.get_by_test_id("stTopNavLink")
    expect(menu).to_have_text([re.compile(entry.title) for entry in PAGES.values()])
    expect(menu.filter(has_text=PAGES[name].title)).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.get_by_test_id("stException").all_inner_texts() == []


def test_every_page_opens_by_its_own_address_and_the_first_without_a_name_too(plain: App, visitor: Callable[..., Visitor]) -> None:
    page = visitor().page
    for address, name in [*((name, name) for name in reversed(PAGES)), ("", "overview")]:
        page.goto(f"{plain.address}/{address}?m=5")
        _is_open(page, name)
        expect(page).to_have_url(re.compile(f"{plain.address}/{address}[?]m=5$"))


@pytest.mark.parametrize("where", ["behind_a_proxy", "under_a_path"])
def test_figures_and_links_are_found_behind_a_proxy(
    where: str, request: pytest.FixtureRequest, visitor: Callable[..., Visitor]
) -> None:
    address = request.getfixturevalue(where)
    page = visitor().page
    page.goto(f"{address}/")
    shown(page, "Two digits side by side")
    page.get_by_test_id("stTopNavLink").filter(has_text="Train").click()
    _is_open(page, "train")
    assert urlsplit(page.url).path == f"{urlsplit(address).path}/train"
    shown(page, "Validation accuracy against epochs")
    page.goto(f"{address}/explain?i=3")
    _is_open(page, "explain")
    shown(page, "Class probabilities")
    page.get_by_role("link", name="What if a superfeature came from another sample?").click()
    _is_open(page, "chimeras")
    assert urlsplit(page.url).path == f"{urlsplit(address).path}/chimeras"


def test_behind_a_proxy_a_run_is_its_visitors_own_also_when_they_come_back(behind_a_proxy: str, visitor: Callable[..., Visitor]) -> None:
    me, other = visitor(), visitor()
    run = me.train(behind_a_proxy, LONG)
    assert other.train(behind_a_proxy, LONG) == run  # the same recipe: one run for both to watch
    expect(other.page.get_by_text("Somebody else started this")).to_be_visible()
    expect(other.button("stop")).to_have_count(0)
    me.page.reload()
    me.press("stop")
    other.says("stopped")


def test_a_tab_whose_server_is_gone_says_so_and_nothing_was_written_beside_the_program(
    plain: App, tree: Path, content: dict[str, int], visitor: Callable[..., Visitor]
) -> None:
    page = visitor().page
    page.goto(f"{plain.address}/explain")
    shown(page, "Class probabilities")
    os.kill(plain.pid, signal.SIGTERM)
    expect(page.get_by_role("dialog").filter(has_text="Connection error")).to_be_visible()
    assert _content(tree) == content  # whoever is root could have written all the same
