"""What people see: verdicts, rehearsals, the closing summary and a ledger's history.

Text of bundles and models is never interpreted: no markup, control characters escaped.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.output import reader_left
from agent.render_progress import duration
from policies.records import (
    Claim,
    CriterionResult,
    EndReason,
    Finding,
    Phase,
    Rehearsal,
    Severity,
    Spent,
    Verdict,
)
from tools.plain_text import one_line, visible

if TYPE_CHECKING:  # these bring git and the sandboxes with them
    from agent.results import Fixed, RepairResult
    from tools.ledger_records import AttemptEntry, Begun
    from tools.machine import Diagnosis

PIPE_WIDTH: Final = 160
"""Columns when the output is no terminal."""
LISTED: Final = 30
"""Rows that one list of a summary shows before it says how many more there are."""
_HEADLINES: Final[dict[EndReason, str]] = {
    "ready": "READY",
    "budget": "NOT READY: a budget is used up",
    "stuck": "NOT READY: no attempt brings anything new",
    "cannot-repair": "NOT READY: what is left cannot be repaired here",
    "interrupted": "INTERRUPTED",
}
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


def render_verdict(console: Console, verdict: Verdict, rehearsals: Sequence[Rehearsal] = ()) -> None:
    """A review: the decision, the criteria, the findings with evidence, the claims."""
    style = "bold green" if verdict.is_code_ready else "bold red"
    blocking = len(verdict.blocking)
    counts = f"{blocking} blocking, {len(verdict.findings) - blocking} advisory"
    _say(console, ("READY" if verdict.is_code_ready else "NOT READY", style), f": {counts}")
    _criteria(console, verdict.criteria)
    if rehearsals:
        render_rehearsals(console, rehearsals)
    _findings(console, verdict.findings, title="Findings")
    _claims(console, verdict.claims, title="Claims of the reviewer")


def render_rehearsals(console: Console, rehearsals: Sequence[Rehearsal]) -> None:
    """Every rehearsal on a line, failures with where they happened."""
    _title(console, "Rehearsals")
    grid = _grid()
    for item in rehearsals:
        took, steps = Text(duration(item.wall_s)), Text(_steps(item.phase, [item]), "dim")
        grid.add_row(Text(item.phase), _plain(item.run_id), _status(item.status), took, steps)
    console.print(Padding(grid, (0, 0, 0, 2)))
    for item in rehearsals:
        _failure(console, item)


def render_result(console: Console, result: RepairResult) -> None:
    """The closing summary of a repair."""
    style = "bold green" if result.reason == "ready" else "bold red"
    console.print()
    _say(console, (_HEADLINES[result.reason], style), f"  {one_line(result.source)}")
    if result.detail:
        _indented(console, visible(result.detail))
    _criteria(console, result.verdict.criteria)
    _before_and_after(console, result.before, result.rehearsals)
    _fixes(console, result.fixed)
    _findings(console, result.verdict.findings, title="Left")
    for item in result.rehearsals:
        _failure(console, item)
    refuted = tuple(claim for claim in result.verdict.claims if claim.status == "refuted")
    _claims(console, refuted, title="Claims that the evidence refutes")
    _bullets(console, "Attempts that the gate refused", (f"{r.attempt}: {r.reason}" for r in result.refused))
    _bullets(console, "Assumed", result.notes)
    _closing(console, result)


def render_log(console: Console, entries: Sequence[AttemptEntry], unfinished: Sequence[Begun] = ()) -> None:
    """A ledger's attempts, one on a line."""
    if not entries and not unfinished:
        _say(console, "no attempts")
        return
    grid = _grid()
    for entry in entries:
        gate = Text("kept", "green") if entry.kept else Text("refused", "red")
        if entry.accepted and not entry.kept:
            gate = Text("not kept", "yellow")
        marks = Text(" ".join(entry.marks), "bold")
        took = Text(duration(entry.wall_s))
        grid.add_row(
            Text(str(entry.number)),
            Text(entry.sha[:10]),
            gate,
            took,
            _plain(entry.rehearsal),
            _plain(entry.subject),
            marks,
        )
    for begun in unfinished:
        grid.add_row(Text(str(begun.number)), Text("-"), Text("killed", "yellow"), "", "", _plain(begun.plan))
    console.print(grid)


