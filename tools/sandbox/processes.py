"""What a process tree uses, read from /proc, and how to end one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class TreeUsage:
    """The descendants of a process, itself left out, at one moment."""

    pids: tuple[int, ...] = ()
    threads: int = 0
    cpu_s: float = 0.0
    """User and system time, ended children included."""
    resident_bytes: int = 0
    """Sum of resident sizes; shared pages count once per process."""


def usage(root: int) -> TreeUsage:
    """Usage of the tree below `root`; CPU time that `root` inherited from dead children counts too."""
    pids = tuple(descendants(root))
    threads = resident = ticks = 0
    for pid in (root, *pids):
        fields = _stat(pid)
        if fields is None:
            continue
        ticks += sum(fields[13:15]) if pid == root else sum(fields[11:15])
        if pid != root:
            threads += fields[17]
            resident += fields[21] * _PAGE_BYTES
    return TreeUsage(pids, threads, ticks / _TICKS_PER_S, resident)


def proportional_bytes(pids: tuple[int, ...]) -> int:
    """Memory of these processes, each shared page counted once in all."""
    return sum(_proportional(pid) for pid in pids)


def descendants(root: int) -> Iterator[int]:
    """Process ids below `root`, parents first."""
    queue = [root]
    seen = {root}
    while queue:
        for child in _children(queue.pop()):
            if child not in seen:
                seen.add(child)
                queue.append(child)
                yield child


def kill_below(root: int) -> None:
    """Kill every process below `root`, until none is found that was not already told."""
    told: set[int] = set()
    while fresh := set(descendants(root)) - told:
        for pid in fresh:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        told |= fresh


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (task / "children").read_bytes().split())
    return found


def _stat(pid: int) -> list[int] | None:
    """Fields of /proc/PID/stat from the third on (state as 0); None when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return [0, *map(int, text[text.rindex(b")") + 4 :].split())]


def _proportional(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_bytes()
    except OSError:
        fields = _stat(pid)
        return fields[21] * _PAGE_BYTES if fields else 0
    for line in text.splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0
