"""What people see of a ledger and of the machine: attempts, diffs, diagnoses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from agent.render_base import plain, rows, say
from agent.render_progress import duration
from tools.plain_text import one_line, visible

if TYPE_CHECKING:  # these bring git and the sandboxes with them
    from tools.ledger_records import AttemptEntry, Begun
    from tools.machine import Diagnosis


def render_log(console: Console, entries: Sequence[AttemptEntry], unfinished: Sequence[Begun] = ()) -> None:
    """A ledger's attempts, one on a line."""
    if not entries and not unfinished:
        say(console, "no attempts")
        return
    cells = []
    for entry in entries:
        gate = Text("kept", "green") if entry.kept else Text("refused", "red")
        if entry.accepted and not entry.kept:
            gate = Text("not kept", "yellow")
        marks = Text(" ".join(entry.marks), "bold")
        took = Text(duration(entry.wall_s))
        head = (Text(str(entry.number)), Text(entry.sha[:10]), gate, took, marks, plain(entry.rehearsal))
        cells.append((*head, plain(entry.subject)))
    for begun in unfinished:
        # Cut off, or under way right now: the ledger cannot tell.
        head = (Text(str(begun.number)), Text("-"), Text("unfinished", "yellow"), Text(), Text(), Text())
        cells.append((*head, plain(begun.plan)))
    rows(console, cells, by=0)


def render_attempt(console: Console, entry: AttemptEntry, story: str) -> None:
    """One attempt: its commit, then its story as the note tells it."""
    marks = f" ({', '.join(entry.marks)})" if entry.marks else ""
    say(console, (visible(entry.subject), "bold"))
    say(console, f"commit {entry.sha}{marks}, {entry.date:%Y-%m-%d %H:%M:%S} UTC, on {entry.base[:10]}")
    if entry.sha != entry.repair_sha:
        say(console, f"repair {entry.repair_sha[:10]}, formatting {entry.sha[:10]}")
    console.print()
    console.print(Text(visible(story)), soft_wrap=not console.is_terminal)


def render_diff(console: Console, diff: str) -> None:
    """A unified diff for a terminal; a pipe gets the bytes instead."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff.splitlines():
        header = line.startswith(("+++", "---", "diff "))
        console.print(Text(visible(line), "bold" if header else styles.get(line[:1], "")), soft_wrap=True)


def render_diagnoses(console: Console, found: Sequence[Diagnosis]) -> None:
    """What works on this machine, and how to get the rest."""
    styles = {"works": "green", "missing": "red", "optional": "yellow"}
    for item in found:
        state = (f"{item.status:8}", styles[item.status])
        say(console, state, f"  {item.name:20}  {one_line(item.detail)}")
        if item.advice:
            say(console, f"{'':32}{one_line(item.advice)}")
