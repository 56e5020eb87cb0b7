"""`ked app`: where it answers, whom it lets in, and what it refuses, in a sentence before anything is started."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from command_line import Ked
from served import served
from streamlit import config
from streamlit.testing.v1 import AppTest
from visitor import ROOT, visit

from explorer import entrance

OPEN = "Everybody who can reach this machine can use this app."


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine at which somebody else listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def test_a_taken_port_is_said_and_the_next_free_one_used(taken: int, ked_home: Path, tmp_path: Path) -> None:
    with served("--port", str(taken), cwd=tmp_path, env={"KED_HOME": str(ked_home), "PYTHONPATH": str(ROOT)}) as app:
        port = urlsplit(app.address).port
        assert port is not None
        assert port > taken
        assert f"Port {taken} is taken; the app answers at port {port}." in app.said
        assert OPEN not in app.said


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_a_host_that_is_none_of_this_machine_is_refused(host: str, ked: Ked, one_sentence: Callable[[str], str]) -> None:
    answer = ked("app", "--host", host)
    assert answer.code == 2
    assert repr(host) in one_sentence(answer.err.strip())


@pytest.mark.parametrize("command", [("app",), ("report", "digits-preset")])
def test_without_what_draws_a_command_says_how_to_get_it(
    command: tuple[str, ...], ked: Ked, monkeypatch: pytest.MonkeyPatch, one_sentence: Callable[[str], str]
) -> None:
    monkeypatch.setitem(sys.modules, "streamlit", None)
    answer = ked(*command)
    assert answer.code == 1
    assert "pip install 'ked-explorer[app]'" in one_sentence(answer.err.strip())


def _toasts(app: AppTest) -> list[str]:
    return [toast.value for toast in app.toast]


@pytest.fixture
def listens_to() -> Iterator[Callable[[str], None]]:
    """`listens_to(host)`: what this process's Streamlit believes its server does."""
    before = config.get_option("server.address")
    yield lambda host: config.set_option("server.address", host)
    config.set_option("server.address", before)


def test_the_first_visitor_of_an_open_server_is_told_and_nobody_else(listens_to: Callable[[str], None]) -> None:
    entrance._say_who_can_come.cache_clear()
    listens_to("localhost")
    assert _toasts(visit("data")) == []
    listens_to("0.0.0.0")
    assert [_toasts(visit("data")) for _ in range(2)] == [[OPEN], []]


def test_where_a_login_is_set_up_nobody_sees_a_page_without_one() -> None:
    app = AppTest.from_file(ROOT / "explorer/app.py", default_timeout=180)
    app.user = {"is_logged_in": False}
    app.run()
    assert [button.label for button in app.button] == ["Log in"]
    assert [title.value for title in app.title] == ["KED Explorer"]
    app.user = {"is_logged_in": True, "email": "a@example.org"}
    app.run()
    assert [title.value for title in app.title] == ["Not only what, but why"]
