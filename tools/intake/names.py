"""Which paths may lie in a bundle and which run ids may name a file."""

from __future__ import annotations

import re
from collections.abc import Iterable

from policies.errors import UsageError

MAX_RUN_ID_BYTES = 200
MAX_PATH_BYTES = 1000


def check_path(label: str, path: str) -> str:
    """The path of a file inside the bundle; refuses one that leaves it or that no system can hold."""
    reason = _path_fault(path)
    if reason:
        raise UsageError(f"{label}: the path {_quoted(path)} {reason}")
    return path


def check_run_id(label: str, run_id: str) -> str:
    """The run id; refuses one that is not a safe file name."""
    reason = _name_fault(run_id)
    if reason:
        raise UsageError(f"{label}: the run id {_quoted(run_id)} {reason}")
    return run_id


def check_unique(label: str, run_ids: Iterable[str]) -> None:
    """Refuses run ids of which one occurs twice."""
    seen: set[str] = set()
    for run_id in run_ids:
        if run_id in seen:
            raise UsageError(f"{label}: the run id {_quoted(run_id)} occurs twice")
        seen.add(run_id)


def _path_fault(path: str) -> str:
    if not path or path.endswith("/"):
        return "names no file"
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:", path):
        return "is absolute; paths are relative to the bundle"
    if "\\" in path:
        return "has a backslash; folders are separated by /"
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        return f"is longer than {MAX_PATH_BYTES} bytes"
    if not path.isprintable():
        return "has a character that cannot be printed"
    parts = path.split("/")
    if ".." in parts:
        return "leaves the bundle"
    if "" in parts or "." in parts:
        return "is not in its shortest form"
    if ".git" in (part.lower() for part in parts):
        return "lies in a git folder"
    return "" if all(len(p.encode("utf-8", "replace")) <= 255 for p in parts) else "has a name over 255 bytes"


def _name_fault(run_id: str) -> str:
    if not run_id.strip():
        return "is empty"
    if run_id in (".", ".."):
        return "names a folder"
    if "/" in run_id or "\\" in run_id:
        return "has a slash; it must be a file name"
    if run_id.startswith("-"):
        return "starts with a dash; a command line would read it as an option"
    if not run_id.isprintable() or run_id != run_id.strip():
        return "has a line break, a control character or blanks at an end"
    if len(run_id.encode("utf-8", "surrogatepass")) > MAX_RUN_ID_BYTES:
        return f"is longer than {MAX_RUN_ID_BYTES} bytes"
    return ""


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
