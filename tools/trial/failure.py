"""Turns the outcome of a command into a failure record: what went wrong, and where in the bundle."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from policies.records import Failure, Phase
from tools.sandbox.base import ExecResult
from tools.trial import quiet_failure
from tools.trial.traceback_text import Block, Chain, Frame, chains, clean_lines

MAX_MESSAGE = 500
TAIL_LINES = 30
RELAYS = ("CalledProcessError", "ChildFailedError", "ProcessRaisedException", "ProcessExitedException")
"""Exceptions that only say that another process failed."""
MODULE = re.compile(r"-m[\s',\"]+(?P<name>[A-Za-z_][\w.]*)")
DIED = re.compile(r"died with <Signals\.\w+: (?P<signal>\d+)>")
STATUS = re.compile(r"returned non-zero exit status (?P<status>\d+)")
NOT_STARTED = ("ModuleNotFoundError", "FileNotFoundError")
"""Without a traceback these come from the interpreter's start: the fault lies with who started it."""
LIMITS = {"memory": "MemoryLimit", "wall": "Timeout"}


def parse_failure(phase: Phase, result: ExecResult, bundle_paths: Collection[str], workdir: str) -> Failure:
    """What a person would name as the failure of a command.

    Args:
        bundle_paths: paths of the bundle, relative to its root.
        workdir: the bundle's root as the command saw it.
    """
    stdout, stderr = clean_lines(result.stdout), clean_lines(result.stderr)
    place = Place(bundle_paths, workdir)
    lines = [place.without_root(line) for line in (*stdout, *stderr)]
    if result.status != "exited":
        return limit_reached(phase, result, lines, place)
    found = [chain for chain in chains(lines) if chain.last.exception]
    own = [chain for chain in found if not is_relay(chain) and not chain.last.stray]
    if own:
        chain = first_cause(own)
        return from_chain(phase, chain, place, tail_of(lines, chain.last.end))
    relays = [chain for chain in found if is_relay(chain)]
    return without_traceback(phase, result.returncode or 0, lines, relays, place)


class Place:
    """Finds frames inside the bundle."""

    def __init__(self, paths: Collection[str], workdir: str) -> None:
        self.paths = set(paths)
        self.root = workdir.rstrip("/") + "/"

    def without_root(self, line: str) -> str:
        """The line with the bundle's own paths made relative: where it lay must not make a difference."""
        return line.replace(self.root, "")

    def inside(self, path: str) -> str:
        """The path relative to the bundle's root; empty when it is not a file of the bundle."""
        relative = str(PurePosixPath(path.removeprefix(self.root).removeprefix("./")))
        return relative if relative in self.paths else ""

    def of(self, frames: Sequence[Frame]) -> Frame | None:
        """The innermost frame of the bundle, with its path made relative."""
        for frame in reversed(frames):
            if path := self.inside(frame.path):
                return Frame(path, frame.line, frame.function, frame.source)
        return None

    def module(self, command: str) -> Frame | None:
        """The file of the bundle that a quoted command line starts with `-m`."""
        match = MODULE.search(command)
        path = match["name"].replace(".", "/") + ".py" if match else ""
        return Frame(path, 0, "") if path in self.paths else None

    def named(self, program: str) -> Frame | None:
        """The only file of the bundle that has this name."""
        matches = [path for path in self.paths if PurePosixPath(path).name == program]
        return Frame(matches[0], 0, "") if len(matches) == 1 else None


def is_relay(chain: Chain) -> bool:
    """Whether the chain only passes on that another process failed."""
    return any(block.exception in RELAYS for block in chain.blocks)


def first_cause(found: Sequence[Chain]) -> Chain:
    """The chain that ended the innermost process: a child prints its own before its parent does."""
    uncaught = [c for c in found if c.blocks[0].top_level or c.last.top_level]
    scripts = [c for c in found if c.last.at_module_level]
    chain = (uncaught or scripts or found[-1:])[0]
    following = found[found.index(chain) + 1 :]
    # A parent may quote its child's output in its own message: the quoted traceback is the cause.
    if chain.last.message.endswith("Traceback (most recent call last):") and following:
        return first_cause(following)
    return chain


