"""How long work says what it is doing now."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with one short sentence whenever something starts; rendering is the caller's business."""

    def __call__(self, message: str, /) -> None: ...


def silent(message: str, /) -> None:
    """A progress sink that drops everything."""
