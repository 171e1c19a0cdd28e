"""The verdict on a bundle: findings, claims, the table of criteria, and what keeps it from being ready."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

from policies.base import Check, Evidence
from policies.contract import STANDARD, Criterion
from policies.contract_reader import standard_number
from policies.parsed import ParsedBundle
from policies.records import Claim, CriterionResult, Finding, Phase, Rehearsal, Rejection, Severity, Verdict
from policies.registry import checks_for
from policies.run_check import findings_of

_NEEDS: dict[int, tuple[Phase, ...]] = {
    1: ("install", "trial"),
    2: ("compose",),
    3: ("trial",),
    4: ("trial",),
    5: (),
    6: ("full",),
    7: ("compose",),
    8: ("evaluate",),
    9: ("trial",),
}
"""The rehearsals without which a criterion stays unproven."""
_JUDGED = frozenset({1, 4})
"""Criteria that ask whether the method is what the research says: no check and no rehearsal can tell."""


def find_all(
    subject: ParsedBundle, evidence: Evidence, checks: Sequence[Check] | None = None
) -> tuple[Finding, ...]:
    """Every finding of every check, each once, by file and line."""
    found = {
        f
        for check in (checks_for(subject.contract.kind) if checks is None else checks)
        for f in findings_of(check, subject, evidence)
    }
    return tuple(sorted(found, key=_order))


def review(
    subject: ParsedBundle,
    evidence: Evidence,
    *,
    rejection: Rejection | None = None,
    checks: Sequence[Check] | None = None,
) -> Verdict:
    """Judge a bundle by its text and its rehearsals.

    Ready means that it runs: without rehearsals no bundle is ready, however little speaks against it.
    """
    findings = find_all(subject, evidence, checks)
    issue = rejection.code_issue if rejection and not rejection.is_code_ready else ""
    return judged(subject, evidence, findings, _claims(issue, subject, evidence, findings))


def _claims(
    issue: str, subject: ParsedBundle, evidence: Evidence, findings: tuple[Finding, ...]
) -> Sequence[Claim]:
    """What a rejection says, tested."""
    if not issue:
        return ()
    from policies.claims import split_claims, test_claims  # slow to import, and few bundles come with claims

    return test_claims(split_claims(issue), subject, findings, evidence)


def judged(
    subject: ParsedBundle, evidence: Evidence, findings: Sequence[Finding], claims: Sequence[Claim]
) -> Verdict:
    """The verdict that findings, tested claims and rehearsals come to."""
    ordered = sorted(findings, key=_order)
    blocking = [f for f in ordered if f.severity is Severity.BLOCKING]
    unproven = list(_unproven(subject, evidence.rehearsals, blocking))
    ready = not blocking and not unproven
    return Verdict(
        is_code_ready=ready,
        code_issue="" if ready else _code_issue(blocking, unproven),
        findings=tuple(ordered),
        claims=tuple(claims),
        criteria=tuple(_criteria(subject, evidence.rehearsals, ordered)),
    )


def _order(finding: Finding) -> tuple[str, int, str, str, str]:
    """Findings stand by file and line."""
    return (finding.file, finding.line, finding.check, finding.message, finding.evidence)


def _unproven(
    subject: ParsedBundle, rehearsals: Sequence[Rehearsal], blocking: Sequence[Finding]
) -> Iterator[str]:
    """Why the rehearsals that were run do not show that every run works."""
    if not rehearsals:
        if not blocking:
            yield "Nothing was rehearsed, so nothing shows that it runs."
        return
    for rehearsal in rehearsals:
        if rehearsal.status == "failed" and not any(_tells(f, rehearsal) for f in blocking):
            yield f"{_named(rehearsal)} failed: {_failure(rehearsal)}"
    trials = [r for r in rehearsals if r.phase == "trial"]
    wanted = list(subject.run_documents) or [r.run_id for r in trials] or [""]
    for run_id in dict.fromkeys(wanted):
        mine = [r for r in trials if r.run_id == run_id]
        if not mine or all(r.status == "skipped" for r in mine):
            yield f"No trial of {run_id or 'any run'} was rehearsed."
        for doubt in dict.fromkeys(subject.contract.doubt(r.proof) for r in mine if r.status == "passed"):
            if doubt:
                yield f"The trial{f' of {run_id}' if run_id else ''} {doubt}."


def _tells(finding: Finding, rehearsal: Rehearsal) -> bool:
    """Whether a finding already reports the failure of a rehearsal."""
    failure = rehearsal.failure
    text = f"{finding.message}\n{finding.evidence}"
    if any(failed.test in text for failed in rehearsal.tests):
        return True
    return failure is not None and failure.exception in text and failure.message[:60] in text


def _named(rehearsal: Rehearsal) -> str:
    return f"{rehearsal.phase} of {rehearsal.run_id}" if rehearsal.run_id else rehearsal.phase


def _failure(rehearsal: Rehearsal) -> str:
    failure = rehearsal.failure
    if failure is None:
        return rehearsal.note or "no reason is recorded"
    place = f" ({failure.file}:{failure.line})" if failure.file else ""
    return f"{failure.exception}: {failure.message}{place}"


def _code_issue(blocking: Sequence[Finding], unproven: Sequence[str]) -> str:
    """What must change, file by file, so that a person or a model can act on it."""
    groups = {file: list(group) for file, group in groupby(blocking, key=lambda f: f.file)}
    parts: list[str] = []
    if blocking:
        parts.append(f"{_count(len(blocking), 'blocking defect')} in {_count(len(groups), 'file')}:")
    for file, group in groups.items():
        parts += [
            "",
            file or "(the bundle as a whole)",
            *(line for same in _alike(group) for line in _lines(same)),
        ]
    if unproven:
        parts += [""] if parts else []
        parts += ["Not shown to run:", *(f"  - {reason}" for reason in unproven)]
    return "\n".join(parts)


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings of a file that say the same about several lines stand together, at the first of them."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.check, finding.message), []).append(finding)
    return list(groups.values())


def _lines(same: Sequence[Finding]) -> Iterator[str]:
    """What is wrong on one or several lines, and what shows it, each piece of evidence once."""
    first = same[0]
    numbers = [str(number) for number in dict.fromkeys(f.line for f in same) if number]
    where = f"line{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}: " if numbers else ""
    yield f"  - {where}{first.message} [{first.check}, criterion {first.criterion}]"
    shown = dict.fromkeys(" ".join(f.evidence.split()) for f in same)
    yield from (f"    evidence: {text}" for text in shown if text and text not in first.message)


def _criteria(
    subject: ParsedBundle, rehearsals: Sequence[Rehearsal], findings: Sequence[Finding]
) -> Iterator[CriterionResult]:
    """One row for each of the nine, then one for what else the contract demands."""
    given = subject.contract.criteria
    if subject.contract.kind != STANDARD.kind:
        yield from (_row(c, rehearsals, findings) for c in given)
        return
    titles = {standard_number(c.title): c.title for c in reversed(given)}
    for standard in STANDARD.criteria:
        number = standard.number
        mine = [f for f in findings if f.criterion == number]
        yield CriterionResult(
            number=number,
            title=titles.get(number, standard.title),
            status=_status(number, mine, rehearsals, list(subject.run_documents)),
            findings=len(mine),
        )
    used = {title for number, title in titles.items() if number is not None}
    extra = [c for c in given if c.title not in used]
    for number, criterion in enumerate(extra, start=len(STANDARD.criteria) + 1):
        yield CriterionResult(number=number, title=criterion.title, status="unproven", findings=0)


def _row(
    criterion: Criterion, rehearsals: Sequence[Rehearsal], findings: Sequence[Finding]
) -> CriterionResult:
    """The row of a criterion that says itself which rehearsals it needs."""
    mine = [f for f in findings if f.criterion == criterion.number]
    shown = all(_passed(phase, rehearsals, ()) for phase in criterion.needs)
    violated = any(f.severity is Severity.BLOCKING for f in mine)
    return CriterionResult(
        number=criterion.number,
        title=criterion.title,
        status="violated" if violated else "met" if shown else "unproven",
        findings=len(mine),
    )


def _status(
    number: int, findings: Iterable[Finding], rehearsals: Sequence[Rehearsal], run_ids: Sequence[str]
) -> Literal["met", "violated", "unproven"]:
    """Violated by a blocking finding; met when nothing is left that only a rehearsal or judgement shows."""
    if any(f.severity is Severity.BLOCKING for f in findings):
        return "violated"
    passed = all(_passed(phase, rehearsals, run_ids) for phase in _NEEDS[number])
    return "met" if passed and number not in _JUDGED else "unproven"


def _passed(phase: Phase, rehearsals: Sequence[Rehearsal], run_ids: Sequence[str]) -> bool:
    """Whether a phase was rehearsed and passed, for every run id where it is about runs."""
    mine = [r for r in rehearsals if r.phase == phase]
    seen = {r.run_id for r in mine}
    covered = phase in ("install", "evaluate") or seen.issuperset(run_ids)
    return bool(mine) and covered and all(r.status == "passed" for r in mine)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
