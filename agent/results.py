"""How a repair ended, as a record: what `suture fix --json` prints and what the closing summary shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.records import EndReason, Finding, Record, Rehearsal, Spent, Verdict
from tools.ledger_read import LedgerReader
from tools.ledger_records import AttemptRecord, DiffSize


class Fixed(Record):
    """A finding that the delivered bundle no longer has."""

    finding: Finding
    attempt: int
    how: str
    """The strategy of the attempt that resolved it, with the model's name when one was asked."""


class Refused(Record):
    """An attempt that the gate did not accept."""

    attempt: int
    reason: str


class RepairResult(Record):
    """The first six fields are the published ones; the rest is for the summary."""

    reason: EndReason
    verdict: Verdict
    """Of the delivered bundle."""
    rehearsals: tuple[Rehearsal, ...]
    """Of the delivered bundle."""
    ledger: str
    """Path of the ledger."""
    attempts: int
    """How many attempts the ledger holds."""
    budget: Spent
    detail: str = ""
    """The reason in one sentence for people."""
    source: str = ""
    """Where the request came from."""
    best: str = ""
    """Commit of the delivered bundle."""
    before: tuple[Rehearsal, ...] = ()
    """Rehearsals of the bundle as it came in."""
    fixed: tuple[Fixed, ...] = ()
    refused: tuple[Refused, ...] = ()
    diff: DiffSize = DiffSize(files=0, added_lines=0, removed_lines=0)
    """From the bundle as it came in to the delivered one."""
    notes: tuple[str, ...] = ()
    """Assumptions that were made, one sentence each."""


def result_of(
    ledger: LedgerReader,
    *,
    reason: EndReason,
    verdict: Verdict,
    rehearsals: Sequence[Rehearsal],
    budget: Spent,
    before: Sequence[Rehearsal] = (),
    detail: str = "",
    notes: Sequence[str] = (),
) -> RepairResult:
    """The result of a repair, with what its ledger knows filled in."""
    entries = ledger.attempts()
    refused = tuple(
        Refused(attempt=e.number, reason=e.gate.removeprefix("refused: ")) for e in entries if not e.accepted
    )
    return RepairResult(
        reason=reason,
        verdict=verdict,
        rehearsals=tuple(rehearsals),
        ledger=str(ledger.path),
        attempts=len(entries),
        budget=budget,
        detail=detail,
        source=ledger.request().source,
        best=ledger.best(),
        before=tuple(before),
        fixed=tuple(_fixed(ledger, verdict)),
        refused=refused,
        diff=ledger.diff_size(),
        notes=(*ledger.request().notes, *notes),
    )


def _fixed(ledger: LedgerReader, verdict: Verdict) -> Iterator[Fixed]:
    """What the attempts that the delivered bundle is built on resolved, and is still resolved."""
    still_open = {finding.key for finding in verdict.findings}
    seen: set[tuple[str, str, str, int]] = set()
    for record in _lineage(ledger):
        for finding in record.resolved:
            identity = (*finding.key, finding.line)
            if finding.key not in still_open and identity not in seen:
                seen.add(identity)
                how = f"{record.strategy} ({record.model})" if record.model else record.strategy
                yield Fixed(finding=finding, attempt=record.number, how=how)


def _lineage(ledger: LedgerReader) -> list[AttemptRecord]:
    """The attempts from the import to the best, oldest first."""
    entries = {entry.sha: entry for entry in ledger.attempts()}
    found: list[AttemptRecord] = []
    sha = ledger.best()
    while (entry := entries.get(sha)) is not None:
        found.append(ledger.record(entry.number))
        sha = entry.base
    return found[::-1]
