"""Runs one launched command to its end: pumps its output, watches its limits, leaves nothing of it alive."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from policies.errors import SandboxUnavailable
from tools.sandbox.base import ExecResult, Limits
from tools.sandbox.capture import Capture
from tools.sandbox.processes import kill_below, proportional_bytes, usage

STARTED = b"\0started\0"
"""Written to stderr right before the command itself starts, so a backend's own failure can be told apart."""
STARTER = ("/bin/sh", "-c", 'printf "\\000started\\000" >&2; exec "$@"', "sh")
THREADS_PER_PROCESS = 16
_TICK_S = (0.01, 0.1)
_DISK_EVERY_S = 2.0
_SHARED_EVERY_S = 0.5
_END_WITHIN_S = 10.0
_ABORT_WITHIN_S = 2.0
_CHUNK_BYTES = 2**18


@dataclass(frozen=True)
class Launch:
    """What a backend wants started on the host."""

    argv: Sequence[str]
    """Run through `launch.py`; `{status_fd}` is replaced by the descriptor that takes status lines."""
    mode: Literal["exec", "reap"]
    env: Mapping[str, str]
    cwd: Path
    limits: Limits
    timeout_s: float
    disk_bytes: Callable[[], int]
    pass_fds: tuple[int, ...] = ()


