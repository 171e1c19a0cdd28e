"""The console and the few shapes that all screens are made of.

Text of bundles and models is never interpreted: no markup, control characters escaped.
A pipe gets whole lines without padding; a terminal gets them wrapped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Final, NoReturn, TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.output import reader_left
from policies.records import Finding
from tools.plain_text import one_line

PIPE_WIDTH: Final = 160
"""Columns when the output is no terminal."""
LISTED: Final = 30
"""Rows that one list of a summary shows before it says how many more there are."""
_STATUS_STYLE: Final = {
    "met": "green",
    "violated": "red",
    "unproven": "yellow",
    "passed": "green",
    "failed": "red",
    "skipped": "yellow",
    "confirmed": "red",
    "refuted": "green",
    "unverified": "yellow",
    "judgement": "cyan",
}


class QuietConsole(Console):
    """A console that ends without a word when its reader went away."""

    def on_broken_pipe(self) -> NoReturn:
        """Called by rich in place of a traceback."""
        sys.exit(reader_left())


def make_console(stream: TextIO | None = None) -> Console:
    """A console on a stream, standard error by default, that no text can break."""
    target = stream or sys.stderr
    if hasattr(target, "reconfigure"):
        # A terminal that cannot show a character gets its escape, not a traceback.
        target.reconfigure(errors="backslashreplace")
    width = None if target.isatty() else PIPE_WIDTH
    return QuietConsole(file=target, width=width, highlight=False, markup=False, emoji=False)


def say(console: Console, *parts: str | tuple[str, str]) -> None:
    """One line of text, with styles."""
    console.print(Text.assemble(*parts), soft_wrap=not console.is_terminal)


def title(console: Console, text: str) -> None:
    """The heading of a section."""
    console.print()
    console.print(Text(text, "bold"), soft_wrap=not console.is_terminal)


def indented(console: Console, text: str | Text, *, by: int = 2, hang: int = 0) -> None:
    """Lines moved in; on a terminal what wraps is moved in by `hang` more."""
    body = text if isinstance(text, Text) else Text(text)
    if not console.is_terminal:
        for line in body.split("\n"):
            console.print(Text(" " * by).append_text(line), soft_wrap=True)
        return
    if hang and console.width > by + hang + 20:
        body = Text("\n").join(_hanging(console, body, by, hang))
    console.print(Padding(body, (0, 0, 0, by), expand=False))


def _hanging(console: Console, body: Text, by: int, hang: int) -> Iterable[Text]:
    lines = body.wrap(console, console.width - by - hang)
    for number, line in enumerate(lines):
        yield Text(" " * hang if number else "").append_text(line)


def rows(console: Console, cells: Sequence[Sequence[Text]], *, by: int = 2) -> None:
    """Aligned columns; the last one wraps on a terminal."""
    if not cells:
        return
    widths = [max(row[i].cell_len for row in cells) for i in range(len(cells[0]))]
    fixed = by + sum(width + 2 for width in widths[:-1])
    if console.is_terminal and console.width >= fixed + min(widths[-1], 20):
        grid = Table.grid(padding=(0, 2))
        for width in widths[:-1]:
            grid.add_column(min_width=width, no_wrap=True)
        for row in cells:
            grid.add_row(*row)
        console.print(Padding(grid, (0, 0, 0, by), expand=False))
        return
    for row in cells:
        line = Text(" " * by)
        for cell, width in zip(row, widths, strict=True):
            line.append_text(cell).append(" " * (width - cell.cell_len + 2))
        line.rstrip()
        console.print(line, soft_wrap=not console.is_terminal)


def plain(text: str) -> Text:
    """Text of others on one line."""
    return Text(one_line(text))


def status(word: str) -> Text:
    """A status in its colour."""
    return Text(word, _STATUS_STYLE.get(word, ""))


def place(finding: Finding) -> str:
    """File and line of a finding."""
    return one_line(f"{finding.file}:{finding.line}" if finding.line else finding.file)


def more(console: Console, count: int, listed: int = LISTED) -> None:
    """How many rows a list does not show."""
    if count > listed:
        indented(console, f"and {count - listed} more")


def count_of(number: int, noun: str) -> str:
    """E.g. `1 finding`, `3 findings`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
