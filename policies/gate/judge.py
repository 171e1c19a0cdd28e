"""The decision on one attempt: every rule is asked, and what a finding demanded is let pass aloud."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.gate.base import Objection, Pair
from policies.gate.registry import all_rules
from policies.parsed import ParsedBundle
from policies.records import Finding, Record

NEAR_LINES = 2
"""How far from a finding's line the thing that it names may be."""


class GateDecision(Record):
    """Whether an attempt may become the new base."""

    accepted: bool
    reasons: tuple[str, ...] = ()
    """Why not: `rule: what (file:line)`, one for each objection."""
    allowed: tuple[str, ...] = ()
    """Objections that a finding took away, with the check that demanded the change."""


def judge(base: ParsedBundle, attempt: ParsedBundle, findings: Sequence[Finding]) -> GateDecision:
    """Decide on `attempt`, which was made from `base` to repair `findings`."""
    pair = Pair(base, attempt, findings)
    reasons: list[str] = []
    allowed: list[str] = []
    for rule in (r for r in all_rules() if base.contract.kind in r.KINDS):
        for objection in rule.objections(pair):
            finding = next((f for f in findings if demands(f, objection)), None)
            if finding is None:
                reasons.append(f"{rule.ID}: {objection}")
            else:
                allowed.append(f"{rule.ID}: {objection}, demanded by {finding.check}")
    return GateDecision(
        accepted=not reasons, reasons=tuple(dict.fromkeys(reasons)), allowed=tuple(dict.fromkeys(allowed))
    )


def demands(finding: Finding, objection: Objection) -> bool:
    """Whether a finding names exactly what the objection is about."""
    said = f"{finding.message}\n{finding.evidence}"
    if any(len(value) >= 4 and _mentions(said, value) for value in objection.values):
        return True
    near = finding.line == 0 or any(abs(finding.line - line) <= NEAR_LINES for line in objection.lines)
    return finding.file == objection.file and near and any(_mentions(said, key) for key in objection.keys)


def _mentions(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None
