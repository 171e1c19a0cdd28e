"""Reads Python tracebacks out of a program's output. Pure text in, values out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

HEADER = "Traceback (most recent call last):"
FRAME = re.compile(r'^\s*File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
ERROR = re.compile(r"^(?P<type>[A-Za-z_][\w.]*)(?:: ?(?P<message>.*))?$")
LINKS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
MARKERS = ("--- Logging error ---", "Exception ignored in", "Error in atexit", "Error in sys.excepthook")
"""Lines before a traceback that Python reports but does not stop for."""
STARTS = ("_run_module_as_main", "_bootstrap")
"""Functions in which the interpreter, or a worker process, begins."""
RANK = re.compile(r"^\[rank\d+\]:\s?")
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Frame:
    """One `File ..., line ..., in ...` entry."""

    path: str
    line: int
    function: str
    source: str = ""


@dataclass(frozen=True)
class Block:
    """One traceback: its frames, outermost first, and the exception under them."""

    start: int
    """Index of its header among the lines."""
    end: int
    """Index after its last line."""
    frames: tuple[Frame, ...]
    exception: str
    message: str
    linked: bool = False
    """Whether the previous block is its cause or its context."""
    stray: bool = False
    """Printed about something that did not stop the program."""

    @property
    def top_level(self) -> bool:
        """Whether nothing caught it: its first frame is where the interpreter starts a module or a worker."""
        first = self.frames[0] if self.frames else Frame("", 0, "")
        return first.path == "<frozen runpy>" or first.function in STARTS

    @property
    def at_module_level(self) -> bool:
        """Whether it may be the end of a script: it starts at a file's own statements."""
        return bool(self.frames) and self.frames[0].function == "<module>"

    @property
    def raised_by_statement(self) -> bool:
        """Whether the innermost frame is an explicit `raise`."""
        return bool(self.frames) and self.frames[-1].source.startswith("raise")


@dataclass(frozen=True)
class Chain:
    """Blocks that Python links as cause and effect; the last one is what was reported."""

    blocks: tuple[Block, ...] = field(default_factory=tuple)

    @property
    def last(self) -> Block:
        """The exception that ended the program, or was printed."""
        return self.blocks[-1]


def clean_lines(data: bytes) -> list[str]:
    """Lines as a terminal would leave them: no escapes or control characters, progress bars collapsed."""
    text = ESCAPES.sub("", data.decode("utf-8", "replace"))
    lines = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.removesuffix("\n").split("\n") if text)
    return [CONTROL.sub("", RANK.sub("", line)).rstrip() for line in lines]


def chains(lines: Sequence[str]) -> tuple[Chain, ...]:
    """Every chain of tracebacks, in order of appearance."""
    groups: list[list[Block]] = []
    for block in blocks(lines):
        if block.linked and groups:
            groups[-1].append(block)
        else:
            groups.append([block])
    return tuple(Chain(tuple(group)) for group in groups)


def blocks(lines: Sequence[str]) -> tuple[Block, ...]:
    """Every traceback, in order of appearance."""
    starts = [i for i, line in enumerate(lines) if line.endswith(HEADER)]
    found = [read_block(lines, start, end) for start, end in pairwise([*starts, len(lines)])]
    links = [b.linked or is_linked(lines[a.start : b.start]) for a, b in pairwise(found)]
    return tuple(replace(block, linked=link) for block, link in zip(found, [False, *links], strict=False))


def is_linked(between: Sequence[str]) -> bool:
    """Whether the lines from one header to the next say that the two belong together."""
    return any(line.strip(" |") in LINKS for line in between)


def read_block(lines: Sequence[str], start: int, end: int) -> Block:
    """The traceback whose header is at `start`: everything indented under it, then the error."""
    margin = len(lines[start]) - len(lines[start].lstrip(" |+"))
    body = [line[margin:] if not line[:margin].strip(" |+") else line for line in lines[start + 1 : end]]
    size = next((i for i, line in enumerate(body) if not line.startswith((" ", "\t"))), len(body))
    exception, message, used = read_error(body[size:])
    nested = lines[start].lstrip(" |+").startswith("Original ")
    return Block(
        start=start,
        end=start + 1 + size + used,
        frames=tuple(read_frames(body[:size])),
        exception=exception,
        message=message,
        linked=nested,
        stray=is_stray(lines, start),
    )


def read_frames(body: Sequence[str]) -> Iterator[Frame]:
    """The frames of a traceback, each with its source line if one is shown."""
    for line, after in zip(body, [*body[1:], ""], strict=True):
        if match := FRAME.match(line):
            source = "" if FRAME.match(after) else after.strip()
            yield Frame(match["path"], int(match["line"]), match["function"] or "", source)


def read_error(lines: Sequence[str]) -> tuple[str, str, int]:
    """Exception type, message on one line, and how many lines they take."""
    match = ERROR.match(lines[0]) if lines else None
    if match is None:
        return "", "", 0
    parts = [(match["message"] or "").strip()]
    for line in lines[1:]:
        if not belongs_to_message(line, first=parts == [""] and lines[0].endswith(":")):
            break
        parts.append(line.strip())
    return match["type"].rsplit(".", 1)[-1], " ".join(part for part in parts if part), len(parts)


def belongs_to_message(line: str, *, first: bool) -> bool:
    """Whether a line continues the message: an indented line, or any text when nothing was said yet."""
    if line.startswith((" ", "\t")) and line.strip():
        return True
    return first and bool(line.strip()) and line.strip() not in LINKS and not line.endswith(HEADER)


def is_stray(lines: Sequence[str], start: int) -> bool:
    """Whether the line before the header says that the program went on."""
    before = next((line for line in reversed(lines[max(0, start - 3) : start]) if line.strip()), "")
    return before.lstrip().startswith(MARKERS)


def unheaded_syntax_error(lines: Sequence[str]) -> Iterator[Block]:
    """A syntax error of the program's own file has no traceback, only a `File` line and the message."""
    for at, line in enumerate(lines):
        match = FRAME.match(line)
        if match is None or match["function"]:
            continue
        for offset in range(1, 5):
            error = ERROR.match(lines[at + offset]) if at + offset < len(lines) else None
            if error and error["type"] in ("SyntaxError", "IndentationError", "TabError"):
                frame = Frame(match["path"], int(match["line"]), "")
                yield Block(at, at + offset + 1, (frame,), error["type"], error["message"] or "")
                break
