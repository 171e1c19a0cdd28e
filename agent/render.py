"""What people see of a review, of rehearsals and of a whole repair."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from agent.render_base import LISTED, count_of, indented, more, plain, rows, say, status, title
from agent.render_findings import render_claims, render_failures, render_findings, render_fixes
from agent.render_progress import duration
from policies.records import CriterionResult, EndReason, Phase, Rehearsal, Spent, Verdict
from tools.plain_text import one_line, visible

if TYPE_CHECKING:  # this brings git with it
    from agent.results import RepairResult

_HEADLINES: Final[dict[EndReason, str]] = {
    "ready": "READY",
    "budget": "NOT READY: a budget is used up",
    "stuck": "NOT READY: no attempt brings anything new",
    "cannot-repair": "NOT READY: what is left cannot be repaired here",
    "interrupted": "INTERRUPTED",
}


def render_verdict(console: Console, verdict: Verdict, rehearsals: Sequence[Rehearsal] = ()) -> None:
    """A review: the decision, the criteria, the findings with evidence, the claims."""
    style = "bold green" if verdict.is_code_ready else "bold red"
    blocking = len(verdict.blocking)
    counts = f"{blocking} blocking, {len(verdict.findings) - blocking} advisory"
    say(console, ("READY" if verdict.is_code_ready else "NOT READY", style), f": {counts}")
    _criteria(console, verdict.criteria)
    if rehearsals:
        _rehearsals(console, rehearsals)
        render_failures(console, rehearsals, verdict.findings)
    render_findings(console, verdict.findings)
    render_claims(console, verdict.claims, heading="Claims of the reviewer")


def render_rehearsals(console: Console, rehearsals: Sequence[Rehearsal]) -> None:
    """Every rehearsal on a line, failures with where they happened."""
    _rehearsals(console, rehearsals)
    render_failures(console, rehearsals)


def _rehearsals(console: Console, rehearsals: Sequence[Rehearsal]) -> None:
    title(console, "Rehearsals")
    lines = []
    for item in rehearsals:
        took, steps = Text(duration(item.wall_s)), Text(_steps(item.phase, [item]), "dim")
        lines.append((Text(item.phase), plain(item.run_id), status(item.status), took, steps))
    rows(console, lines)


def render_result(console: Console, result: RepairResult) -> None:
    """The closing summary of a repair."""
    _headline(console, result)
    verdict = result.verdict
    _criteria(console, verdict.criteria)
    _before_and_after(console, result.before, result.rehearsals)
    render_failures(console, result.rehearsals, verdict.findings)
    render_fixes(console, result.fixed)
    render_findings(console, verdict.findings)
    refuted = tuple(claim for claim in verdict.claims if claim.status == "refuted")
    render_claims(console, refuted, heading="Claims that the evidence refutes")
    held = tuple(
        c for c in verdict.claims if c.source == "model" and c.status == "confirmed" and not c.blocks
    )
    render_claims(console, held, heading="Claims of the reviewing model that hold, but block nothing")
    _bullets(console, "Attempts that the gate refused", (f"{r.attempt}: {r.reason}" for r in result.refused))
    _bullets(console, "Assumed", result.notes)
    _closing(console, result)


def render_interruption(console: Console, result: RepairResult) -> None:
    """Where a repair stands that was stopped; who stopped it did not ask for the whole summary."""
    _headline(console, result)
    passed = sum(r.status == "passed" for r in result.rehearsals)
    attempts = count_of(result.attempts, "attempt")
    blocking = count_of(len(result.verdict.blocking), "blocking finding")
    rehearsed = f"{passed} of {len(result.rehearsals)} rehearsals passed"
    indented(console, f"so far: {attempts} recorded, {blocking} left, {rehearsed}")
    _closing(console, result)


def _headline(console: Console, result: RepairResult) -> None:
    console.print()
    console.print(
        _verdict(result).append(f"  {one_line(result.source)}", ""), soft_wrap=not console.is_terminal
    )
    if result.detail and result.reason != "interrupted":
        indented(console, visible(result.detail))


def _verdict(result: RepairResult) -> Text:
    style = "bold green" if result.reason == "ready" else "bold red"
    return Text.assemble((_HEADLINES[result.reason], style))


def _criteria(console: Console, criteria: Sequence[CriterionResult]) -> None:
    if not criteria:
        return
    title(console, "Criteria")
    lines = []
    for row in criteria:
        count = count_of(row.findings, "finding") if row.findings else ""
        lines.append((Text(str(row.number)), plain(row.title), status(row.status), Text(count)))
    rows(console, lines)
    if any(row.status == "unproven" for row in criteria):
        why = "no check objects, but a part of it needs judgement or a rehearsal that did not run"
        indented(console, Text(f"unproven: {why}", "dim"), hang=2)


def _before_and_after(console: Console, before: Sequence[Rehearsal], after: Sequence[Rehearsal]) -> None:
    phases = dict.fromkeys(item.phase for item in (*before, *after))
    if not phases:
        return
    title(console, "Rehearsals, before and after")
    lines = []
    for phase in phases:
        cells = [_passed([r for r in items if r.phase == phase]) for items in (before, after)]
        lines.append((Text(phase), cells[0], Text("→"), cells[1], Text(_steps(phase, after), "dim")))
    rows(console, lines)


def _passed(items: Sequence[Rehearsal]) -> Text:
    if not items:
        return Text("not run", "dim")
    passed = sum(item.status == "passed" for item in items)
    style = "green" if passed == len(items) else "red"
    return Text(items[0].status if not items[0].run_id else f"{passed} of {len(items)} passed", style)


def _steps(phase: Phase, items: Sequence[Rehearsal]) -> str:
    """What the probes counted: that something passed is not yet that it trained."""
    proofs = [item.proof for item in items if item.phase == phase and item.proof is not None]
    passed, failed = (sum(getattr(p, name) for p in proofs) for name in ("tests_passed", "tests_failed"))
    if passed or failed:
        return f"{count_of(passed, 'test')} passed" + (f", {failed} failed" if failed else "")
    if not any(proof.batches or proof.optimizer_steps for proof in proofs):
        return ""
    batches, steps = (sum(getattr(p, name) for p in proofs) for name in ("batches", "optimizer_steps"))
    moved = sum(proof.parameters_moved for proof in proofs)
    counted = f"{batches} batch{'' if batches == 1 else 'es'}, {count_of(steps, 'optimizer step')}"
    return f"{counted}, parameters moved in {moved} of {len(proofs)}"


def _bullets(console: Console, heading: str, lines: Iterable[str]) -> None:
    kept = [one_line(line, limit=400) for line in lines]
    if kept:
        title(console, heading)
    for line in kept[:LISTED]:
        indented(console, f"- {line}", hang=2)
    more(console, len(kept))


def spent_text(spent: Spent) -> str:
    """A budget's use for people, e.g. `3 attempts, 42 s, 12,000 tokens in 2 calls, $0.03`."""
    parts = [count_of(spent.attempts, "attempt"), duration(spent.seconds)]
    if spent.calls:
        parts += [f"{spent.tokens:,} tokens in {count_of(spent.calls, 'call')}", f"${spent.usd:.2f}"]
    else:
        parts.append("no model asked")
    return ", ".join(parts)


def _closing(console: Console, result: RepairResult) -> None:
    diff = result.diff
    console.print()
    changed = f"{count_of(diff.files, 'file')}, +{diff.added_lines} -{diff.removed_lines} lines"
    told = {"Changed": changed, "Spent": spent_text(result.budget), "Ledger": visible(result.ledger)}
    lines = [(Text(name, "bold"), Text(text)) for name, text in told.items()]
    if result.reason != "interrupted":
        # The headline has scrolled away by now.
        lines.insert(0, (Text("Verdict", "bold"), _verdict(result)))
    rows(console, lines, by=0)
    for command in _next_commands(result):
        # A wrapped command could not be copied.
        console.print(Text(f"  {command}"), soft_wrap=True)


def _next_commands(result: RepairResult) -> list[str]:
    path = shlex.quote(result.ledger)
    if result.reason == "interrupted":
        return [f"suture resume {path}", f"suture show {path}"]
    commands = [f"suture diff {path}", f"suture log {path}", f"suture export {path} --as dir --out repaired"]
    return [f"suture resume {path}", *commands] if result.reason == "budget" else commands
