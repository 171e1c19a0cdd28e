"""Decides what an INPUT is and hands it to the reader of that kind."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

from policies.contract import Kind
from policies.errors import UsageError
from policies.records import Request
from tools.intake.bundle_json import read_bundle_json
from tools.intake.directory import read_directory
from tools.intake.files import decode, read_file, read_stream, shown
from tools.intake.project import read_project
from tools.intake.transcript import read_transcript

STDIN = "-"


def read_request(source: str | Path, kind: Kind = "experiment") -> Request:
    """Open a review transcript, a bundle JSON, a directory or checkout, or `-` for standard input.

    Args:
        kind: what it holds; a plain project with tests is always a directory.
    Raises: UsageError, one line that says what is wrong with the input.
    """
    if kind == "tests":
        return read_project(Path(source))
    if str(source) == STDIN:
        if sys.stdin.isatty():
            raise UsageError("standard input is a terminal: pipe a transcript or a bundle JSON into it")
        return _from_bytes("standard input", read_stream("standard input", sys.stdin.buffer))
    path, label = Path(source), shown(source)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UsageError(f"{label}: there is no such file or directory") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{label}: cannot be opened: {reason}") from error
    if stat.S_ISDIR(mode):
        return read_directory(path)
    return _from_bytes(label, read_file(path, label))


def _from_bytes(label: str, data: bytes) -> Request:
    """A text that starts like JSON is a bundle JSON, any other text a transcript."""
    text, notes = decode(label, data)
    if not text.strip():
        raise UsageError(f"{label}: the file is empty")
    read = read_bundle_json if text.lstrip()[:1] in "{[" else read_transcript
    request = read(label, text)
    return request.model_copy(update={"notes": (*notes, *request.notes)})
