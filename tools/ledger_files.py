"""The ledger's private files: written at once or not at all, and locks that die with their process."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from policies.errors import UsageError

FOLDER_LIMIT: Final = 40
_RESERVED: Final = re.compile(r"\.git|git~\d+", re.IGNORECASE)


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write JSON so that a reader sees the old text or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(data, indent=1) + "\n", encoding="ascii")
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None when there is no such file or no such object."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return data if isinstance(data, dict) else None


@contextmanager
def locked(path: Path, *, wait_s: float, busy: str) -> Iterator[None]:
    """Hold an advisory lock; UsageError with `busy` when another holds it longer than `wait_s`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as handle:
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise UsageError(busy) from None
                time.sleep(0.02)
        yield


def remove_stale_locks(git_dir: Path) -> None:
    """Remove the lock files of git commands that were killed; only for the holder of the write lock."""
    for pattern in ("*.lock", "refs/**/*.lock"):
        for path in git_dir.glob(pattern):
            path.unlink(missing_ok=True)


def make_folder(workspace: Path, name: str, digest: str) -> Path:
    """A new empty folder in `workspace`, named after the input; a taken name gets a number."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:FOLDER_LIMIT].rstrip("-") or "bundle"
    workspace.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = workspace / (f"{stem}-{digest[:8]}" + (f"-{number}" if number > 1 else ""))
        try:
            path.mkdir()
            return path
        except FileExistsError:
            number += 1


def checked_paths(paths: Mapping[str, object]) -> None:
    """Refuse paths that would leave the checkout, reach into git's folder, or hide one another."""
    for path in paths:
        parts = path.split("/")
        bad = any(p in ("", ".", "..") or _RESERVED.fullmatch(p) for p in parts)
        if bad or "\\" in path or not path.isprintable():
            raise UsageError(f"the bundle has a path that cannot be kept: {path!r}")
        if any("/".join(parts[:i]) in paths for i in range(1, len(parts))):
            raise UsageError(f"the bundle has a file where {path!r} needs a folder")
