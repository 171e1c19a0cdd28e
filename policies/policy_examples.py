"""Runs the examples of a check, which are its tests."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, subject_of
from policies.contract import Contract
from policies.parsed import ParsedBundle

MAX_FIXES = 50


def faults_of(check: Check, contract: Contract) -> Iterator[str]:
    """What does not hold of a check's examples, one sentence each."""
    for number, good in enumerate(check.GOOD, start=1):
        found = list(check.find(subject_of(good, type(check), contract), good.evidence))
        if found:
            lines = ", ".join(f"{f.file}:{f.line} {f.message}" for f in found)
            yield f"GOOD {number} must stay silent, and is reported at {lines}"
    for number, bad in enumerate(check.BAD, start=1):
        for fault in _bad(check, bad, contract):
            yield f"BAD {number} {fault}"


def _bad(check: Check, example: Bad, contract: Contract) -> Iterator[str]:
    subject = subject_of(example, type(check), contract)
    path = example.path or check.PATH
    findings = list(check.find(subject, example.evidence))
    lines = tuple(f.line for f in findings if f.file == path)
    if lines != example.lines:
        yield f"must be reported on the lines {_listed(example.lines)} of {path}, and is on {_listed(lines)}"
    if any(not f.evidence or not f.message for f in findings):
        yield "is reported without a message or without evidence"
    fixed = _repaired(check, subject, example.evidence)
    if fixed is None:
        yield f"is still changed by its fix after {MAX_FIXES} turns"
    elif example.fixed is not None or example.fixed_files:
        yield from _fix(check, example, path, fixed)
    elif fixed.bundle.digest != subject.bundle.digest:
        yield "is changed by the fix, and the example does not say into what (`fixed`)"


def _fix(check: Check, example: Bad, path: str, fixed: ParsedBundle) -> Iterator[str]:
    wanted = {**example.files, path: example.source, **example.fixed_files}
    if example.fixed is not None:
        wanted[path] = example.fixed
    for file, text in wanted.items():
        if fixed.bundle.files.get(file) != text:
            yield f"is fixed into another text of {file}: {fixed.bundle.files.get(file)!r}"
    if list(check.find(fixed, example.evidence)):
        yield "is still reported after the fix"


def _repaired(check: Check, subject: ParsedBundle, evidence: Evidence) -> ParsedBundle | None:
    """The bundle after the check's own fixes; None when they do not come to an end."""
    for _ in range(MAX_FIXES):
        fixes = (check.fix(subject, finding) for finding in check.find(subject, evidence))
        bundle = next((b for b in fixes if b is not None and b.digest != subject.bundle.digest), None)
        if bundle is None:
            return subject
        subject = subject.replace(bundle)
    return None


def _listed(lines: tuple[int, ...]) -> str:
    return ", ".join(map(str, lines)) or "none"
