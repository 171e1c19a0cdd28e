"""Reads failures that leave no traceback: usage errors, Hydra's short form, signals, plain exit messages."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tools.trial.traceback_text import Frame, unheaded_syntax_error

USAGE = re.compile(r"^(?P<program>[\w.\-/]+): error: (?P<message>.+)$")
NO_MODULE = re.compile(r"^\S*python[\w.]*: (?P<message>No module named .+|can't open file .+)$")
NO_SPEC = re.compile(
    r"^\S*python[\w.]*: Error while finding module specification for .+? \((?P<error>\w+): (?P<message>.+)\)$"
)
FATAL = re.compile(r"^Fatal Python error: (?P<message>.+)$")
STACK_HEADER = re.compile(r"^(?:Current thread|Thread) 0x\w+.*\(most recent call first\):")
STACK_FRAME = re.compile(r'^  File "(?P<path>[^"]+)", line (?P<line>\d+) in (?P<function>.+)$')
HYDRA_HINT = "Set the environment variable HYDRA_FULL_ERROR=1"
HYDRA_TYPES = (
    ("Cannot find primary config", "MissingConfigException"),
    ("Could not find", "MissingConfigException"),
    ("Primary config", "MissingConfigException"),
    ("Error parsing override", "OverrideParseException"),
    ("mismatched input", "OverrideParseException"),
    ("Error in call to target", "InstantiationException"),
    ("Error locating target", "InstantiationException"),
)


@dataclass(frozen=True)
class Quiet:
    """A failure without a traceback."""

    exception: str
    message: str
    frames: tuple[Frame, ...] = ()
    """Outermost first, where a stack was dumped."""
    program: str = ""
    """File name of the program that complained, when it says so."""


def read(lines: Sequence[str], status: int) -> Quiet:
    """The failure that the output of a command tells of, given its exit status."""
    readers: tuple[Callable[[Sequence[str]], Quiet | None], ...] = (fatal, syntax, usage, module, hydra)
    for reader in readers:
        if (quiet := reader(lines)) is not None:
            return quiet
    if status < 0 or status > 128:
        name = signal_name(-status if status < 0 else status - 128)
        return Quiet("Killed", f"ended by {name}{said(lines)}")
    return Quiet("ExitStatus", f"exit status {status}{said(lines)}")


def said(lines: Sequence[str]) -> str:
    """The last words, as the end of a message."""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last}" if last else ""


def fatal(lines: Sequence[str]) -> Quiet | None:
    """A crash of the interpreter, with the stack that it dumped."""
    for at, line in enumerate(lines):
        if match := FATAL.match(line):
            after = list(stacks(lines[at:]))
            return Quiet("Killed", match["message"], after[0] if after else ())
    return None


def stacks(lines: Sequence[str]) -> Iterator[tuple[Frame, ...]]:
    """Dumped stacks, outermost frame first; those that wait for a child process come last."""
    found: list[tuple[Frame, ...]] = []
    for at, line in enumerate(lines):
        if STACK_HEADER.match(line):
            found.append(tuple(reversed(list(dumped_frames(lines[at + 1 :])))))
    waiting = [bool(stack) and stack[-1].path.endswith("subprocess.py") for stack in found]
    yield from (stack for stack, waits in zip(found, waiting, strict=True) if not waits)
    yield from (stack for stack, waits in zip(found, waiting, strict=True) if waits)


def dumped_frames(lines: Sequence[str]) -> Iterator[Frame]:
    """The frames directly under a stack's header."""
    for line in lines:
        match = STACK_FRAME.match(line)
        if match is None:
            return
        yield Frame(match["path"], int(match["line"]), match["function"])


def syntax(lines: Sequence[str]) -> Quiet | None:
    """A syntax error in the program's own file."""
    block = next(unheaded_syntax_error(lines), None)
    return Quiet(block.exception, block.message, block.frames) if block else None


def usage(lines: Sequence[str]) -> Quiet | None:
    """argparse's (or click's) complaint about the arguments."""
    for line in reversed(lines):
        match = USAGE.match(line)
        if match and any(other.startswith(("usage:", "Usage:")) for other in lines):
            return Quiet("ExitStatus", f"usage error: {match['message']}", program=match["program"])
    return None


def module(lines: Sequence[str]) -> Quiet | None:
    """`python -m` could not find or open the program."""
    for line in reversed(lines):
        if match := NO_SPEC.match(line):
            return Quiet(match["error"], match["message"])
        if match := NO_MODULE.match(line):
            missing = match["message"].startswith("No module")
            return Quiet("ModuleNotFoundError" if missing else "FileNotFoundError", match["message"])
    return None


def hydra(lines: Sequence[str]) -> Quiet | None:
    """Hydra's short form: a paragraph, then the hint how to see more."""
    at = next((i for i, line in enumerate(lines) if line.startswith(HYDRA_HINT)), None)
    if at is None:
        return None
    paragraph: list[str] = []
    for line in reversed(lines[:at]):
        if line.strip():
            paragraph.insert(0, line.strip())
        elif paragraph:
            break
    text = " ".join(paragraph)
    kind = next((name for start, name in HYDRA_TYPES if start in text), "ConfigCompositionException")
    return Quiet(kind, text) if text else None


def signal_name(number: int) -> str:
    """`SIGSEGV` for 11; the number itself when it has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
