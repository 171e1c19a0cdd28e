"""Reads bytes and text of regular files, never more than the limit, and never blocks on a device."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from policies.errors import UsageError
from policies.undecoded import declared

MAX_BYTES = 20_000_000
"""The largest input that is read; a bundle is some ten kilobytes."""


def shown(name: str | Path) -> str:
    """A path as one printable line."""
    text = str(name)
    return text if text.isprintable() and text else repr(text)


def read_file(path: Path, label: str) -> bytes:
    """Bytes of a regular file that is small enough; the size is checked before reading."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{label}: cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{label}: is not a regular file but {_kind(status.st_mode)}")
        if status.st_size > MAX_BYTES:
            raise UsageError(f"{label}: {_too_large(status.st_size)}")
        return read_stream(label, stream)


def read_stream(label: str, stream: BinaryIO) -> bytes:
    """Everything up to the limit."""
    try:
        data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{label}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{label}: {_too_large(len(data))}")
    return data


def decode(label: str, data: bytes) -> tuple[str, tuple[str, ...]]:
    """Text of UTF-8 bytes and notes about them; a byte order mark is dropped."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = "is a binary file" if b"\0" in data else "is not UTF-8 text"
        raise UsageError(f"{label}: {what} (byte {error.start} is 0x{data[error.start]:02x})") from error
    if "\0" in text:
        raise UsageError(f"{label}: is a binary file (byte {data.index(0)} is NUL)")
    return _without_mark(label, text)


def decode_source(label: str, data: bytes) -> tuple[str | None, tuple[str, ...]]:
    """The text of a source file and notes about it; None when it is none, which the review reports.

    Python source may name another encoding; it is kept as UTF-8 from here on.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = declared(data) or ""
        return (text, (f"{label}: is kept as UTF-8, not as it declares.",)) if text else (None, ())
    return _without_mark(label, text)


def _without_mark(label: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The text without a byte order mark, and a note when there was one."""
    if text.startswith("\ufeff"):
        return text[1:], (f"{label}: a byte order mark was dropped.",)
    return text, ()


def _too_large(size_bytes: int) -> str:
    return f"holds {size_bytes:,} bytes or more, the limit is {MAX_BYTES:,}"


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a directory" if stat.S_ISDIR(mode) else "a device"