def render_attempt(console: Console, entry: AttemptEntry, story: str) -> None:
    """One attempt: its commit, then its story as the note tells it."""
    marks = f" ({', '.join(entry.marks)})" if entry.marks else ""
    _say(console, (visible(entry.subject), "bold"))
    _say(console, f"commit {entry.sha}{marks}, {entry.date:%Y-%m-%d %H:%M:%S} UTC, on {entry.base[:10]}")
    if entry.sha != entry.repair_sha:
        _say(console, f"repair {entry.repair_sha[:10]}, formatting {entry.sha[:10]}")
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
        _say(console, state, f"  {item.name:20}  {one_line(item.detail)}")
        if item.advice:
            _say(console, f"{'':32}{one_line(item.advice)}")


def _say(console: Console, *parts: str | tuple[str, str]) -> None:
    console.print(Text.assemble(*parts), soft_wrap=not console.is_terminal)


def _title(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, "bold"))


def _indented(console: Console, text: str | Text, *, by: int = 2) -> None:
    body = text if isinstance(text, Text) else Text(text)
    console.print(Padding(body, (0, 0, 0, by), expand=False))


def _grid() -> Table:
    return Table.grid(padding=(0, 2))


def _plain(text: str) -> Text:
    return Text(one_line(text))


def _status(status: str) -> Text:
    return Text(status, _STATUS_STYLE.get(status, ""))


def _place(finding: Finding) -> str:
    return one_line(f"{finding.file}:{finding.line}" if finding.line else finding.file)


def _criteria(console: Console, criteria: Sequence[CriterionResult]) -> None:
    if not criteria:
        return
    _title(console, "Criteria")
    grid = _grid()
    for row in criteria:
        count = f"{row.findings} finding{'s' if row.findings != 1 else ''}" if row.findings else ""
        grid.add_row(Text(str(row.number)), _plain(row.title), _status(row.status), Text(count))
    console.print(Padding(grid, (0, 0, 0, 2)))


def _findings(console: Console, findings: Sequence[Finding], *, title: str) -> None:
    # What blocks comes first: it decides.
    ranked = sorted(findings, key=lambda f: f.severity is not Severity.BLOCKING)
    if ranked:
        _title(console, f"{title} ({len(ranked)})")
    for finding in ranked[:LISTED]:
        style = "red" if finding.severity is Severity.BLOCKING else "yellow"
        head = Text.assemble((_place(finding), "bold"), "  ", (finding.check, style), "  ")
        _indented(console, head.append(one_line(finding.message, limit=400)))
        if finding.evidence:
            _indented(console, Text(one_line(finding.evidence, limit=400), "dim"), by=4)
    _more(console, len(ranked))


def _more(console: Console, count: int) -> None:
    if count > LISTED:
        _indented(console, f"and {count - LISTED} more")


def _claims(console: Console, claims: Sequence[Claim], *, title: str) -> None:
    if claims:
        _title(console, title)
    for claim in claims[:LISTED]:
        _indented(console, _status(claim.status).append(f"  {one_line(claim.text, limit=400)}", ""))
        if claim.evidence:
            _indented(console, Text(one_line(claim.evidence, limit=400), "dim"), by=4)
    _more(console, len(claims))


def _fixes(console: Console, fixed: Sequence[Fixed]) -> None:
    if not fixed:
        return
    _title(console, f"Fixed ({len(fixed)})")
    for item in fixed[:LISTED]:
        head = Text.assemble((_place(item.finding), "bold"), "  ", (item.finding.check, "green"), "  ")
        how = f"{item.how}, attempt {item.attempt}"
        _indented(console, head.append(f"{one_line(how)}: {one_line(item.finding.message, limit=160)}"))
    _more(console, len(fixed))


