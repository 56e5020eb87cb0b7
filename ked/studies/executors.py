"""Where cells are computed: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

from ked.errors import Unavailable, quoted
from ked.jobs import slots


@contextlib.contextmanager
def local() -> Iterator[Executor]:
    """As many processes as trainings may be at work at a time (`ked.jobs.slots`), each with its share of the cores."""
    spawn = multiprocessing.get_context("spawn")  # a forked child would share the locks of torch's threads
    pool = ProcessPoolExecutor(slots.count(), spawn, initializer=_prepare, initargs=(slots.threads(),))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def dask(address: str, patience: float = 10.0) -> Iterator[Executor]:
    """The workers of a Dask cluster, which see the same $KED_HOME as this process; a cell of a worker that is lost goes to another.

    Args:
        address: Of the scheduler, such as tcp://host:8786.
        patience: Seconds that it may take to answer.

    Raises:
        Unavailable: dask.distributed is not installed, or nobody answers at the address.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise Unavailable(
            "a Dask cluster needs dask.distributed, which is not installed here; run `pip install distributed`, or leave --dask out."
        ) from None
    try:
        client = distributed.Client(address, timeout=patience)
    except (OSError, TimeoutError, ValueError) as error:
        raise Unavailable(f"no Dask scheduler answers at {quoted(address)}; start one there, or leave --dask out.") from error
    with client:
        executor: Executor = client.get_executor(pure=False)
        try:
            yield executor
        finally:
            executor.shutdown(wait=True)


def _prepare(threads: int) -> None:
    """What a pool's process does first: ctrl-C is its parent's business, and it ends when its parent is gone."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # killed, and so nobody is left who wants the cells; what is finished of them is kept
