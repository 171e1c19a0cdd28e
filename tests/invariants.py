"""What holds of every review and of every run of the codemods, whatever the bundle is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.base import Check, Evidence
from policies.codemods import MAX_FIXES, apply_codemods
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding, Verdict
from policies.run_check import FAILED, broken_files, findings_of, reason_of


def broken(verdict: Verdict, bundle: Bundle) -> Iterator[str]:
    """Why a verdict cannot be one: a check failed, a place does not exist, or JSON does not carry it."""
    for finding in verdict.findings:
        if finding.message == FAILED:
            yield f"{finding.check} failed: {finding.evidence}"
        elif reason := _misplaced(finding, bundle):
            yield f"{finding.check} is {reason}: {finding.message}"
    if Verdict.model_validate_json(verdict.model_dump_json()) != verdict:
        yield "the verdict is another one after a way through JSON"
    if verdict.is_code_ready != (not verdict.code_issue):
        yield "a bundle that is not ready has no issue, or the other way round"


def _misplaced(finding: Finding, bundle: Bundle) -> str:
    """What is wrong with the place of a finding; a missing file has no lines."""
    if finding.file in bundle.binaries or not finding.file or finding.line == 0:
        return ""
    text = bundle.tree.get(finding.file)
    if text is None:
        return f"on a line of {finding.file!r}, which is no file"
    lines = max(1, text.count("\n") + 1)
    return "" if 0 < finding.line <= lines else f"on line {finding.line} of {lines} of {finding.file}"


def spoiled(subject: ParsedBundle, checks: Sequence[Check]) -> Iterator[str]:
    """How the codemods spoil a bundle: they fail, do not end, break a file, or change their own result."""
    yield from _spoiled_alone(subject, checks)
    once = apply_codemods(subject, Evidence(), checks)
    if len(once.fixed) >= MAX_FIXES:
        yield f"the codemods do not end: {sorted({f.check for f in once.fixed[-20:]})}"
    fixed = ", ".join(dict.fromkeys(f.check for f in once.fixed))
    yield from (f"{path} does not parse after {fixed}" for path in broken_files(subject.bundle, once.bundle))
    again = apply_codemods(subject.replace(once.bundle), Evidence(), checks)
    if again.bundle != once.bundle:
        yield f"a second run still fixes {', '.join(dict.fromkeys(f.check for f in again.fixed))}"


def _spoiled_alone(subject: ParsedBundle, checks: Sequence[Check]) -> Iterator[str]:
    """How the fix of a single finding spoils the bundle."""
    for check in (check for check in checks if check.can_fix()):
        for finding in findings_of(check, subject, Evidence()):
            try:
                bundle = None if finding.message == FAILED else check.fix(subject, finding)
            except Exception as error:  # noqa: BLE001  # the codemods would go on without it
                yield f"the fix of {check.ID} failed: {reason_of(error)}"
            else:
                after = subject.bundle if bundle is None else bundle
                broken_paths = broken_files(subject.bundle, after)
                yield from (f"{path} does not parse after {check.ID}" for path in broken_paths)
