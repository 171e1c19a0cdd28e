"""What remains of a sandbox when the process that opened it is told to go, or is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.sandbox.base import SandboxSpec
from tools.sandbox.open import open_sandbox
from tools.sandbox.workdir import PREFIX

ROOT = Path(__file__).parents[2]
HOST = """
import sys
from concurrent.futures import ThreadPoolExecutor
from tools.sandbox.base import SandboxSpec
from tools.sandbox.open import open_sandbox
with open_sandbox(sys.argv[1], SandboxSpec()) as sandbox:
    command = ["sh", "-c", f"(setsid sleep {sys.argv[2]} &); touch started; sleep {sys.argv[2]}"]
    if sys.argv[3] == "main":
        sandbox.run(command, timeout_s=60)
    else:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(sandbox.run, command, timeout_s=60).result()
"""


def sleeping(marker: str) -> list[str]:
    """Processes whose command line carries the marker."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", marker.encode()]:
            found.append(path.parent.name)
    return found


def wait_for(condition: object, limit_s: float = 10.0) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


WAYS = [
    (signal.SIGINT, "main"),
    (signal.SIGTERM, "main"),
    (signal.SIGTERM, "worker"),
    (signal.SIGKILL, "main"),
]
"""An interrupt reaches the main thread alone; `test_abort_all_frees_the_workers` shows the way for it."""


@pytest.mark.parametrize(("number", "thread"), WAYS)
@pytest.mark.parametrize("backend", ["bwrap", "unsafe-local"])
def test_nothing_outlives_the_owner(backend: str, number: int, thread: str, tmp_path: Path) -> None:
    marker = f"61.{os.getpid()}{time.monotonic_ns() % 10**9}"
    owner = subprocess.Popen(
        [sys.executable, "-c", HOST, backend, marker, thread],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    assert wait_for(lambda: len(sleeping(marker)) == 2 and list(tmp_path.glob("*/work/started")))
    owner.send_signal(number)
    owner.wait(timeout=15)
    assert wait_for(lambda: sleeping(marker) == [])
    left = list(tmp_path.glob(f"{PREFIX}*"))
    assert len(left) == (1 if number == signal.SIGKILL else 0)


def test_abort_all_frees_the_workers() -> None:
    source = HOST.replace(
        "pool.submit(sandbox.run, command, timeout_s=60).result()",
        "job = pool.submit(sandbox.run, command, timeout_s=60)\n"
        "            import time; time.sleep(0.5)\n"
        "            from tools.sandbox.cleanup import abort_all; abort_all()\n"
        "            print(job.result().status, job.result().reason)",
    )
    command = [sys.executable, "-c", source, "bwrap", "62", "worker"]
    result = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert result.stdout == "killed interrupted\n"


def test_leaving_the_block_removes_everything() -> None:
    with open_sandbox("bwrap", SandboxSpec()) as sandbox:
        sandbox.run(["sh", "-c", "mkdir -p a/b; touch a/b/c; chmod 0 a/b a"], timeout_s=10)
        root = sandbox.directory.root  # type: ignore[attr-defined]  # both backends here have one
        assert root.is_dir()
    assert not root.exists()
