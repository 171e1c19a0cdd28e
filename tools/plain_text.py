"""Text from bundles and models made safe to show: nothing in it can move a cursor or break a line."""

from __future__ import annotations

import unicodedata

_KEPT = "\n\t"


def visible(text: str) -> str:
    """The text with control, direction and surrogate characters escaped; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(c if c in _KEPT or not _hidden(c) else _escape(c) for c in text)


def one_line(text: str, *, limit: int = 0) -> str:
    """Everything on one line, runs of blanks folded; cut past `limit` characters, if given."""
    folded = visible(" ".join(text.split()))
    return folded if not limit or len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
