"""Standard output, where only data goes. A reader that went away ends the output quietly."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any


def print_json(data: Mapping[str, Any] | Sequence[Any]) -> None:
    """Data to standard output; ASCII, so that no locale and no half surrogate pair can stop it."""
    print_text(json.dumps(data, indent=2) + "\n")


def print_text(text: str) -> None:
    """Text to standard output, in UTF-8 whatever the locale: a diff must apply as it is."""
    try:
        sys.stdout.flush()
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            sys.stdout.write(text)
        else:
            buffer.write(text.encode("utf-8", "surrogatepass"))
            buffer.flush()
    except BrokenPipeError:
        sys.exit(reader_left())


def print_prose(text: str) -> None:
    """Text for people: a terminal too narrow for a line gets it folded between words."""
    width = terminal_width()
    print_text(folded(text, width) if width else text)


def terminal_width() -> int:
    """Columns of the terminal that standard output is; 0 when it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def folded(text: str, width: int) -> str:
    """The text with its long lines wrapped and moved in; blocks of code stay as they are."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = line[: len(line) - len(line.lstrip("`"))]
        if len(mark) >= 3 and mark == (fence or mark):
            fence = "" if fence else mark
        indent = " " * (len(line) - len(line.lstrip(" ")) + 4)
        short = fence or len(line) <= width or width < len(indent) + 20
        lines += [line] if short else _wrapped(line, width, indent)
    return "\n".join(lines)


def _wrapped(line: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def reader_left() -> int:
    """Keep the interpreter from flushing into the closed pipe; the exit status, as `| head` is no fault."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
