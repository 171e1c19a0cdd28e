"""Runs between Suture and a command: sets limits that are inherited; `reap` also outlives the command to end
whatever it left behind. A script of its own, run by path: it imports nothing of Suture.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def set_limits(limits: dict[str, int]) -> None:
    """Lower the limits named like `RLIMIT_CPU`, never above what the caller has."""
    for name, value in limits.items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def adopt_orphans() -> None:
    """Become the parent of every orphaned descendant, and get SIGTERM when our own parent dies."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def kill_children() -> None:
    """Kill and collect children until there are none; orphans of the killed become children in turn."""
    while True:
        for task in Path("/proc/self/task").iterdir():
            for pid in (task / "children").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _give_up(number: int, _: FrameType | None) -> None:
    kill_children()
    os._exit(128 + number)


def reap(status_fd: int, argv: list[str]) -> int:
    """Run `argv` in a session of its own, report its exit, and leave nothing alive."""
    adopt_orphans()
    signal.signal(signal.SIGTERM, _give_up)
    os.write(status_fd, b'{"child-pid": %d}\n' % os.getpid())
    child = os.fork()
    if child == 0:
        os.close(status_fd)
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.execv(argv[0], argv)
    status = None
    while status is None:
        pid, code = os.waitpid(-1, 0)
        if pid == child:
            status = code
    kill_children()
    exit_code = os.waitstatus_to_exitcode(status)
    exit_code = exit_code if exit_code >= 0 else 128 - exit_code
    os.write(status_fd, b'{"exit-code": %d}\n' % exit_code)
    return exit_code


def main(mode: str, status_fd: str, limits: str, *argv: str) -> None:
    """`exec` becomes the command; `reap` stays its parent."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    set_limits(json.loads(limits))
    if mode == "exec":
        os.execv(argv[0], argv)
    sys.exit(reap(int(status_fd), list(argv)))


if __name__ == "__main__":
    main(*sys.argv[1:])
