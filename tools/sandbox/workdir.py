"""The private host directory behind a sandbox: reads and writes that follow no link, and its removal."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from tools.sandbox.base import FileEntry

PREFIX = "suture-sandbox-"
MAX_READ_BYTES = 512 * 2**20
"""A larger file is refused by `read`, which holds it in memory."""
MAX_ENTRIES = 500_000
"""Disk use is counted up to this many directory entries; a tree beyond that counts as endless."""
_STALE_AFTER_S = 60.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def checked_parts(path: PurePosixPath) -> tuple[str, ...]:
    """The parts of a relative path. Raises ValueError when it is absolute or climbs."""
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{str(path)!r} leaves the working directory")
    return path.parts


class Workdir:
    """`work/` and `home/` in one private directory that a lock marks as alive."""

    def __init__(self) -> None:
        sweep()
        self.root = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        self._lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.work, self.home, self.temp = (self.root / name for name in ("work", "home", "tmp"))
        for folder in (self.work, self.home, self.temp):
            folder.mkdir()

    def remove(self) -> None:
        """Remove everything; whatever modes the bundle gave its folders."""
        remove_tree(self.root)
        with suppress(OSError):
            os.close(self._lock)

    def read(self, path: PurePosixPath) -> bytes:
        """See `Sandbox.read`."""
        *folders, name = checked_parts(path) or ("",)
        if not name:
            raise ValueError("the working directory itself is not a file")
        with self._folder(folders, create=False) as folder:
            descriptor = _open_regular(name, folder, path)
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_size > MAX_READ_BYTES:
                raise ValueError(f"{str(path)!r} is larger than {MAX_READ_BYTES} bytes")
            return file.read(MAX_READ_BYTES)

    def write(self, path: PurePosixPath, data: bytes) -> None:
        """See `Sandbox.write`. The new file replaces the name, so a link in its place is not followed."""
        *folders, name = checked_parts(path) or ("",)
        if not name:
            raise ValueError("the working directory itself is not a file")
        with self._folder(folders, create=True) as folder:
            fresh = f".suture-{secrets.token_hex(8)}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(fresh, flags, 0o644, dir_fd=folder), "wb") as file:
                file.write(data)
            try:
                os.replace(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError as error:
                os.unlink(fresh, dir_fd=folder)
                raise ValueError(f"{str(path)!r} cannot be written: {error.strerror}") from error

    def folder(self, path: PurePosixPath) -> Path:
        """The host path of a folder inside, to start a command in. Raises as `read` does."""
        parts = checked_parts(path)
        with self._folder(parts, create=False):
            return self.work.joinpath(*parts)

    def list_files(self, max_files: int) -> tuple[FileEntry, ...]:
        """See `Sandbox.list_files`."""
        found: list[FileEntry] = []
        for path, info in _walk(self.work):
            if stat.S_ISREG(info.st_mode):
                found.append(FileEntry(PurePosixPath(path.relative_to(self.work)), info.st_size))
            if len(found) >= max_files:
                break
        return tuple(sorted(found, key=lambda entry: str(entry.path)))

    def disk_bytes(self) -> int:
        """What is allocated on disk under `root`."""
        total = 0
        for count, (_, info) in enumerate(_walk(self.root)):
            if count > MAX_ENTRIES:
                return 2**63
            total += info.st_blocks * 512
        return total

    @contextmanager
    def _folder(self, parts: tuple[str, ...] | list[str], *, create: bool) -> Iterator[int]:
        """A descriptor of the folder that `parts` lead to, opened one step at a time."""
        descriptor = os.open(self.work, _FOLDER)
        try:
            for part in parts:
                descriptor = _step(descriptor, part, create)
            yield descriptor
        finally:
            os.close(descriptor)


def _step(descriptor: int, part: str, create: bool) -> int:
    if create:
        with suppress(FileExistsError):
            os.mkdir(part, dir_fd=descriptor)
    try:
        lower = os.open(part, _FOLDER, dir_fd=descriptor)
    except NotADirectoryError as error:
        raise ValueError(f"{part!r} is a file or a symbolic link, not a folder") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ValueError(f"{part!r} is a symbolic link") from error
        raise
    os.close(descriptor)
    return lower


def _open_regular(name: str, folder: int, path: PurePosixPath) -> int:
    """Open for reading; never blocks on a pipe and never follows a link."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise ValueError(f"{str(path)!r} is a symbolic link or a socket, not a file") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(f"{str(path)!r} is not a regular file")
    return descriptor


def _walk(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below `root` that can be seen, sorted within a folder; links are not followed."""
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        try:
            info = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        yield Path(entry.path), info
        if stat.S_ISDIR(info.st_mode):
            yield from _walk(Path(entry.path))


def remove_tree(root: Path) -> None:
    """Remove a tree that may hold folders without permissions."""

    def unlock(function: Callable[..., object], path: str, _: object) -> None:
        with suppress(OSError):
            Path(path).parent.chmod(0o700)
            if not Path(path).is_symlink():
                Path(path).chmod(0o700)
            shutil.rmtree(path) if function in (os.open, os.scandir, os.rmdir) else Path(path).unlink()

    for _ in range(3):
        shutil.rmtree(root, onerror=unlock)
        if not root.exists():
            return


def sweep() -> None:
    """Remove directories whose owner died without removing them."""
    for root in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with suppress(OSError):
            if root.stat().st_uid == os.getuid() and time.time() - root.stat().st_mtime > _STALE_AFTER_S:
                _remove_if_unlocked(root)


def _remove_if_unlocked(root: Path) -> None:
    try:
        descriptor = os.open(root / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        remove_tree(root)
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
    remove_tree(root)
