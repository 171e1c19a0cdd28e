"""Formats the lines that a patch touched and no others, so that a diff shows the repair."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import black
from black.const import DEFAULT_LINE_LENGTH
from black.parsing import InvalidInput

from policies.records import Bundle
from tools.patch import changed_ranges

# Everything black and its tokenizer raise for a source they cannot handle.
_UNFORMATTABLE = (InvalidInput, SyntaxError, ValueError, LookupError, AssertionError, RecursionError)


def format_touched(base: Bundle, changed: Bundle) -> Bundle:
    """`changed` with the Python lines that differ from `base` in black's style. Never fails.

    The line length is the one that the bundle's own pyproject.toml sets for black or ruff.
    """
    length = _line_length(changed.files.get("pyproject.toml", ""))
    for path, text in changed.files.items():
        before = base.files.get(path, "")
        if path.endswith(".py") and text != before:
            changed = changed.with_file(path, _formatted(before, text, length))
    return changed


def _formatted(before: str, text: str, length: int) -> str:
    mode = black.Mode(line_length=length)
    # Ranges in a file of another line-end style would cover all of it.
    ranges = changed_ranges(before, text) if before.strip() else ()
    if before.strip() and not ranges:
        return text
    try:
        result = black.format_str(text, mode=mode, lines=ranges)
        black.assert_equivalent(text, result)
    except _UNFORMATTABLE:
        return text
    return _line_ends_of(text, result)


def _line_ends_of(text: str, result: str) -> str:
    """`result` with the line ends of `text`, which the formatter's library form drops."""
    windows = text.count("\r\n")
    if windows and windows == text.count("\n"):
        return result.replace("\r\n", "\n").replace("\n", "\r\n")
    return result


def _line_length(pyproject: str) -> int:
    try:
        tool = tomllib.loads(pyproject).get("tool")
    except (tomllib.TOMLDecodeError, RecursionError):
        return DEFAULT_LINE_LENGTH
    settings = tool if isinstance(tool, Mapping) else {}
    for name in ("black", "ruff"):
        section = settings.get(name)
        value = section.get("line-length") if isinstance(section, Mapping) else None
        if isinstance(value, int) and 40 <= value <= 320:
            return value
    return DEFAULT_LINE_LENGTH