class Supervisor:
    """One command, from its start to the death of everything it started."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        cap = launch.limits.output_bytes
        self._captures = {"stdout": Capture(cap), "stderr": Capture(cap + len(STARTED))}
        self._status = b""
        self._ended_by = ""
        self._peak_bytes = 0
        self._due: dict[str, float] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._root: int | None = None
        self._root_fd: int | None = None
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread = 0

    def run(self) -> ExecResult:
        """Run it. Raises SandboxUnavailable when the command could not even be started."""
        self._began = time.monotonic()
        self._thread = threading.get_ident()
        status_read, status_write = os.pipe()
        selector = selectors.DefaultSelector()
        try:
            self._process = process = self._spawn(status_write)
            os.close(status_write)
            status_write = -1
            try:
                self._pump(process, selector, status_read)
            finally:
                self._finish(process, selector)
                self._take_status(status_read)
        finally:
            selector.close()
            with self._lock:
                root_fd, self._root_fd = self._root_fd, None
                for descriptor in (status_read, status_write, root_fd):
                    if descriptor is not None and descriptor >= 0:
                        os.close(descriptor)
            self._over.set()
        return self._result()

    def abort(self) -> None:
        """End the command from another thread or a signal handler, and wait a little until it is gone."""
        self._end("interrupted")
        if self._thread != threading.get_ident():
            self._over.wait(_ABORT_WITHIN_S)
            return
        deadline = time.monotonic() + _ABORT_WITHIN_S
        while self._process is not None and time.monotonic() < deadline:
            if self._process.poll() is not None and self._root_gone():
                return
            time.sleep(0.01)

    def _spawn(self, status_fd: int) -> subprocess.Popen[bytes]:
        launch = self._launch
        limits = {
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": launch.limits.file_size_bytes,
            "RLIMIT_CPU": int(launch.limits.cpu_s) + 5,
        }
        argv = [part.replace("{status_fd}", str(status_fd)) for part in launch.argv]
        script = str(Path(__file__).with_name("launch.py"))
        return subprocess.Popen(
            [sys.executable, "-I", "-S", script, launch.mode, str(status_fd), json.dumps(limits), *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(launch.env),
            cwd=launch.cwd,
            start_new_session=True,
            pass_fds=(status_fd, *launch.pass_fds),
        )

    def _pump(
        self, process: subprocess.Popen[bytes], selector: selectors.BaseSelector, status_fd: int
    ) -> None:
        for name, stream in (("stdout", process.stdout), ("stderr", process.stderr)):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            selector.register(stream.fileno(), selectors.EVENT_READ, name)
        os.set_blocking(status_fd, False)
        tick = _TICK_S[0]
        while process.poll() is None:
            if self._ended_by:
                self._end(self._ended_by)
            wait = min(tick, max(0.0, self._left_s))
            self._drain(selector, wait)
            self._take_status(status_fd)
            if self._is_due("limits", tick):
                tick = min(tick * 1.5, _TICK_S[1])
                self._check_limits()

    @property
    def _left_s(self) -> float:
        return self._began + self._launch.timeout_s - time.monotonic()

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_s
        return True

    def _drain(self, selector: selectors.BaseSelector, wait_s: float) -> None:
        """Take what the streams hold now; wait at most `wait_s` for something."""
        if not selector.get_map():
            time.sleep(wait_s)
            return
        for key, _ in selector.select(wait_s):
            with suppress(BlockingIOError):
                data = os.read(key.fd, _CHUNK_BYTES)
                self._captures[key.data].feed(data)
                if not data:
                    selector.unregister(key.fd)

    def _take_status(self, status_fd: int) -> None:
        with suppress(BlockingIOError):
            while data := os.read(status_fd, 4096):
                self._status += data
        if self._root is None and (root := self._reported("child-pid")) is not None:
            self._root = root
            with suppress(ProcessLookupError):
                self._root_fd = os.pidfd_open(root)

    def _reported(self, key: str) -> int | None:
        """A number from the status lines that are complete."""
        for line in self._status.splitlines(keepends=True):
            if line.endswith(b"\n"):
                value = json.loads(line).get(key)
                if isinstance(value, int):
                    return value
        return None

    def _check_limits(self) -> None:
        limits = self._launch.limits
        if self._left_s <= 0:
            self._end("wall")
        if self._root is None or self._ended_by:
            return
        used = usage(self._root)
        if used.cpu_s > limits.cpu_s:
            self._end("cpu")
        elif len(used.pids) > limits.processes or used.threads > limits.processes * THREADS_PER_PROCESS:
            self._end("processes")
        elif self._memory(used.pids, used.resident_bytes) > limits.memory_bytes:
            self._end("memory")
        elif self._is_due("disk", _DISK_EVERY_S) and self._launch.disk_bytes() > limits.disk_bytes:
            self._end("disk")

    def _memory(self, pids: tuple[int, ...], resident: int) -> int:
        """Memory now. Resident sizes count shared pages twice; the exact figure costs more, so it is rare."""
        if len(pids) > 1 and resident > self._peak_bytes:
            if resident <= self._launch.limits.memory_bytes and not self._is_due("shared", _SHARED_EVERY_S):
                return self._peak_bytes
            resident = min(resident, proportional_bytes(pids))
        self._peak_bytes = max(self._peak_bytes, resident)
        return resident

    def _end(self, reason: str) -> None:
        """Kill everything; the first reason stands."""
        self._ended_by = self._ended_by or reason
        if self._process is None:
            return
        if self._launch.mode == "reap":
            kill_below(self._process.pid)
            return
        with self._lock, suppress(ProcessLookupError):
            if self._root_fd is not None:
                signal.pidfd_send_signal(self._root_fd, signal.SIGKILL)
        with suppress(ProcessLookupError):
            self._process.kill()

    def _finish(self, process: subprocess.Popen[bytes], selector: selectors.BaseSelector) -> None:
        """Wait until nothing is alive and take the rest of the output."""
        if process.poll() is None:
            self._end("interrupted")
        deadline = time.monotonic() + _END_WITHIN_S
        while process.poll() is None or not self._root_gone() or selector.get_map():
            self._drain(selector, 0.02)
            if time.monotonic() > deadline:
                break
        kill_below(process.pid)
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()

    def _root_gone(self) -> bool:
        if self._root_fd is None or self._launch.mode == "reap":
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self._root_fd, selectors.EVENT_READ)
            if selector.select(0):
                return True
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._root_fd, signal.SIGKILL)
        return False

    def _result(self) -> ExecResult:
        out, err = self._captures["stdout"], self._captures["stderr"]
        stderr = err.kept
        started = stderr.startswith(STARTED)
        if not started and not self._ended_by:
            text = stderr.decode("utf-8", "replace").strip().splitlines()
            raise SandboxUnavailable(
                "the command could not be started: " + (text[0] if text else "no reason given")
            )
        code = None if self._ended_by else self._reported("exit-code")
        status: Literal["exited", "timed_out", "killed"] = "killed" if code is None else "exited"
        return ExecResult(
            status="timed_out" if self._ended_by == "wall" else status,
            returncode=code,
            stdout=out.kept,
            stderr=stderr.removeprefix(STARTED),
            stdout_bytes=out.size_bytes,
            stderr_bytes=err.size_bytes - len(STARTED) * started,
            truncated=out.truncated or err.truncated,
            wall_s=time.monotonic() - self._began,
            peak_memory_bytes=self._peak_bytes,
            reason=self._ended_by,
        )
