"""Reads a policy written as TOML: text in, values out. What it names is left to the caller."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.contract import Contract
from policies.errors import UsageError
from policies.policy import Policy
from policies.records import Severity

KEYS = ("extends", "checks", "disable", "severity", "criteria", "contract")
FIXED = frozenset({"name", "criteria", "assumed"})
"""Fields of a contract that a policy does not set."""


@dataclass(frozen=True)
class PolicyText:
    """What a policy file says."""

    policy: Policy
    extends: str
    """Name or path of the policy that this one builds on; empty for none."""
    checks: tuple[str, ...]
    """Paths of Python files, or names of checks that an installed package offers."""


def read_policy(label: str, text: str) -> PolicyText:
    """The policy that a TOML text describes. Raises UsageError, one line that says what is wrong."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{label}: not valid TOML: {error}") from error
    for key in data:
        if key not in KEYS:
            raise UsageError(f"{label}: {key!r} is no part of a policy; there are {', '.join(KEYS)}")
    policy = Policy(
        name=label,
        contract_changes=_contract(label, _table(label, data, "contract")),
        disable=frozenset(_strings(label, data, "disable")),
        severity=_severities(label, _table(label, data, "severity")),
        criteria=_titles(label, _table(label, data, "criteria")),
    )
    return PolicyText(policy, _string(label, data, "extends"), _strings(label, data, "checks"))


def _string(label: str, data: Mapping[str, Any], key: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{label}: `{key}` must be a string")
    return value


def _strings(label: str, data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{label}: `{key}` must be a list of strings")
    return tuple(value)


def _table(label: str, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, Mapping):
        raise UsageError(f"{label}: `{key}` must be a table")
    return value


def _severities(label: str, table: Mapping[str, Any]) -> Mapping[str, Severity]:
    for check_id, value in table.items():
        if value not in list(Severity):
            allowed = " or ".join(repr(str(s)) for s in Severity)
            raise UsageError(f"{label}: the severity of {check_id!r} is {value!r}; it must be {allowed}")
    return {check_id: Severity(value) for check_id, value in table.items()}


def _titles(label: str, table: Mapping[str, Any]) -> Mapping[int, str]:
    for number, title in table.items():
        if not number.isdecimal() or not isinstance(title, str):
            raise UsageError(f'{label}: `criteria` maps numbers to titles, such as 3 = "Data"')
    return {int(number): title for number, title in table.items()}


def _contract(label: str, table: Mapping[str, Any]) -> Mapping[str, Any]:
    known = sorted(Contract.model_fields.keys() - FIXED)
    for key in table:
        if key not in known:
            raise UsageError(f"{label}: {key!r} is no part of a contract; there are {', '.join(known)}")
    return table