def from_chain(phase: Phase, chain: Chain, place: Place, tail: str) -> Failure:
    """The record of a chain: the exception under it all, unless only a library wraps it."""
    at = culprit(chain.blocks, place)
    block, last = chain.blocks[at], chain.last
    message = block.message
    if last.message and (last.exception, last.message) != (block.exception, block.message):
        message = f"{message} (reported as {last.exception}: {last.message})"
    frames = [place.of(b.frames) for b in (block, *reversed(chain.blocks))]
    return record(phase, block.exception, message, next((f for f in frames if f), None), tail)


def culprit(blocks: Sequence[Block], place: Place) -> int:
    """Index of the block to name: the bundle's own re-raising is looked through, a library's is not."""
    at = len(blocks) - 1
    while at > 0 and blocks[at - 1].exception and looks_through(blocks[at], blocks[at - 1], place):
        at -= 1
    return at


def looks_through(block: Block, cause: Block, place: Place) -> bool:
    """Whether `cause` says more than `block`: a raise in the bundle, or an error passed on."""
    if (block.exception, block.message) == (cause.exception, cause.message):
        return True
    return block.raised_by_statement and bool(place.inside(block.frames[-1].path))


def without_traceback(
    phase: Phase, status: int, lines: Sequence[str], relays: Sequence[Chain], place: Place
) -> Failure:
    """The record of a command, or of the child it waited for, that ended without a traceback."""
    words, frame, waiting = lines, None, None
    if relays:
        words = lines[: relays[0].blocks[0].start]
        command = relays[0].blocks[0].message
        status = relayed_status(command) or status
        frames = (place.of(block.frames) for chain in relays for block in reversed(chain.blocks))
        waiting = next((f for f in frames if f), None)
        frame = place.module(command) or waiting
    quiet = quiet_failure.read(words, status)
    if quiet.exception in NOT_STARTED:
        frame = waiting
    frame = place.of(quiet.frames) or place.named(quiet.program) or frame
    return record(phase, quiet.exception, quiet.message, frame, tail_of(lines, len(words)))


def relayed_status(message: str) -> int:
    """The child's exit status as its parent reports it, negative for a signal; 0 when it does not."""
    if match := DIED.search(message):
        return -int(match["signal"])
    match = STATUS.search(message)
    return int(match["status"]) if match else 0


def limit_reached(phase: Phase, result: ExecResult, lines: Sequence[str], place: Place) -> Failure:
    """The record of a command that was ended from outside."""
    exception = "Timeout" if result.status == "timed_out" else LIMITS.get(result.reason, "Killed")
    peak = f", {result.peak_memory_bytes / 2**30:.1f} GiB in use" if result.peak_memory_bytes else ""
    message = {
        "Timeout": f"still running after {result.wall_s:.0f} s",
        "MemoryLimit": f"ended at the memory limit after {result.wall_s:.0f} s{peak}",
    }.get(
        exception,
        f"ended after {result.wall_s:.0f} s" + (f" at the {result.reason} limit" * bool(result.reason)),
    )
    frame = next((f for stack in quiet_failure.stacks(lines) if (f := place.of(stack))), None)
    return record(phase, exception, message, frame, tail_of(lines, len(lines)))


def record(phase: Phase, exception: str, message: str, frame: Frame | None, tail: str) -> Failure:
    """A failure record with its texts in bounds."""
    text = re.sub(r"\s+", " ", message).strip()
    return Failure(
        phase=phase,
        exception=exception,
        message=text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…",
        file=frame.path if frame else "",
        line=frame.line if frame else 0,
        function=frame.function if frame else "",
        tail=tail,
    )


def output_tail(result: ExecResult) -> str:
    """The last lines that a command wrote."""
    lines = [*clean_lines(result.stdout), *clean_lines(result.stderr)]
    return tail_of(lines, len(lines))


def tail_of(lines: Sequence[str], end: int) -> str:
    """The last lines, those up to `end` first: a parent's long traceback must not hide its child's."""
    kept = list(lines)
    while kept and not kept[-1]:
        kept.pop()
    end = min(end, len(kept))
    if len(kept) - end < TAIL_LINES // 3:
        return "\n".join(kept[-TAIL_LINES:])
    head = TAIL_LINES - TAIL_LINES // 3
    return "\n".join([*kept[max(0, end - head) : end], "...", *kept[-(TAIL_LINES // 3 - 1) :]])
