"""How a command line ends when its streams or the disk fail it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def shell(command: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a shell line in which `$SUTURE` is the program."""
    env = {**os.environ, "SUTURE": f"{sys.executable} -m agent"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("arguments", ["explain --all", "explain --all --json"])
def test_a_closed_standard_output_is_no_fault(arguments: str) -> None:
    assert shell(f"$SUTURE {arguments} >&-") == (0, "", "")


def test_a_closed_standard_error_keeps_the_exit_status() -> None:
    assert shell("$SUTURE review /nonexistent 2>&-") == (2, "", "")


def test_a_closed_standard_input_is_an_empty_one() -> None:
    code, out, _ = shell("$SUTURE review - --no-rehearse <&-")
    assert (code, out) == (2, "")


@pytest.mark.parametrize("arguments", ["explain --all", "explain --all --json"])
def test_a_full_disk_is_said_in_one_line(arguments: str) -> None:
    code, _, errors = shell(f"$SUTURE {arguments} >/dev/full")
    assert (code, errors) == (3, "suture: No space left on device\n")


def test_a_reader_that_leaves_early_is_no_fault() -> None:
    assert shell("$SUTURE explain --all --json | head -1; echo ${PIPESTATUS[0]}") == (0, "{\n0\n", "")
