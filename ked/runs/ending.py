"""What ends a computation from outside: a process that is asked to go says how far it came, as it does after ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)  # whoever ends the process, such as a cluster; the end of a login


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """During the block TERM and HUP raise KeyboardInterrupt. One that is ignored, as HUP under `nohup`, stays so.

    Signals reach the main thread alone: in another one the block changes nothing.
    """
    here = threading.current_thread() is threading.main_thread()
    before = {kind: signal.getsignal(kind) for kind in _SIGNALS if here}
    before = {kind: handler for kind, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    try:
        for kind in before:
            signal.signal(kind, signal.default_int_handler)
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
