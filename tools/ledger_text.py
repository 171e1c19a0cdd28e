"""What the ledger writes into git: commit messages with trailers, and notes that people and programs read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from policies.records import Finding, Rehearsal, Severity, Verdict
from tools.ledger_records import AttemptRecord, RequestRecord
from tools.llm.base import Exchange
from tools.plain_text import one_line, visible

SUBJECT_LIMIT = 72
BODY_LIMIT = 30
"""Findings listed in a commit message; the note has them all."""
_FENCE = "```json"


def attempt_message(record: AttemptRecord) -> str:
    """The commit message of an attempt's repair: subject, what was resolved, trailers."""
    subject = one_line(record.subject or _subject(record), limit=SUBJECT_LIMIT)
    body = _listed(record.resolved, "Resolved:") + _listed(record.introduced, "Introduced:")
    trailers = [f"{name}: {value}" for name, value in attempt_trailers(record).items()]
    return "\n\n".join([subject, *body, "\n".join(trailers)])


def formatting_message(number: int, base: str) -> str:
    """The commit message of an attempt's formatting."""
    return f"Format what attempt {number} touched\n\nAttempt: {number}\nBase: {base}\nStrategy: format"


def attempt_trailers(record: AttemptRecord) -> dict[str, str]:
    """Trailer name -> value, in the order in which they are written."""
    return {
        "Attempt": str(record.number),
        "Base": record.base,
        "Strategy": one_line(record.strategy),
        "Resolves": counted(record.resolved),
        "Introduces": counted(record.introduced),
        "Gate": one_line(record.gate, limit=500),
        "Rehearsal": tally(record.rehearsals),
        "Model": one_line(record.model) or "none",
        "Tokens": str(record.tokens),
        "Cost-USD": f"{record.usd:.6f}",
        "Wall-s": f"{record.wall_s:.3f}",
    }


def read_trailers(message: str) -> dict[str, str]:
    """Trailer name -> value of a commit message of ours; empty for another's."""
    block = message.rstrip("\n").rpartition("\n\n")[2]
    pairs = [line.split(": ", 1) for line in block.splitlines()]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def counted(findings: Iterable[Finding]) -> str:
    """Check ids with how often each, e.g. `bare-except x2, empty-file x1`; `none` for none."""
    counts = Counter(f.check for f in findings)
    return ", ".join(f"{check} x{count}" for check, count in sorted(counts.items())) or "none"


def tally(rehearsals: Iterable[Rehearsal]) -> str:
    """Per phase: the status of install, and passed of all for the rest, e.g. `install=passed trial=1/2`."""
    phases: dict[str, list[Rehearsal]] = {}
    for rehearsal in rehearsals:
        phases.setdefault(rehearsal.phase, []).append(rehearsal)
    return " ".join(f"{phase}={_tally_of(items)}" for phase, items in phases.items()) or "none"


def _tally_of(items: Sequence[Rehearsal]) -> str:
    if len(items) == 1 and not items[0].run_id:
        return items[0].status
    return f"{sum(r.status == 'passed' for r in items)}/{len(items)}"


def _subject(record: AttemptRecord) -> str:
    if not record.resolved:
        done = record.plan.partition("\n")[0].strip() or f"try {record.strategy}"
        done = done[0].upper() + done[1:]
    elif len(record.resolved) == 1:
        done = f"Fix {record.resolved[0].file}: {record.resolved[0].message}"
    else:
        done = "Fix " + _named(record.resolved)
    return done if record.accepted else f"Refused: {done[0].lower()}{done[1:]}"


def _named(findings: Sequence[Finding]) -> str:
    """The checks by name, blocking ones first and symptoms last, as many as a subject holds."""
    ranked = sorted(
        findings, key=lambda f: (f.check == "rehearsal-failure", f.severity is not Severity.BLOCKING)
    )
    names = list(dict.fromkeys(f.check for f in ranked))
    room = SUBJECT_LIMIT - len("Refused: fix  and 99 more")
    shown = names[:1]
    while len(shown) < len(names) and len(", ".join(names[: len(shown) + 1])) <= room:
        shown = names[: len(shown) + 1]
    left = len(names) - len(shown)
    return ", ".join(shown) + (f" and {left} more" if left else "")


def _place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line}" if finding.line else finding.file


def _listed(findings: Sequence[Finding], title: str) -> list[str]:
    if not findings:
        return []
    lines = [f"- {_place(f)} [{f.check}] {one_line(f.message, limit=160)}" for f in findings[:BODY_LIMIT]]
    if len(findings) > BODY_LIMIT:
        lines.append(f"- and {len(findings) - BODY_LIMIT} more")
    return [one_line(title) + "\n" + "\n".join(visible(line) for line in lines)]


