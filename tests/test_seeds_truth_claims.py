"""The claims of the adjudicated rejections: false ones are refuted, true ones never, and mostly confirmed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pytest

from policies import claims
from policies.base import Evidence
from policies.contract_reader import contract_of
from policies.parsed import ParsedBundle
from policies.records import Claim
from policies.review import find_all
from tools.intake import read_request

SHARED = Path(__file__).parents[1].parent / "shared"
TRUTH = SHARED / "seeds_truth.json"
STOP = frozenset(
    {"the", "and", "for", "with", "that", "this", "which", "not", "are", "from", "its", "any", "file"}
)
HINTS = {"rewritten with replace": "replace(", "lacks error handling": "error handling"}
"""What only our statement holds of an adjudicated one that is worded quite differently."""


def words(text: str) -> set[str]:
    found = {w.lower().rstrip("s.") for w in re.findall(r"[A-Za-z_]\w{2,}", text)}
    return found - STOP


def nearness(wanted: set[str], claim: Claim) -> float:
    mine = words(claim.text)
    return len(wanted & mine) / max(len(wanted | mine), 1)


def parts(text: str, found: tuple[Claim, ...]) -> list[Claim]:
    """Our statements that make up an adjudicated one: the nearest, and those whose words it holds."""
    hint = next((ours for theirs, ours in HINTS.items() if theirs in text), None)
    if hint:
        return [c for c in found if hint in c.text]
    wanted = words(text)
    best = max(found, key=lambda claim: nearness(wanted, claim))
    inside = [c for c in found if len(wanted & words(c.text)) >= max(2, 0.75 * len(words(c.text)))]
    return list(dict.fromkeys([*inside, *([best] if nearness(wanted, best) >= 0.2 else [])]))


@lru_cache
def reviewed(name: str) -> tuple[Claim, ...]:
    request = read_request(SHARED / "corpus" / name)
    assert request.rejection is not None
    subject = ParsedBundle(request.bundle, contract_of(request), request.context)
    split = claims.split_claims(request.rejection.code_issue)
    return claims.test_claims(split, subject, find_all(subject, Evidence()), Evidence())


@pytest.fixture(scope="module")
def adjudicated() -> Mapping[tuple[str, str, str], list[Claim]]:
    """File, statement and verdict -> our statements about it."""
    if not TRUTH.exists():
        pytest.skip(f"the adjudicated claims are not there: {TRUTH}")
    truths = json.loads(TRUTH.read_text(encoding="utf-8"))
    items = [(name, c["text"], c["verdict"]) for name, truth in truths.items() for c in truth["claims"]]
    return {(name, text, says): parts(text, reviewed(name)) for name, text, says in items}


def test_false_claims_are_refuted(adjudicated: Mapping[tuple[str, str, str], list[Claim]]) -> None:
    false = {key: ours for key, ours in adjudicated.items() if key[2] == "FALSE"}
    missed = {key: [c.status for c in ours] for key, ours in false.items() if not _refuted(ours)}
    assert (len(false), missed) == (11, {})
    assert all(c.evidence for ours in false.values() for c in ours)


def test_true_claims_are_confirmed_and_never_refuted(
    adjudicated: Mapping[tuple[str, str, str], list[Claim]],
) -> None:
    true = {key: ours for key, ours in adjudicated.items() if key[2] == "TRUE"}
    assert [key for key, ours in true.items() if any(c.status == "refuted" for c in ours)] == []
    confirmed = [key for key, ours in true.items() if any(c.status == "confirmed" for c in ours)]
    assert len(confirmed) >= 0.85 * len(true), [key for key in true if key not in confirmed]


def test_what_is_partly_so_is_not_decided_as_a_whole(
    adjudicated: Mapping[tuple[str, str, str], list[Claim]],
) -> None:
    mixed = {key: ours for key, ours in adjudicated.items() if key[2] == "PARTLY"}
    decided = [key for key, ours in mixed.items() if {c.status for c in ours} & {"confirmed", "refuted"}]
    assert decided == []


def test_policy_is_a_matter_of_judgement(adjudicated: Mapping[tuple[str, str, str], list[Claim]]) -> None:
    policy = {key: ours for key, ours in adjudicated.items() if key[2] == "POLICY-JUDGEMENT"}
    statuses = {c.status for ours in policy.values() for c in ours}
    assert policy and statuses <= {"judgement", "unverified"}


def _refuted(ours: list[Claim]) -> bool:
    """Some part is refuted and none is confirmed."""
    statuses = {c.status for c in ours}
    return "refuted" in statuses and "confirmed" not in statuses