def _before_and_after(console: Console, before: Sequence[Rehearsal], after: Sequence[Rehearsal]) -> None:
    phases = dict.fromkeys(item.phase for item in (*before, *after))
    if not phases:
        return
    _title(console, "Rehearsals, before and after")
    grid = _grid()
    for phase in phases:
        cells = [_passed([r for r in items if r.phase == phase]) for items in (before, after)]
        grid.add_row(Text(phase), cells[0], Text("→"), cells[1], Text(_steps(phase, after), "dim"))
    console.print(Padding(grid, (0, 0, 0, 2)))


def _passed(items: Sequence[Rehearsal]) -> Text:
    if not items:
        return Text("not run", "dim")
    passed = sum(item.status == "passed" for item in items)
    style = "green" if passed == len(items) else "red"
    return Text(items[0].status if not items[0].run_id else f"{passed} of {len(items)} passed", style)


def _steps(phase: Phase, items: Sequence[Rehearsal]) -> str:
    """What the probes counted: that something passed is not yet that it trained."""
    proofs = [item.proof for item in items if item.phase == phase and item.proof is not None]
    if not any(proof.batches or proof.optimizer_steps for proof in proofs):
        return ""
    batches, steps = (sum(getattr(p, name) for p in proofs) for name in ("batches", "optimizer_steps"))
    moved = sum(proof.parameters_moved for proof in proofs)
    return f"{batches} batches, {steps} optimizer steps, parameters moved in {moved} of {len(proofs)}"


def _failure(console: Console, item: Rehearsal) -> None:
    label = one_line(f"{item.phase} {item.run_id}")
    if item.failure is None:
        if item.note and item.status != "passed":
            _indented(console, f"{label}: {one_line(item.note)}")
        return
    failure = item.failure
    where = f" at {one_line(failure.file)}:{failure.line}" if failure.file else ""
    said = one_line(failure.message, limit=400)
    _indented(console, Text.assemble(f"{label}: ", (failure.exception, "red"), f"{where}: {said}"))


def _bullets(console: Console, title: str, lines: Iterable[str]) -> None:
    kept = [one_line(line, limit=400) for line in lines]
    if kept:
        _title(console, title)
    for line in kept[:LISTED]:
        _indented(console, f"- {line}")
    _more(console, len(kept))


def spent_text(spent: Spent) -> str:
    """A budget's use for people, e.g. `3 attempts, 42 s, 12,000 tokens in 2 calls, $0.03`."""
    parts = [f"{spent.attempts} attempt{'s' if spent.attempts != 1 else ''}", duration(spent.seconds)]
    if spent.calls:
        calls = f"{spent.calls} call{'s' if spent.calls != 1 else ''}"
        parts += [f"{spent.tokens:,} tokens in {calls}", f"${spent.usd:.2f}"]
    else:
        parts.append("no model asked")
    return ", ".join(parts)


def _closing(console: Console, result: RepairResult) -> None:
    diff = result.diff
    console.print()
    grid = _grid()
    changed = (
        f"{diff.files} file{'s' if diff.files != 1 else ''}, +{diff.added_lines} -{diff.removed_lines} lines"
    )
    grid.add_row(Text("Changed", "bold"), Text(changed))
    grid.add_row(Text("Spent", "bold"), Text(spent_text(result.budget)))
    grid.add_row(Text("Ledger", "bold"), Text(visible(result.ledger)))
    console.print(grid)
    for command in _next_commands(result):
        # A wrapped command could not be copied.
        console.print(Text(f"  {command}"), soft_wrap=True)


def _next_commands(result: RepairResult) -> list[str]:
    path = shlex.quote(result.ledger)
    commands = [f"suture diff {path}", f"suture log {path}", f"suture export {path} --as dir --out repaired"]
    if result.reason in ("interrupted", "budget"):
        commands.insert(0, f"suture resume {path}")
    return commands
