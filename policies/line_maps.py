"""Which lines of a file are still those of an earlier version of it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import lru_cache

from policies.review_answer import lines_of

MAX_LINES = 2000
"""Where more lines than this lie between the first and the last change, all of them count as changed."""


@lru_cache(maxsize=256)
def line_map(old: str, new: str) -> Mapping[int, int]:
    """Old line number -> new line number of every line that stayed; 1-based, layout at line ends ignored."""
    before = [line.rstrip() for line in lines_of(old)]
    after = [line.rstrip() for line in lines_of(new)]
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    kept = {n: n for n in range(1, head + 1)}
    kept |= {len(before) - n: len(after) - n for n in range(tail)}
    inner_old, inner_new = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(inner_old), len(inner_new)) <= MAX_LINES:
        for block in SequenceMatcher(None, inner_old, inner_new, autojunk=False).get_matching_blocks():
            kept |= {head + block.a + n + 1: head + block.b + n + 1 for n in range(block.size)}
    return kept


def unchanged(old: str, new: str, first: int, last: int) -> int:
    """Where the old lines `first` to `last` begin now, if all are there with nothing between; else 0."""
    kept = line_map(old, new)
    now = [kept.get(n, 0) for n in range(first, last + 1)]
    return now[0] if now and now[0] and now == list(range(now[0], now[0] + len(now))) else 0


def nearest(old: str, new: str, line: int) -> int:
    """Where an old line stands now, or the last line before it that stayed; at least 1."""
    kept = line_map(old, new)
    return next((kept[n] for n in range(line, 0, -1) if n in kept), 1)


def _common(a: list[str], b: list[str]) -> int:
    """How many lines two versions begin with alike."""
    pairs = zip(a, b, strict=False)
    return next((n for n, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))
