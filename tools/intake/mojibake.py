"""Recognizes text that was decoded with the wrong code page."""

from __future__ import annotations

import re

_PAGES = ("mac_roman", "cp1252", "latin-1", "cp437")
_RUN = re.compile(r"[^\x00-\x7f]{2,}")
_ENOUGH = 3


def wrong_code_page(text: str) -> str:
    """The code page as which UTF-8 was decoded; empty when the text looks sound.

    A run of non-ASCII characters that re-encodes to valid UTF-8 is no accident when it happens often.
    """
    runs = _RUN.findall(text)
    counts = {page: sum(_decodes(run, page) for run in runs) for page in _PAGES}
    best = max(_PAGES, key=lambda page: counts[page])
    return best if counts[best] >= _ENOUGH and 2 * counts[best] > len(runs) else ""


def _decodes(run: str, page: str) -> bool:
    try:
        return len(run.encode(page).decode("utf-8")) < len(run)
    except UnicodeError:
        return False
