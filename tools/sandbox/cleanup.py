"""Ends the sandboxes of this process when it is asked to go: on SIGTERM, SIGHUP and at exit."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from types import FrameType
from typing import Protocol


class Abortable(Protocol):
    """Something that can be ended at once, from any thread."""

    def abort(self) -> None:
        """Kill what runs and remove what lies about; callable twice."""
        ...


_live: dict[int, Abortable] = {}
_owner = os.getpid()


def register(item: Abortable) -> None:
    """Have `item` ended with this process. From the main thread it also arms the signals."""
    global _owner
    if _owner != os.getpid():
        _live.clear()
        _owner = os.getpid()
    if not _live:
        atexit.unregister(abort_all)
        atexit.register(abort_all)
    _live[id(item)] = item
    arm()


def unregister(item: Abortable) -> None:
    """`item` has ended by itself."""
    _live.pop(id(item), None)


def abort_all() -> None:
    """End every live sandbox of this process; a forked child owns none of them."""
    if _owner == os.getpid():
        for item in list(_live.values()):
            item.abort()


def arm() -> None:
    """Clean up before SIGTERM and SIGHUP take effect, unless the program handles them itself."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _on_signal)


def _on_signal(number: int, _: FrameType | None) -> None:
    abort_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
