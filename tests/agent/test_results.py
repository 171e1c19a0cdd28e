"""What a ledger contributes to the result of a repair."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from agent.results import Fixed, Refused, result_of
from policies.contract import STANDARD
from policies.records import Bundle, Finding, Request, Severity, Spent, Verdict
from tools.ledger import Ledger
from tools.ledger_records import AttemptRecord, DiffSize

WHEN = datetime(2025, 3, 1, tzinfo=UTC)
BUNDLE = Bundle(files={"src/a.py": "x\n"})


def finding(check: str, line: int = 1) -> Finding:
    return Finding(
        check=check,
        criterion=1,
        severity=Severity.BLOCKING,
        file="src/a.py",
        line=line,
        message=check,
        evidence="e",
    )


def attempt(
    number: int, base: str, *resolved: Finding, accepted: bool = True, model: str = ""
) -> AttemptRecord:
    return AttemptRecord(
        number=number,
        base=base,
        strategy="model" if model else "codemod",
        model=model,
        resolved=resolved,
        accepted=accepted,
        gate_reasons=() if accepted else ("the seed changed",),
        started_at=WHEN,
    )


def test_fixed_is_what_the_delivered_bundle_is_built_on(tmp_path: Path) -> None:
    request = Request(source="in.json", kind="json", bundle=BUNDLE, notes=("assumed",))
    one, two, back = finding("one"), finding("two", 7), finding("back")
    with Ledger.create(tmp_path, "in", request, STANDARD) as ledger:
        base = ledger.import_bundle(BUNDLE, at=WHEN)
        first = ledger.record_attempt(attempt(1, base, one, back), BUNDLE.with_file("src/a.py", "y\n"))
        ledger.record_attempt(attempt(2, first, finding("cheat"), accepted=False), BUNDLE)
        # Worse than its base: in the history, but nothing is built on it.
        ledger.record_attempt(attempt(3, first, finding("lost")), BUNDLE, advance=False)
        best = ledger.record_attempt(
            attempt(4, first, two, one, model="m"), BUNDLE.with_file("src/a.py", "z\nz\n")
        )
        ledger.set_best(best)
        verdict = Verdict(is_code_ready=False, code_issue="back", findings=(back,))
        result = result_of(
            ledger, reason="stuck", verdict=verdict, rehearsals=(), budget=Spent(attempts=4), notes=("more",)
        )
    assert result.fixed == (
        Fixed(finding=one, attempt=1, how="codemod"),
        Fixed(finding=two, attempt=4, how="model (m)"),
    )
    assert result.refused == (Refused(attempt=2, reason="the seed changed"),)
    assert (result.attempts, result.best, result.source) == (4, best, "in.json")
    assert result.diff == DiffSize(files=1, added_lines=2, removed_lines=1)
    assert result.notes == ("assumed", "more")
    published = ["reason", "verdict", "rehearsals", "ledger", "attempts", "budget"]
    assert list(result.model_dump(mode="json"))[:6] == published
