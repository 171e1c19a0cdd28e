"""Progress on standard error: a live line on a terminal, one plain line per step elsewhere."""

from __future__ import annotations

import re
import time
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from tools.plain_text import one_line

KEPT_S = 1.0
"""Steps that took at least this long stay on the screen with their time."""
REPEAT_S = 30.0
"""How often a step that goes on is said again where there is no live line."""
_ELAPSED = re.compile(r" \(\d+ s\)$")
"""Installers count the seconds of a step; they are no new step."""


def duration(seconds: float) -> str:
    """Seconds for people: `0.4 s`, `12 s`, `3 min 05 s`, `1 h 02 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class TerminalProgress:
    """A progress sink: call it with what starts now; use it in a `with` so that the live line goes away."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self.console = console
        self._quiet = quiet
        self._live: Live | None = None
        self._message = ""
        self._began_s = self._since_s = self._said_s = time.monotonic()
        self._spinner = Spinner("dots")

    def __call__(self, message: str, /) -> None:
        text = one_line(message)
        step, now_s = _ELAPSED.sub("", text), time.monotonic()
        if self._quiet or not text:
            return
        if step == self._message:
            self._say_again(text, now_s)
            return
        self._keep_last()
        self._message, self._since_s, self._said_s = step, now_s, now_s
        if self._live is None:
            self.console.print(Text(text), soft_wrap=True)

    def _say_again(self, text: str, now_s: float) -> None:
        if self._live is None and text != self._message and now_s - self._said_s >= REPEAT_S:
            self._said_s = now_s
            self.console.print(Text(text), soft_wrap=True)

    def __enter__(self) -> Self:
        self._began_s = self._since_s = time.monotonic()
        if self.console.is_terminal and not self.console.is_dumb_terminal and not self._quiet:
            self._live = Live(self, console=self.console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keep_last()
        self._message = ""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _keep_last(self) -> None:
        took_s = time.monotonic() - self._since_s
        if self._live is not None and self._message and took_s >= KEPT_S:
            self.console.print(_line("·", self._message, duration(took_s), self.console.width), style="dim")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The live line."""
        if not self._message:
            return
        now_s = time.monotonic()
        tail = f"{duration(now_s - self._since_s)}, {duration(now_s - self._began_s)} in all"
        lead = str(self._spinner.render(console.get_time()))
        yield _line(lead, self._message, tail, options.max_width)


def _line(lead: str, message: str, tail: str, width: int) -> Text:
    """One row; a narrow terminal shows what is happening and drops the rest, as a wrap would smear."""
    room = width - len(tail) - 5
    text = f"{one_line(message, limit=room)}  {tail}" if room >= 16 else message
    return Text(f"{lead} {text}", no_wrap=True, overflow="ellipsis")
