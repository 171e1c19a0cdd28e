from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path, PurePosixPath

import pytest

from tools.sandbox.base import FileEntry
from tools.sandbox.capture import Capture
from tools.sandbox.workdir import PREFIX, Workdir, remove_tree, sweep


@pytest.fixture(autouse=True)
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_writing_replaces_and_lists() -> None:
    workdir = Workdir()
    workdir.write(PurePosixPath("a/b"), b"one")
    workdir.write(PurePosixPath("a/b"), b"three")
    assert workdir.read(PurePosixPath("a/b")) == b"three"
    assert workdir.list_files(10) == (FileEntry(PurePosixPath("a/b"), 5),)
    workdir.write(PurePosixPath("c"), b"")
    assert workdir.list_files(1) == (FileEntry(PurePosixPath("a/b"), 5),)
    workdir.remove()
    assert not workdir.root.exists()


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "."])
def test_paths_that_leave_are_refused(path: str) -> None:
    workdir = Workdir()
    with pytest.raises(ValueError, match="working directory"):
        workdir.read(PurePosixPath(path))
    with pytest.raises(ValueError, match="working directory"):
        workdir.write(PurePosixPath(path), b"x")


def test_a_folder_or_a_huge_file_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    workdir = Workdir()
    workdir.write(PurePosixPath("folder/file"), b"12345")
    with pytest.raises(ValueError, match="not a regular file"):
        workdir.read(PurePosixPath("folder"))
    with pytest.raises(ValueError, match="is a file or a symbolic link"):
        workdir.write(PurePosixPath("folder/file/below"), b"x")
    with pytest.raises(ValueError, match="cannot be written"):
        workdir.write(PurePosixPath("folder"), b"x")
    assert [entry.path.name for entry in workdir.list_files(10)] == ["file"]


def test_locked_folders_are_removed(tmp_path: Path) -> None:
    locked = tmp_path / "tree" / "locked" / "deeper"
    locked.mkdir(parents=True)
    (locked / "file").write_text("x")
    for folder in (locked, locked.parent):
        folder.chmod(0)
    remove_tree(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []


def test_sweep_takes_only_what_nobody_holds(tmp_path: Path) -> None:
    alive = Workdir()
    orphan = tmp_path / f"{PREFIX}orphan"
    unlocked = tmp_path / f"{PREFIX}unlocked"
    young = tmp_path / f"{PREFIX}young"
    for folder in (orphan, unlocked, young):
        folder.mkdir()
    (orphan / "lock").touch()
    for folder in (alive.root, orphan, unlocked):
        os.utime(folder, (time.time() - 3600,) * 2)
    sweep()
    assert sorted(tmp_path.iterdir()) == sorted([alive.root, young])


def test_capture_keeps_both_ends() -> None:
    capture = Capture(10)
    for piece in (b"0123", b"456789", b"x" * 5_000_000, b"vwxyz"):
        capture.feed(piece)
    assert capture.kept == b"01234\n[5000005 bytes left out]\nvwxyz"
    assert (capture.size_bytes, capture.truncated) == (5_000_015, True)


def test_capture_of_a_short_stream_is_the_stream() -> None:
    capture = Capture(10)
    capture.feed(b"0123456789")
    assert (capture.kept, capture.truncated) == (b"0123456789", False)
