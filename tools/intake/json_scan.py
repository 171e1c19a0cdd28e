"""Finds JSON objects inside prose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_DECODER = json.JSONDecoder(strict=False)
_MAX_FAILURES = 1000
_OPENING = re.compile(r'\{\s*"')


class Found(NamedTuple):
    """A JSON object and the span of text that spells it."""

    start: int
    end: int
    value: dict[str, Any]


def objects_in(text: str, needle: str = '"') -> Iterator[Found]:
    """Every outermost JSON object of a text that contains `needle`, in order.

    Prose may hold braces that open nothing, so the number and the work of failed attempts is bounded.
    """
    position, spent, failures = 0, 0, 0
    last = text.rfind(needle)
    while (match := _OPENING.search(text, position)) and match.start() <= last:
        if failures > _MAX_FAILURES or spent > 20 * len(text):
            return
        try:
            value, end = _DECODER.raw_decode(text, match.start())
        except (ValueError, RecursionError) as error:
            spent += getattr(error, "pos", len(text)) - match.start()
            failures += 1
            position = match.start() + 1
            continue
        if needle in text[match.start() : end]:
            yield Found(match.start(), end, value)
        position = end


def first_error(text: str, start: int) -> Exception | None:
    """Why the JSON object that opens at `start` cannot be parsed."""
    try:
        _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        return error
    return None
