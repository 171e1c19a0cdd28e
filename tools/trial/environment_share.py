"""Keeps one copy of every large file that several environments have: they differ in a few small packages."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MIN_BYTES = 128 * 2**10
"""Smaller files are many and light: linking them saves little."""


def share_files(root: Path, store: Path) -> int:
    """Replace large files below `root` by hard links into `store`; returns the bytes that this saved.

    Contents are hashed here: what a package says of its own files is not relied on. A file system that
    refuses links leaves the files as they are.
    """
    return sum(_share(path, size, store) for path, size in _large(root))


def _large(root: Path) -> Iterator[tuple[Path, int]]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            info = path.lstat()
            if stat.S_ISREG(info.st_mode) and info.st_size >= MIN_BYTES and info.st_nlink == 1:
                yield path, info.st_size


def _share(path: Path, size: int, store: Path) -> int:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    executable = "x" if path.stat().st_mode & stat.S_IXUSR else "f"
    kept = store / digest[:2] / f"{digest[2:]}{executable}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        if not kept.exists():
            os.link(path, kept)
            return 0
        fresh = path.with_name(f".{path.name[:100]}.link")
        os.link(kept, fresh)
        fresh.replace(path)
        return size
    return 0
