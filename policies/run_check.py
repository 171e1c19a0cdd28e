"""Runs checks so that one that fails itself costs its own judgement and no other."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import PurePath

from policies.base import Check, Evidence
from policies.lost_files import lost_parts
from policies.parsed import ParsedBundle, parse_module, parse_toml, parse_yaml
from policies.records import Bundle, Finding, Severity

FAILED = "the check itself failed: it judged nothing"
"""The message of the finding that stands for a check's own failure."""


def findings_of(check: Check, subject: ParsedBundle, evidence: Evidence) -> list[Finding]:
    """What a check finds, nothing where a file that it rests on is lost.

    Its own failure is an advisory finding that names the line of the check.
    """
    if check.RESTS_ON and not lost_parts(subject).isdisjoint(check.RESTS_ON):
        return []
    try:
        return list(check.find(subject, evidence))
    except Exception as error:  # noqa: BLE001  # whatever one rule trips over, the others still judge
        lost = check.finding("", 0, FAILED, reason_of(error))
        return [lost.model_copy(update={"severity": Severity.ADVISORY})]


def fix_of(check: Check, subject: ParsedBundle, finding: Finding) -> Bundle | None:
    """What a check makes of a finding; None when it offers nothing, fails itself or breaks a sound file."""
    try:
        fixed = check.fix(subject, finding)
    except Exception:  # noqa: BLE001  # without a codemod the finding stays open, and the model gets it
        return None
    return None if fixed is None or any(broken_files(subject.bundle, fixed)) else fixed


def broken_files(before: Bundle, after: Bundle) -> Iterator[str]:
    """Files that parsed before a change and do not any more."""
    for path in before.changed_paths(after):
        both = path in before.files and path in after.files
        if both and _parses(path, before.files[path]) and not _parses(path, after.files[path]):
            yield path


def _parses(path: str, text: str) -> bool:
    if path.endswith(".py"):
        return parse_module(path, text).tree is not None
    if path.endswith((".yaml", ".yml")):
        return not parse_yaml(path, text).error
    return not path.endswith(".toml") or not parse_toml(path, text).error


def reason_of(error: Exception) -> str:
    """A failure of a rule in one line: what, and where in its own code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {str(error)[:200]}{place}"
