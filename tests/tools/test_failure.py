"""Failure records of programs that really fail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from policies.records import Failure
from tools.sandbox.base import ExecResult
from tools.trial.failure import MAX_MESSAGE, TAIL_LINES, parse_failure

STARTS_TRAIN = "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'src.train'], check=True)\n"
CAPTURES_TRAIN = """\
import subprocess, sys
done = subprocess.run([sys.executable, '-m', 'src.train'], capture_output=True, text=True)
"""
LOOKS_UP = "def look():\n    {}['lr']\nlook()\n"
ARGPARSE = (
    "import argparse\np = argparse.ArgumentParser()\np.add_argument('--x', required=True)\np.parse_args()\n"
)
POOL = """\
import multiprocessing
def invert(x):
    return 1 / x
if __name__ == '__main__':
    multiprocessing.Pool(1).map(invert, [0])
"""
RERAISES = """\
def read(c):
    try:
        return c['lr']
    except KeyError as error:
        raise ValueError('no learning rate') from error
read({})
"""
FAILS_IN_HANDLER = """\
def read(c):
    try:
        return c['lr']
    except KeyError:
        return int('none')
read({})
"""
TOLERATES = """\
import traceback
try:
    {}['optional']
except KeyError:
    traceback.print_exc()
1 / 0
"""
CRASHES = "import ctypes\ndef touch():\n    ctypes.string_at(0)\ntouch()\n"
HYDRA_SHORT = """\
import sys
sys.exit('''Could not override 'run'.
To append to your config use +run=a

Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.''')
"""
LOGS_BADLY = "import logging\nlogging.error('%d', 'x')\nraise OSError('disk on fire')\n"

CASES: Mapping[str, tuple[Mapping[str, str], tuple[str, str, str, int, str]]] = {
    "child": (
        {"main": STARTS_TRAIN, "train": LOOKS_UP},
        ("KeyError", "'lr'", "src/train.py", 2, "look"),
    ),
    "child that does not parse": (
        {"main": STARTS_TRAIN, "train": "x = 1\ndef f(:\n"},
        ("SyntaxError", "invalid syntax", "src/train.py", 2, ""),
    ),
    "child that rejects its arguments": (
        {"main": STARTS_TRAIN, "train": ARGPARSE},
        ("ExitStatus", "usage error: the following arguments are required: --x", "src/train.py", 0, ""),
    ),
    "child that crashes": (
        {"main": STARTS_TRAIN, "train": CRASHES},
        ("Killed", "Segmentation fault", "src/train.py", 3, "touch"),
    ),
    "child that is killed": (
        {"main": STARTS_TRAIN, "train": "import os\nos.kill(os.getpid(), 9)\n"},
        ("Killed", "ended by SIGKILL", "src/train.py", 0, ""),
    ),
    "child with last words": (
        {"main": STARTS_TRAIN, "train": "import sys\nsys.exit('no data')\n"},
        ("ExitStatus", "exit status 1: no data", "src/train.py", 0, ""),
    ),
    "child that does not exist": (
        {"main": STARTS_TRAIN},
        ("ModuleNotFoundError", "No module named src.train", "src/main.py", 2, "<module>"),
    ),
    "child quoted by its parent": (
        {
            "main": CAPTURES_TRAIN + "raise RuntimeError('failed: ' + done.stderr)\n",
            "train": LOOKS_UP,
        },
        ("KeyError", "'lr'", "src/train.py", 2, "look"),
    ),
    "child printed by its parent": (
        {
            "main": CAPTURES_TRAIN + "print(done.stderr)\nraise RuntimeError('failed')\n",
            "train": LOOKS_UP,
        },
        ("KeyError", "'lr'", "src/train.py", 2, "look"),
    ),
    "child whose status is passed on": (
        {"main": CAPTURES_TRAIN + "sys.stderr.write(done.stderr)\nsys.exit(3)\n", "train": LOOKS_UP},
        ("KeyError", "'lr'", "src/train.py", 2, "look"),
    ),
    "worker process": (
        {"main": POOL},
        ("ZeroDivisionError", "division by zero", "src/main.py", 3, "invert"),
    ),
    "raise from": (
        {"main": RERAISES},
        ("KeyError", "'lr' (reported as ValueError: no learning rate)", "src/main.py", 3, "read"),
    ),
    "failure in a handler": (
        {"main": FAILS_IN_HANDLER},
        ("ValueError", "invalid literal for int() with base 10: 'none'", "src/main.py", 5, "read"),
    ),
    "missing name in a module of the bundle": (
        {"main": "from src.train import nope\n", "train": ""},
        (
            "ImportError",
            "cannot import name 'nope' from 'src.train' (src/train.py)",
            "src/main.py",
            1,
            "<module>",
        ),
    ),
    "message that starts on the next line": (
        {"main": "raise ImportError('\\nneeds the library\\nInstall it.')\n"},
        ("ImportError", "needs the library", "src/main.py", 1, "<module>"),
    ),
    "logging error before the failure": (
        {"main": LOGS_BADLY},
        ("OSError", "disk on fire", "src/main.py", 3, "<module>"),
    ),
    "endless recursion": (
        {"main": "def f():\n    f()\nf()\n"},
        ("RecursionError", "maximum recursion depth exceeded", "src/main.py", 2, "f"),
    ),
    "Hydra's short form": (
        {"main": HYDRA_SHORT},
        (
            "ConfigCompositionException",
            "Could not override 'run'. To append to your config use +run=a",
            "",
            0,
            "",
        ),
    ),
    "silent exit": ({"main": "raise SystemExit(4)\n"}, ("ExitStatus", "exit status 4", "", 0, "")),
}


def run(root: Path, sources: Mapping[str, str], argv: Sequence[str] = ("-m", "src.main")) -> ExecResult:
    """The outcome of a bundle's entry module, run by this interpreter."""
    for name, text in sources.items():
        path = root / "src" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    done = subprocess.run(
        [sys.executable, *argv],
        cwd=root,
        capture_output=True,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        timeout=60,
        check=False,
    )
    return result(stdout=done.stdout, stderr=done.stderr, returncode=done.returncode)


