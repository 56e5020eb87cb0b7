"""How quickly a class sees the lecturer's moves: `python tests/benchmarks/followers.py [FOLLOWERS ...]`, by default 1, 10 and 40.

Prints a line of JSON for each class. Needs no browser: a follower says and hears what Streamlit's page in a browser would. A server
and a $KED_HOME of its own are started and thrown away; every view is new to the server, so somebody has to compute it.

- median, worst: seconds from the lecturer's move to the end of the run that shows it to a follower, over followers and moves, of moves
  within a page (*setting*) and to another one (*page*). Followers share the machine with the server: compare with
  a class of one.
- server_seconds_per_view: processor time of the server for one move of one follower.
- server_load_at_rest: processor seconds a second while nothing moves; ticks_per_second: how many questions it answers then.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import psutil
import websockets
from streamlit.proto.AutoRerun_pb2 import AutoRerun
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.typing import Subprotocol

from explorer.state import following
from explorer.state.settings import from_url, to_url

ROOT = Path(__file__).resolve().parents[2]
PORT, TOKEN, ROUNDS, REST = 8690, "benchmrk", 2, 10.0
DRAWN = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)  # said of a page, too, where a tick follows


def moves(numbers: Iterator[int]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """To a page and within it, there and back; each view is one that nobody has seen."""
    for page, kind in ROUNDS * [(page, kind) for page in ("superfeatures", "explain") for kind in ("page", "setting")]:
        number = next(numbers)
        asked = {"data": "digits", "i": str(number), "m": str(2 + number % 15), "reduce": ("abs_mean", "mean_abs")[number // 15 % 2]}
        yield kind, page, to_url(from_url(asked)[0])


class Follower:
    """One tab of the class, as far as the server can tell."""

    def __init__(self, address: str) -> None:
        self._address, self._query, self._hash, self._page = address, urlencode({"data": "digits", "follow": TOKEN}), "", "superfeatures"
        self._pages, self._states, self._clocks = dict[str, str](), dict[str, str](), dict[str, asyncio.Task[None]]()
        self._cached: dict[str, int] = {}  # hash of a large message -> the run that it came with
        self._said, self._run = 0, 0
        self._shown, self._shown_at = dict[str, list[str]](), 0.0
        self.ticks, self.changed = 0, asyncio.Event()

    async def stay(self) -> None:
        """Open the page and follow until cancelled."""
        stream, asked = f"ws://{self._address}/_stcore/stream", [Subprotocol("streamlit")]  # a browser asks for no sign of life
        async with websockets.connect(stream, subprotocols=asked, max_size=None, ping_interval=None) as self._line:
            await self._ask(page_name=self._page)
            async for message in self._line:
                await self._take_in(ForwardMsg.FromString(message))

    async def sees(self, page: str, query: dict[str, str]) -> float:
        """When this follower has been shown a view."""
        while self._page != page or any(self._shown.get(key) != [text] for key, text in query.items()):
            self.changed.clear()
            await self.changed.wait()
        return self._shown_at

    async def _take_in(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if message.metadata.cacheable:
            self._cached[message.hash] = self._run
        if kind == "new_session":
            self._hash = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self._stop(list(self._clocks))
        elif kind == "navigation":
            self._pages = {page.page_script_hash: page.url_pathname for page in message.navigation.app_pages}
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._clocks[message.auto_rerun.fragment_id] = asyncio.create_task(self._tick(message.auto_rerun))
        elif kind == "stop_auto_rerun":
            self._stop(message.stop_auto_rerun.fragment_ids)
        elif kind == "delta" and message.delta.new_element.bidi_component.component_name == "ked_echo":
            await self._echo(message.delta.new_element.bidi_component)
        elif kind == "script_finished":
            if message.metadata.run.fragment_ids:
                self.ticks += 1
            elif message.script_finished in DRAWN:
                self._drawn()

    def _drawn(self) -> None:
        self._run += 1
        self._cached = {name: run for name, run in self._cached.items() if self._run - run <= 2}
        self._page, self._shown, self._shown_at = self._pages[self._hash], parse_qs(self._query), time.perf_counter()
        self.changed.set()

    async def _echo(self, component: Any) -> None:
        asked = json.loads(component.json)
        if asked["run"] != self._said:
            self._said, self._states[component.id] = asked["run"], json.dumps({"word": asked["word"]})
            await self._ask()

    async def _tick(self, clock: AutoRerun) -> None:
        while True:
            await asyncio.sleep(clock.interval)
            await self._ask(fragment_id=clock.fragment_id, is_auto_rerun=True)

    def _stop(self, fragments: Any) -> None:
        for fragment in fragments:
            if clock := self._clocks.pop(fragment, None):
                clock.cancel()

    async def _ask(self, **request: Any) -> None:
        asked = (message := BackMsg()).rerun_script
        asked.query_string, asked.page_script_hash = self._query, "" if "page_name" in request else self._hash
        asked.context_info.url = f"http://{self._address}/{self._page}"
        asked.cached_message_hashes.extend(self._cached)
        for name, value in request.items():
            setattr(asked, name, value)
        for widget, value in self._states.items():
            asked.widget_states.widgets.add(id=widget, json_value=value)
        await self._line.send(message.SerializeToString())


@contextlib.contextmanager
def served() -> Iterator[tuple[str, psutil.Process]]:
    """The app's host and port, and its process."""
    command = [sys.executable, "-m", "streamlit", "run", "explorer/app.py", "--server.headless=true", f"--server.port={PORT}"]
    address, environment = f"localhost:{PORT}", {**os.environ, "PYTHONPATH": str(ROOT)}
    with psutil.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while True:
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/_stcore/health"):
                    break
                time.sleep(0.1)
            yield address, server
        finally:
            server.terminate()


