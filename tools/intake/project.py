"""Reads a plain Python project from a directory: its code, and what is given with it."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from policies.errors import UsageError
from policies.python_tests import is_editable, is_test_file
from policies.records import Bundle, Request
from tools.intake.files import MAX_BYTES, read_file, shown
from tools.intake.names import check_path

MAX_FILES = 5000
LARGE_BYTES = 5_000_000
"""A larger file is left out: a project's code and the data of its tests are smaller."""
_JUNK = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "env", "virtualenv", "htmlcov"})
_JUNK_AT_TOP = frozenset({"build", "dist", "wheelhouse", "target"})
_JUNK_FILES = (".pyc", ".pyo", ".log", ".tmp", "~", ".swp")
_KEPT_HIDDEN = frozenset({".coveragerc", ".pytest.ini"})


def read_project(root: Path) -> Request:
    """Everything of a project but environments, caches and what builds leave behind.

    Raises: UsageError when the directory holds no Python code, or more than a repair can take.
    """
    label = shown(root)
    if not root.is_dir():
        raise UsageError(f"{label}: a project is a directory; this is none")
    notes: list[str] = []
    data = _read(root, label, notes)
    bundle = _bundle(data)
    if not any(path.endswith(".py") and not is_test_file(path) for path in bundle.files):
        raise UsageError(f"{label}: this directory holds no Python code besides tests")
    return Request(source=label, kind="directory", bundle=bundle, notes=tuple(notes))


def _bundle(data: dict[str, bytes]) -> Bundle:
    files: dict[str, str] = {}
    given: dict[str, str] = {}
    binaries: dict[str, str] = {}
    for path, raw in data.items():
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            binaries[path] = base64.b64encode(raw).decode("ascii")
        else:
            (files if is_editable(path) else given)[path] = text
    return Bundle(files=files, given=given, binaries=binaries)


def _read(root: Path, label: str, notes: list[str]) -> dict[str, bytes]:
    """Path -> bytes of every file that is taken; sizes are added up before the first byte is read."""
    sizes: dict[str, int] = {}
    for path in _paths(root):
        size = _size(root, path, notes)
        if size is not None:
            sizes[path] = size
        if len(sizes) > MAX_FILES:
            raise UsageError(f"{label}: more than {MAX_FILES} files; name the folder of one project")
    if sum(sizes.values()) > MAX_BYTES:
        raise UsageError(f"{label}: {sum(sizes.values()):,} bytes of files, the limit is {MAX_BYTES:,}")
    return {path: read_file(root / path, shown(root / path)) for path in sorted(sizes)}


def _paths(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = sorted(n for n in folders if _wanted(Path(folder, n), at_top=not here.parts))
        for name in sorted(names):
            if (not name.startswith(".") or name in _KEPT_HIDDEN) and not name.endswith(_JUNK_FILES):
                yield (here / name).as_posix()


def _wanted(folder: Path, *, at_top: bool) -> bool:
    """Whether a folder is the project's own."""
    name = folder.name
    if name.startswith(".") or name in _JUNK or name.endswith((".egg-info", ".dist-info")):
        return False
    return not (at_top and name in _JUNK_AT_TOP) and not (folder / "pyvenv.cfg").exists()


def _size(root: Path, path: str, notes: list[str]) -> int | None:
    """Size of a file in bytes; None, and a note, for one that is left out."""
    full = root / path
    try:
        check_path(str(root), path)
        inside = full.resolve(strict=True).is_relative_to(root.resolve())
        status = full.stat()
    except (UsageError, OSError, RuntimeError):
        notes.append(f"{shown(path)} was left out: it cannot be read, or its name cannot be kept.")
        return None
    if not inside or not stat.S_ISREG(status.st_mode):
        notes.append(f"{shown(path)} was left out: it is no regular file of the directory.")
        return None
    if status.st_size > LARGE_BYTES:
        notes.append(f"{shown(path)} was left out: it holds {status.st_size:,} bytes.")
        return None
    return status.st_size
