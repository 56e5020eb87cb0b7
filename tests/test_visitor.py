"""Who may change what: on one's own machine everything, on a server for others what one has started or brought oneself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest
from visitor import copy_of, figures, sound, visit

from explorer.state import visitor
from ked import jobs
from ked.data import user_files
from ked.files import locks
from ked.jobs import run_queue
from ked.recipe import Recipe
from ked.runs import steering
from ked.store import Run, create_run

SECRET = "0123456789abcdef" * 2
ME = hashlib.sha256(SECRET.encode()).hexdigest()[:16]
CSV = b"a,b,label\n" + b"".join(b"%d,%d,%d\n" % (i, i * i % 7, i % 2) for i in range(40))


@pytest.fixture
def comes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`comes(Host="a.example", ...)`: the browser's headers from now on, and its cookie of before."""

    def set_headers(**headers: str) -> None:
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        monkeypatch.setattr(visitor.st, "context", SimpleNamespace(headers=told, cookies={visitor.COOKIE: SECRET}, url=None))

    return set_headers


@pytest.fixture
def listens_to() -> Iterator[Callable[[str], None]]:
    """`listens_to(host)`: what this process's Streamlit believes its server does."""
    before = config.get_option("server.address")
    yield lambda host: config.set_option("server.address", host)
    config.set_option("server.address", before)


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


@pytest.mark.parametrize(
    ("listening", "headers", "others"),
    [
        ("localhost", {"Host": "localhost:8501"}, False),
        ("127.0.0.1", {"Host": "127.0.0.1:8501"}, False),
        ("localhost", {"Host": "[::1]:8501"}, False),
        ("0.0.0.0", {"Host": "localhost:8501"}, True),
        ("localhost", {"Host": "class.example.org"}, True),
        ("localhost", {"Host": "localhost:8501", "X_Forwarded_For": "192.0.2.1"}, True),
    ],
)
def test_a_server_that_listens_further_or_stands_behind_a_proxy_is_one_for_others(
    listening: str, headers: dict[str, str], others: bool, comes: Callable[..., None], listens_to: Callable[[str], None]
) -> None:
    listens_to(listening)
    comes(**headers)
    assert visitor.among_others() is others
    assert (visitor.COOKIE in visitor.script()) is others
    for facts, mine in (({"visitor": ME}, True), ({"visitor": "somebody"}, False), ({}, False)):
        assert visitor.may_change(facts) is (mine or not others)


@pytest.mark.parametrize("mine", [True, False])
def test_only_whoever_started_a_run_is_offered_to_stop_it(
    mine: bool, comes: Callable[..., None], small_recipe: Recipe, at_work: Callable[[Run], Run]
) -> None:
    comes(Host="class.example.org")
    run = at_work(create_run(small_recipe, visitor=ME if mine else "somebody"))
    app = sound(visit("train", run=run.id), "train")
    assert ("Stop" in labels(app)) is mine
    assert (f"steer.{run.id}" in figures(app)) is mine
    assert (visitor.NOT_YOURS in [text.value for text in app.caption]) is not mine


@pytest.mark.parametrize("mine", [True, False])
def test_only_whoever_started_a_run_is_offered_to_rename_or_delete_it(
    mine: bool, comes: Callable[..., None], small_run: Run, ked_home: Path
) -> None:
    comes(Host="class.example.org")
    run = copy_of(small_run, ked_home)
    run.update(visitor=ME if mine else "somebody", status="cancelled")
    app = sound(visit("runs", compare=run.id), "runs")
    assert ({"Save", "Delete for good"} <= labels(app)) is mine
    assert (visitor.NOT_YOURS in [text.value for text in app.caption]) is not mine
    assert ("Resume training" in labels(sound(visit("train", run=run.id), "train"))) is mine


@pytest.mark.parametrize("mine", [True, False])
def test_only_whoever_brought_data_is_offered_to_delete_them(mine: bool, comes: Callable[..., None]) -> None:
    comes(Host="class.example.org")
    name = user_files.add("mine.csv", CSV, visitor=ME if mine else "somebody")
    app = sound(visit("data", data=name), "data")
    assert ("Delete for good" in labels(app)) is mine


def test_two_who_press_train_on_one_recipe_watch_one_run_unless_somebody_steers_it(small_recipe: Recipe) -> None:
    lock = locks.take(run_queue.folder() / ".worker", wait=False)  # nobody takes runs from the queue
    assert lock is not None
    first = jobs.submit(small_recipe, "me", shared=True)
    assert jobs.submit(small_recipe, "somebody", shared=True) == first
    assert jobs.submit(small_recipe.without(mu=0.1), "somebody", shared=True) != first
    assert jobs.submit(small_recipe, "somebody") != first
    jobs.cancel(first)
    second = jobs.submit(small_recipe, "me", shared=True)
    assert second != first
    for run in run_queue.waiting():
        steering.pause(Run(first.folder.parent / run.run))
    assert jobs.submit(small_recipe, "me", shared=True) not in (first, second)
    os.close(lock)

