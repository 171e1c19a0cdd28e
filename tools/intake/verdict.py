"""Finds the verdict that a reviewer left in JSON."""

from __future__ import annotations

from policies.records import Rejection
from tools.intake.json_scan import objects_in


def find_verdict(text: str) -> Rejection | None:
    """The last verdict object in a text; None when none can be parsed."""
    verdicts = [rejection_of(found.value) for found in objects_in(text, '"is_code_ready"')]
    return next((v for v in reversed(verdicts) if v is not None), None)


def rejection_of(value: object) -> Rejection | None:
    """A verdict from a JSON value; None when it is not one."""
    if not isinstance(value, dict) or not isinstance(value.get("is_code_ready"), bool):
        return None
    issue = value.get("code_issue")
    if isinstance(issue, list):
        issue = "\n".join(f"- {item}" for item in issue)
    return Rejection(is_code_ready=value["is_code_ready"], code_issue=issue if isinstance(issue, str) else "")
