"""Fences around text of others in a prompt, which that text can neither close nor open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

Fence = Callable[[str, str], str]
"""From a name and a text to the fenced block."""


def fence_for(stable: Sequence[str], others: Iterable[str]) -> Fence:
    """A fence whose key occurs in nothing that is fenced.

    Args:
        stable: what does not change from request to request; the key follows from it.
        others: everything else that will be fenced.
    """
    given = "\n".join(stable)
    everything = "\n".join((given, *others))
    key = _digest(given)
    while key in everything:
        key = _digest(key)

    def fence(name: str, text: str) -> str:
        return f"<<<DATA {key} {' '.join(name.split())}\n{text.rstrip()}\nDATA {key}>>>"

    return fence


def cut(text: str, limit: int) -> str:
    """The text up to a length, with a mark where it goes on."""
    return text if len(text) <= limit else text[:limit].rstrip() + " […]"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
