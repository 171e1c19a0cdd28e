"""Tests claims about what is logged to W&B, against every key that the training code logs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.claims_base import Case, Outcome, joined
from policies.literal_keys import matches
from policies.wandb_logged import OWN, Logged, logged

_ONLY = re.compile(r"\b[Oo]nly\s+(?P<keys>[^.;:]+?)\s+(?:is|are|gets?)\s+logged\b")
_NEVER = re.compile(
    r"[`\"'“](?P<key>[\w/.-]+)[`\"'”]\s+(?:is|gets)\s+(?:never|not)\s+logged\b"
    r"|\b(?:never|does not|doesn't)\s+logs?\s+[`\"'“](?P<other>[\w/.-]+)[`\"'”]",
)
_LOGS = re.compile(r"(?:train\.py|training|the code|it)\s+logs\s+(?:the )?(?:key )?[`\"“]([\w/.-]+)[`\"”]\.?")
_KEY = re.compile(r"[`\"'“]([\w/.*-]+)[`\"'”]|\b(\w*_\w*\*?|[a-z]+\*)(?![\w*])")
_COUNTERS = frozenset({"step", "epoch", "global_step"})


def only_logged(case: Case) -> Iterator[Outcome]:
    """`only x and y are logged`: the keys of the history show it."""
    match, found = _ONLY.search(case.body), logged(case.subject)
    if match is None or found.unknown or not found.calls:
        return
    named = [a or b for a, b in _KEY.findall(match["keys"])]
    rest = sorted(k for k in found.history - OWN - _COUNTERS if not matches(named, k))
    if not named or not all(matches(found.history, key) for key in named):
        return
    plain = [key for key in rest if "*" not in key]
    if plain:
        yield Outcome(
            "refuted", f"the training code also logs {joined([f'`{k}` at {_at(found, k)}' for k in plain])}"
        )
    elif not rest:
        calls = [f"{c.module.path}:{c.node.lineno}" for c in found.calls]
        yield Outcome("confirmed", f"the only calls that log rows, {joined(calls)}, log no other key", 6)


def never_logged(case: Case) -> Iterator[Outcome]:
    """`x is never logged`: by the keys of history and summary."""
    match, found = _NEVER.search(case.body), logged(case.subject)
    if match is None or found.unknown or not found.calls:
        return
    key = match["key"] or match["other"]
    if not found.has(key, summary=True):
        yield Outcome("confirmed", f"no call of the training code logs `{key}`, to history or summary", 6)
    elif key in found.history and not case.says(r"\btrial|\bfor each\b|\bper\b|\bduring\b|\bintermediate\b"):
        yield Outcome("refuted", f"`{key}` is logged at {_at(found, key)}")


def logs_key(case: Case) -> Iterator[Outcome]:
    """`train.py logs x`, and no more is said."""
    match, found = _LOGS.fullmatch(case.body.strip()), logged(case.subject)
    if match and match[1] in found.history:
        yield Outcome("confirmed", f"`{match[1]}` is logged at {_at(found, match[1])}")


def _at(found: Logged, key: str) -> str:
    call = next((c for c in found.calls if key in c.keys), None)
    return f"{call.module.path}:{call.node.lineno}" if call else "the summary"
