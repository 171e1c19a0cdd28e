"""A verdict as SARIF 2.1.0, the format that code-scanning viewers read.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0, section 3.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import quote

from agent.rule_reference import check_text
from policies.base import Check
from policies.records import Finding, Severity, Verdict

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT: Final = "SRCROOT"
"""The base of every path: the folder that the bundle lies in."""
SNIPPET: Final = 400
"""Characters of a line that are shown at most."""
_LEVELS: Final = {Severity.BLOCKING: "error", Severity.ADVISORY: "warning"}


def as_sarif(
    verdict: Verdict, checks: Mapping[str, Check], texts: Mapping[str, str], whole: str
) -> dict[str, Any]:
    """The SARIF log of a verdict, ready for `json.dumps`.

    Args:
        checks: id -> check, for the rules' documentation.
        texts: path -> text of the bundle, for the lines that are shown.
        whole: the file that findings about the bundle as a whole are shown at; viewers drop results
            that have no place.
    """
    used = sorted({finding.check for finding in verdict.findings})
    driver = {
        "name": "Suture",
        "semanticVersion": version("suture"),
        "rules": [_rule(check_id, checks.get(check_id), verdict.findings) for check_id in used],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True}],
        "originalUriBaseIds": {ROOT: {"description": _text("The folder of the bundle.")}},
        "columnKind": "unicodeCodePoints",
        "results": list(_results(verdict.findings, used, texts, whole)),
        "properties": {
            "isCodeReady": verdict.is_code_ready,
            "criteria": [_data(row.model_dump(mode="json")) for row in verdict.criteria],
            "claims": [_data(claim.model_dump(mode="json")) for claim in verdict.claims],
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check_id: str, check: Check | None, findings: Sequence[Finding]) -> dict[str, Any]:
    """A reporting descriptor; a check of another process is known by its findings only."""
    first = next(f for f in findings if f.check == check_id)
    rule: dict[str, Any] = {
        "id": check_id,
        "name": "".join(part.capitalize() for part in check_id.split("-")),
        "defaultConfiguration": {"level": _LEVELS[check.SEVERITY if check else first.severity]},
        "properties": {"tags": [f"criterion-{first.criterion}"], "precision": "high"},
    }
    if check is not None:
        why = " ".join(check.why().split())
        rule["shortDescription"] = _text(why.partition(". ")[0].rstrip(".") + ".")
        rule["fullDescription"] = _text(why)
        rule["help"] = {"text": why, "markdown": check_text(check)}
    return rule


def _results(
    findings: Sequence[Finding], rules: Sequence[str], texts: Mapping[str, str], whole: str
) -> Iterator[dict[str, Any]]:
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        seen[finding.key] += 1
        yield {
            "ruleId": finding.check,
            "ruleIndex": rules.index(finding.check),
            "level": _LEVELS[finding.severity],
            "message": _text(_message(finding)),
            "locations": [{"physicalLocation": _place(finding, texts, whole)}],
            "partialFingerprints": {"sutureFinding/v1": _fingerprint(finding, seen[finding.key])},
            "properties": {"criterion": finding.criterion},
        }


def _message(finding: Finding) -> str:
    evidence = " ".join(finding.evidence.split())
    sentence = finding.message.rstrip(".") + "."
    return f"{sentence} Evidence: {evidence}" if evidence else sentence


def _place(finding: Finding, texts: Mapping[str, str], whole: str) -> dict[str, Any]:
    """Where a finding is shown; one about a whole file stands at its first line."""
    path = finding.file or whole
    line = max(finding.line, 1)
    region: dict[str, Any] = {"startLine": line}
    lines = texts.get(path, "").splitlines()
    if line <= len(lines) and finding.line:
        region["snippet"] = _text(lines[line - 1][:SNIPPET])
    return {"artifactLocation": {"uri": quote(_clean(path)), "uriBaseId": ROOT}, "region": region}


def _fingerprint(finding: Finding, nth: int) -> str:
    """Stays the same while lines move; the n-th of several alike keeps its number."""
    text = "\0".join((*finding.key, str(nth)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _text(text: str) -> dict[str, str]:
    return {"text": _clean(text)}


def _data(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _clean(value) if isinstance(value, str) else value for key, value in values.items()}


def _clean(text: str) -> str:
    """Half a surrogate pair is no Unicode, and readers refuse the whole log for it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