def result(
    *, stdout: bytes = b"", stderr: bytes = b"", returncode: int | None = 1, reason: str = ""
) -> ExecResult:
    """An outcome; with a reason, one that the sandbox ended."""
    status = "timed_out" if reason == "wall" else "killed" if reason else "exited"
    return ExecResult(
        status=status,  # type: ignore[arg-type]  # one of the three
        returncode=returncode,
        stdout=stdout,
        stderr=stderr,
        stdout_bytes=len(stdout),
        stderr_bytes=len(stderr),
        truncated=False,
        wall_s=7.0,
        peak_memory_bytes=3 * 2**30,
        reason=reason,
    )


def told(failure: Failure) -> tuple[str, str, str, int, str]:
    """What a failure says beside its tail."""
    return (failure.exception, failure.message, failure.file, failure.line, failure.function)


@pytest.mark.parametrize(("sources", "expected"), CASES.values(), ids=CASES.keys())
def test_names_what_a_person_would_name(
    tmp_path: Path, sources: Mapping[str, str], expected: tuple[str, str, str, int, str]
) -> None:
    paths = [f"src/{name}.py" for name in sources]
    assert told(parse_failure("trial", run(tmp_path, sources), paths, str(tmp_path))) == expected


def test_a_caught_and_printed_error_is_not_the_failure(tmp_path: Path) -> None:
    sources = {"main": "import src.train\n", "train": TOLERATES}
    failure = parse_failure("trial", run(tmp_path, sources), ["src/main.py", "src/train.py"], str(tmp_path))
    assert told(failure) == ("ZeroDivisionError", "division by zero", "src/train.py", 6, "<module>")


def test_entry_file_that_does_not_parse(tmp_path: Path) -> None:
    failed = run(tmp_path, {"main": "def f(:\n"}, ["src/main.py"])
    failure = parse_failure("trial", failed, ["src/main.py"], str(tmp_path))
    assert told(failure) == ("SyntaxError", "invalid syntax", "src/main.py", 1, "")


def test_timeout_is_placed_where_the_child_was(tmp_path: Path) -> None:
    dumps = "import faulthandler\nfaulthandler.dump_traceback_later(0.1)\n"
    waits = dumps + "import time\ndef spin():\n    time.sleep(0.5)\nspin()\n"
    ended = run(tmp_path, {"main": dumps + STARTS_TRAIN, "train": waits})
    stopped = result(stderr=ended.stderr, returncode=None, reason="wall")
    failure = parse_failure("trial", stopped, ["src/main.py", "src/train.py"], str(tmp_path))
    assert told(failure) == ("Timeout", "still running after 7 s", "src/train.py", 5, "spin")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("memory", ("MemoryLimit", "ended at the memory limit after 7 s, 3.0 GiB in use", "", 0, "")),
        ("cpu", ("Killed", "ended after 7 s at the cpu limit", "", 0, "")),
    ],
)
def test_limits(reason: str, expected: tuple[str, str, str, int, str]) -> None:
    failure = parse_failure("trial", result(returncode=None, reason=reason), [], "/work")
    assert told(failure) == expected


def test_output_is_bounded_and_clean() -> None:
    bar = b"\r 10%|#\r 50%|#####\r\x1b[31m100%|##########\x1b[0m done\n"
    noise = b"\x00\xff" + b"line\n" * 100
    error = (
        b'Traceback (most recent call last):\n  File "/w/src/a.py", line 3, in f\n    x\nE: ' + b"m" * 2000
    )
    failure = parse_failure("compose", result(stderr=noise + bar + error), ["src/a.py"], "/w")
    assert failure.phase == "compose"
    assert failure.message == "m" * (MAX_MESSAGE - 1) + "…"
    assert len(failure.tail.splitlines()) == TAIL_LINES
    assert failure.tail.splitlines()[-5:-3] == ["100%|########## done", "Traceback (most recent call last):"]


def test_tail_shows_the_child_before_its_parents_long_traceback() -> None:
    child = b"Traceback (most recent call last):\n  File \"<frozen runpy>\", line 1, in x\nKeyError: 'lr'\n"
    frames = b"".join(b'  File "/lib/h.py", line %d, in h\n    call()\n' % i for i in range(40))
    parent = b"Traceback (most recent call last):\n" + frames + b"subprocess.CalledProcessError: failed\n"
    failure = parse_failure("trial", result(stderr=child + parent), [], "/w")
    assert failure.exception == "KeyError"
    assert failure.tail.splitlines()[2:4] == ["KeyError: 'lr'", "..."]
    assert failure.tail.splitlines()[-1] == "subprocess.CalledProcessError: failed"
