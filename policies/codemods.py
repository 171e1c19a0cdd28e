"""Applies every codemod that has something to offer, many findings in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.base import Check, Evidence
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding
from policies.run_check import findings_of, fix_of

MAX_FIXES = 400
"""A backstop: a repair that needs more is not converging."""


@dataclass(frozen=True)
class CodemodResult:
    """The bundle after all codemods, and what each of them was for, in order."""

    bundle: Bundle
    fixed: tuple[Finding, ...]


def apply_codemods(subject: ParsedBundle, evidence: Evidence, checks: Sequence[Check]) -> CodemodResult:
    """Fix what has one right answer, check by check in fixing order, until nothing more is offered.

    Findings are looked for anew after every fix, so that lines and consequences are current. A state that
    came before ends the work: two codemods that undo each other must not run for ever.
    """
    fixed: list[Finding] = []
    seen = {subject.bundle.digest}
    while len(fixed) < MAX_FIXES:
        step = _next_fix(subject, evidence, checks, seen)
        if step is None:
            break
        bundle, finding = step
        subject = subject.replace(bundle)
        seen.add(bundle.digest)
        fixed.append(finding)
    return CodemodResult(subject.bundle, tuple(fixed))


def _next_fix(
    subject: ParsedBundle, evidence: Evidence, checks: Sequence[Check], seen: set[str]
) -> tuple[Bundle, Finding] | None:
    for check in checks:
        if not check.can_fix():
            continue
        for finding in findings_of(check, subject, evidence):
            bundle = fix_of(check, subject, finding)
            if bundle is not None and bundle.digest not in seen:
                return bundle, finding
    return None
