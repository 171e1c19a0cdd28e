"""How a command line ends: errors as one line, exit codes, and a reader that went away."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import typer

from agent.output import reader_left
from policies.errors import BackendError, SutureError, UsageError

READY: Final = 0
NOT_READY: Final = 1
BAD_INPUT: Final = 2
MACHINE_LACKS: Final = 3
INTERRUPTED: Final = 130


def exit_code_of(error: SutureError) -> int:
    """The exit status that an error on purpose means."""
    if isinstance(error, UsageError):
        return BAD_INPUT
    return MACHINE_LACKS if isinstance(error, BackendError) else NOT_READY


def run_app(app: typer.Typer, argv: Sequence[str] | None = None) -> int:
    """Run a command line to its exit status; nothing but a bug of ours leaves as a traceback."""
    try:
        status = app(args=None if argv is None else list(argv), prog_name="suture", standalone_mode=True)
        sys.stdout.flush()
        return int(status or 0)
    except SystemExit as end:
        return _flushed(end.code)
    except SutureError as error:
        sys.stderr.write(f"suture: {' '.join(str(error).split())}\n")
        return exit_code_of(error)
    except BrokenPipeError:
        return reader_left()
    except KeyboardInterrupt:
        sys.stderr.write("suture: interrupted\n")
        return INTERRUPTED


def _flushed(code: str | int | None) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return reader_left()
    return code if isinstance(code, int) else 0 if code is None else BAD_INPUT
