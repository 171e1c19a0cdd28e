"""Where the statements of a TOML file lie, for findings with lines and for edits that keep the rest."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from policies.edit import split_lines


@dataclass(frozen=True)
class Statement:
    """One header or `key = value`, on the 1-based lines `first` to `last`."""

    path: tuple[str, ...]
    """Keys from the top; of a dotted key only the first part."""
    header: bool
    first: int
    last: int


@lru_cache(maxsize=64)
def statements(text: str) -> tuple[Statement, ...]:
    """The statements of a TOML text that parses, in order."""
    lines = split_lines(text)
    found: list[Statement] = []
    table: tuple[str, ...] = ()
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        end, parsed = _complete(lines, at)
        header = lines[at].lstrip().startswith("[")
        path = _path(parsed) if header else (*table, next(iter(parsed), ""))
        table = path if header else table
        found.append(Statement(path, header, at + 1, end))
        at = end
    return tuple(found)


def _complete(lines: list[str], start: int) -> tuple[int, dict[str, Any]]:
    """The end of the statement that starts at a line: where the text so far is TOML by itself."""
    for end in range(start + 1, len(lines) + 1):
        try:
            return end, tomllib.loads("".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
    return start + 1, {}


def _path(parsed: Any) -> tuple[str, ...]:
    """The keys of a header, which parses to nested single-key tables."""
    path: list[str] = []
    while parsed:
        if isinstance(parsed, list):
            parsed = parsed[0]
            continue
        key = next(iter(parsed))
        path.append(key)
        parsed = parsed[key]
    return tuple(path)


def line_of(text: str, *path: str) -> int:
    """The line that states `path`, or the closest table above it; 1 when nothing does."""
    for depth in range(len(path), 0, -1):
        for statement in statements(text):
            if statement.path[:depth] == path[:depth]:
                return statement.first
    return 1


def line_of_string(text: str, value: str) -> int:
    """The first line with the string literal `value`; 1 when it is spelled with escapes."""
    for number, line in enumerate(split_lines(text), start=1):
        if f'"{value}"' in line or f"'{value}'" in line:
            return number
    return 1


def section(text: str, *path: str) -> Statement | None:
    """The whole table `path`: from its header to its last statement."""
    inside = [s for s in statements(text) if s.path[: len(path)] == path and len(s.path) <= len(path) + 1]
    header = next((s for s in inside if s.header and s.path == path), None)
    if header is None:
        return None
    own = [s for s in inside if not s.header and s.first > header.first]
    following = [s.first for s in statements(text) if s.header and s.first > header.first]
    stop = min(following, default=10**9)
    return Statement(
        path, True, header.first, max((s.last for s in own if s.first < stop), default=header.last)
    )
