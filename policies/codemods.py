"""Applies every codemod that has something to offer, many findings in one go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from policies.base import Check, Evidence
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding
from policies.run_check import findings_of, fix_of

Key = tuple[str, str, str]
MAX_FIXES = 400
"""A backstop: a repair that needs more is not converging."""
MAX_IN_VAIN = 3
"""How often a fix may leave as many findings of its kind as there were, before no more of it is taken."""


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
    in_vain: Counter[Key] = Counter()
    while len(fixed) < MAX_FIXES:
        step = _next_fix(subject, evidence, checks, seen, in_vain)
        if step is None:
            break
        subject, finding = step
        seen.add(subject.bundle.digest)
        fixed.append(finding)
    return CodemodResult(subject.bundle, tuple(fixed))


def _next_fix(
    subject: ParsedBundle,
    evidence: Evidence,
    checks: Sequence[Check],
    seen: set[str],
    in_vain: Counter[Key],
) -> tuple[ParsedBundle, Finding] | None:
    for check in checks:
        if not check.can_fix():
            continue
        open_before = findings_of(check, subject, evidence)
        for finding in open_before:
            bundle = None if in_vain[finding.key] >= MAX_IN_VAIN else fix_of(check, subject, finding)
            if bundle is None or bundle.digest in seen:
                continue
            mended = subject.replace(bundle)
            left = findings_of(check, mended, evidence)
            in_vain[finding.key] += _alike(left, finding) >= _alike(open_before, finding)
            return mended, finding
    return None


def _alike(findings: Sequence[Finding], finding: Finding) -> int:
    """How many findings say the same."""
    return sum(other.key == finding.key for other in findings)