def note_text(data: Mapping[str, Any]) -> bytes:
    """A note: the story for people, then the same as one fenced JSON block for programs."""
    # A lone surrogate cannot be stored; ASCII JSON carries it as an escape.
    told = visible("\n".join(_story(data))).rstrip("\n")
    return f"{told}\n\n{_FENCE}\n{json.dumps(data, ensure_ascii=True)}\n```\n".encode()


def note_data(note: bytes) -> dict[str, Any]:
    """The JSON block of a note; empty when it has none."""
    # Quoted text may hold a fence too; only the last one is ours, as JSON breaks no lines.
    block = note.decode("utf-8", "replace").rpartition(f"\n{_FENCE}\n")[2]
    try:
        data = json.loads(block.rstrip().removesuffix("```"))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def note_story(note: bytes) -> str:
    """The part of a note that is for people."""
    return note.decode("utf-8", "replace").rpartition(f"\n{_FENCE}\n")[0].rstrip()


def _story(data: Mapping[str, Any]) -> Iterator[str]:
    kind = data.get("kind")
    if kind == "request":
        yield from request_story(RequestRecord.model_validate(data["request"]))
    elif kind == "attempt":
        yield from attempt_story(AttemptRecord.model_validate(data["attempt"]))
    elif kind == "formatting":
        yield f"# Formatting of attempt {data['number']}"
        yield f"Its story is on {data['repair']}."
    if "result" in data:
        yield from result_story(data["result"])


def request_story(record: RequestRecord) -> Iterator[str]:
    """The request, told."""
    request = record.request
    yield f"# Request from {request.source} ({request.kind})"
    yield f"Contract: {record.contract.name}" + (" (assumed)" if record.contract.assumed else "")
    if request.context.primary_metric:
        yield f"Primary metric: {request.context.primary_metric}"
    if request.context.runs:
        yield "Runs: " + ", ".join(run.run_id for run in request.context.runs)
    if request.rejection is not None:
        yield from ("", "## It came with this verdict", _ready(request.rejection.is_code_ready))
        yield request.rejection.code_issue
    yield from _section("Notes", (f"- {note}" for note in request.notes))


def attempt_story(record: AttemptRecord) -> Iterator[str]:
    """An attempt, told."""
    yield f"# Attempt {record.number}: {record.gate}"
    yield f"Strategy: {record.strategy}; model: {record.model or 'none'}; {record.wall_s:.1f} s"
    yield from _section("Plan", record.plan.splitlines())
    yield from _section("Resolved", map(_finding_line, record.resolved))
    yield from _section("Introduced", map(_finding_line, record.introduced))
    yield from _section("Rehearsals", map(_rehearsal_line, record.rehearsals))
    yield from _verdict_story(record.verdict)
    yield from _section("Model exchanges", map(_exchange_line, record.exchanges))
    yield from _section("Notes", (f"- {note}" for note in record.notes))


def result_story(result: Mapping[str, Any]) -> Iterator[str]:
    """How a repair ended, told from its result as data."""
    yield from ("", f"## Result: {result.get('reason', 'unknown')}")
    if detail := result.get("detail"):
        yield str(detail)


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    kept = list(lines)
    if kept:
        yield from ("", f"## {title}", *kept)


def _finding_line(finding: Finding) -> str:
    return f"- {_place(finding)} [{finding.check}, {finding.severity}] {one_line(finding.message)}"


def _rehearsal_line(rehearsal: Rehearsal) -> str:
    line = (
        f"- {rehearsal.phase} {rehearsal.run_id}".rstrip() + f": {rehearsal.status}, {rehearsal.wall_s:.1f} s"
    )
    if (failure := rehearsal.failure) is not None:
        where = f" at {failure.file}:{failure.line}" if failure.file else ""
        line += f"; {failure.exception}{where}: {one_line(failure.message, limit=300)}"
    return line + (f" ({one_line(rehearsal.note)})" if rehearsal.note else "")


def _verdict_story(verdict: Verdict | None) -> Iterator[str]:
    if verdict is None:
        return
    yield from ("", "## Verdict", _ready(verdict.is_code_ready))
    yield from verdict.code_issue.splitlines()
    yield from (f"- criterion {c.number} {c.title}: {c.status}" for c in verdict.criteria)
    yield from _section(
        "Claims", (f"- {c.status}: {one_line(c.text)} ({one_line(c.evidence)})" for c in verdict.claims)
    )


def _ready(ready: bool) -> str:
    return "ready" if ready else "not ready"


def _exchange_line(exchange: Exchange) -> str:
    if exchange.reply is None:
        return f"- {exchange.request.purpose}: no answer: {one_line(exchange.error)}"
    reply = exchange.reply
    used = f"{reply.usage.input_tokens} + {reply.usage.output_tokens} tokens"
    return f"- {exchange.request.purpose}: {one_line(reply.model)}, {used}, {reply.finish_reason}"
