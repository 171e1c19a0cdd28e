"""Standard output, where only data goes. A reader that went away ends the output quietly."""

from __future__ import annotations

import json
import os
import sys
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


def reader_left() -> int:
    """Keep the interpreter from flushing into the closed pipe; the exit status, as `| head` is no fault."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
