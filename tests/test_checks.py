"""The examples that every check carries are its tests."""

from __future__ import annotations

import pytest

from policies.base import Bad, Check, Evidence, Good, subject_of
from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.registry import all_checks

CHECKS = all_checks()
GOOD = [pytest.param(c, e, id=f"{c.ID}-good-{i}") for c in CHECKS for i, e in enumerate(c.GOOD)]
BAD = [pytest.param(c, e, id=f"{c.ID}-bad-{i}") for c in CHECKS for i, e in enumerate(c.BAD)]


def repaired(check: Check, subject: ParsedBundle, evidence: Evidence) -> ParsedBundle:
    """Apply the check's fix until it has nothing more to offer."""
    for _ in range(50):
        for finding in check.find(subject, evidence):
            bundle = check.fix(subject, finding)
            if bundle is not None:
                assert bundle.digest != subject.bundle.digest, "a fix must change something or return None"
                subject = subject.replace(bundle)
                break
        else:
            return subject
    raise AssertionError("the fix does not converge")


@pytest.mark.parametrize(("check", "example"), GOOD)
def test_silent_on_good(check: Check, example: Good) -> None:
    subject = subject_of(example, type(check), STANDARD)
    assert list(check.find(subject, example.evidence)) == []


@pytest.mark.parametrize(("check", "example"), BAD)
def test_reports_and_fixes_bad(check: Check, example: Bad) -> None:
    subject = subject_of(example, type(check), STANDARD)
    path = example.path or check.PATH
    findings = list(check.find(subject, example.evidence))
    assert tuple(f.line for f in findings if f.file == path) == example.lines
    assert findings, "a bad example must be reported"
    assert all(f.evidence and f.message for f in findings)
    fixed = repaired(check, subject, example.evidence)
    expected = {**subject.bundle.files, **example.fixed_files}
    if example.fixed is not None:
        expected[path] = example.fixed
        assert list(check.find(fixed, example.evidence)) == []
    assert dict(fixed.bundle.files) == expected
    assert repaired(check, fixed, example.evidence).bundle.digest == fixed.bundle.digest
