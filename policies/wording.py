"""How findings quote what is too long to quote: nobody is to take a part for the whole."""

from __future__ import annotations

from collections.abc import Iterable


def clip(text: str, chars: int) -> str:
    """The text, or its first `chars` characters and an ellipsis."""
    return text if len(text) <= chars else f"{text[:chars].rstrip()}…"


def listed(names: Iterable[str], most: int) -> str:
    """The first `most` names and how many follow, with commas between them."""
    every = list(names)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + rest


def visible(text: str) -> str:
    """The text with control characters spelled out, as a reader cannot see them."""
    return "".join(
        c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode("ascii") for c in text
    )
