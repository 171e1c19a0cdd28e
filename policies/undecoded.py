"""Bytes that should have been UTF-8 text: what is wrong with them, and how else they may be read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def why_no_text(data: bytes) -> tuple[str, int]:
    """The first byte that is not UTF-8, as a sentence, and its 1-based line."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"byte {error.start} is 0x{data[error.start]:02x}: {error.reason}", line
    return "it can be decoded", 1


def declared(data: bytes) -> str | None:
    """The text of Python source whose first two lines name another encoding that fits, saying UTF-8 now.

    Source: PEP 263.
    """
    lines = data.split(b"\n", 2)
    for number, line in enumerate(lines[:2]):
        match = _COOKIE.match(line)
        if match is None:
            continue
        lines[number] = line[: match.start(1)] + b"utf-8" + line[match.end(1) :]
        try:
            return b"\n".join(lines).decode(codecs.lookup(match[1].decode("ascii")).name)
        except (LookupError, UnicodeError):
            return None
    return None


def readings(data: bytes) -> Iterator[str]:
    """Texts that the bytes may stand for: UTF-16 where they say so, else Windows-1252."""
    encoding = "utf-16" if data.startswith(_WIDE) else "cp1252"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return
    if "\0" not in text:
        yield text