def _used(server: psutil.Process) -> float:
    return float(sum(server.cpu_times()[:2]))


async def measured(address: str, server: psutil.Process, size: int, views: Iterable[tuple[str, str, dict[str, str]]]) -> dict[str, Any]:
    """All figures of a class of this size."""
    followers = [Follower(address) for _ in range(size)]
    async with asyncio.TaskGroup() as group:
        tabs = [group.create_task(follower.stay()) for follower in followers]
        found: dict[str, dict[str, list[float]]] = {kind: {"seconds": [], "used": []} for kind in ("page", "setting")}
        for number, (kind, page, query) in enumerate(views):
            began, used = time.perf_counter(), _used(server)
            following.lead(TOKEN, page, query)
            ends = await asyncio.gather(*(follower.sees(page, query) for follower in followers))
            if number:  # during the first one the class comes in
                found[kind]["seconds"] += [end - began for end in ends]
                found[kind]["used"].append((_used(server) - used) / size)
            await asyncio.sleep(random.uniform(1, 2))
        used, ticks = _used(server), sum(follower.ticks for follower in followers)
        await asyncio.sleep(REST)
        load, ticks = (_used(server) - used) / REST, sum(follower.ticks for follower in followers) - ticks
        for tab in tabs:
            tab.cancel()
    figures = {kind: _summary(**figures) for kind, figures in found.items()}
    return {**figures, "server_load_at_rest": round(load, 3), "ticks_per_second": ticks / REST}


def _summary(seconds: list[float], used: list[float]) -> dict[str, float]:
    figures = {"median": statistics.median(seconds), "worst": max(seconds), "server_seconds_per_view": statistics.median(used)}
    return {name: round(value, 3) for name, value in figures.items()}


def main() -> None:
    """Classes of several sizes, one after the other, at one server."""
    sizes = [int(size) for size in sys.argv[1:]] or [1, 10, 40]
    with tempfile.TemporaryDirectory() as home:
        os.environ["KED_HOME"] = home
        with served() as (address, server):
            numbers = itertools.count(1)
            asyncio.run(measured(address, server, 1, moves(numbers)))  # the server's own first requests
            for size in sizes:
                found = asyncio.run(measured(address, server, size, moves(numbers)))
                print(json.dumps({"followers": size, **found, "load": os.getloadavg()[0]}), flush=True)


if __name__ == "__main__":
    main()
