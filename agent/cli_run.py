"""How a command line ends: errors as one line, exit codes, and a reader that went away."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import typer

from agent.output import reader_left
from policies.errors import BackendError, Interrupted, SutureError, UsageError

READY: Final = 0
NOT_READY: Final = 1
BAD_INPUT: Final = 2
MACHINE_LACKS: Final = 3
INTERRUPTED: Final = 130
_REFUSALS: Final = frozenset(
    (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
    )
)
"""What a machine says that is full, read-only or out of something; any other such error is a bug of ours."""


def exit_code_of(error: SutureError) -> int:
    """The exit status that an error on purpose means."""
    if isinstance(error, UsageError):
        return BAD_INPUT
    if isinstance(error, Interrupted):
        return INTERRUPTED
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
        _complain(str(error))
        return exit_code_of(error)
    except BrokenPipeError:
        return reader_left()
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        return _refused(error)
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED


def _flushed(code: str | int | None) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return reader_left()
    except OSError as error:
        return _refused(error)
    return code if isinstance(code, int) else 0 if code is None else BAD_INPUT


def _refused(error: OSError) -> int:
    """The machine would not write or open something; what standard output still buffers is dropped."""
    where = f": {error.filename}" if error.filename else ""
    _complain(f"{os.strerror(error.errno or 0)}{where}")
    reader_left()
    return MACHINE_LACKS


def _complain(message: str) -> None:
    """One line on standard error, which may itself be gone."""
    with suppress(OSError):
        sys.stderr.write(f"suture: {' '.join(message.split())}\n")
