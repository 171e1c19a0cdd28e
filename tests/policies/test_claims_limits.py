"""Rejections that no reviewer wrote: they are read in bounded time, and a test that fails costs no other."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from policies import claims
from policies.base import Evidence
from policies.claims_base import Case, Outcome
from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle
from tests.mutate_prose import hostile_prose

SUBJECT = ParsedBundle(
    Bundle(
        files={"src/train.py": "import torch\n\n\ndef train(cfg):\n    return cfg.model.name\n"},
        run_configs={"config/runs/a.yaml": "model:\n  name: x\n"},
    ),
    STANDARD,
)
LIMIT_S = 5.0
SIZES = (900, 9_000, 90_000)
"""Just below what is tested as a statement and cut as a paragraph, and far above both."""


@pytest.mark.parametrize("size", SIZES)
def test_patterns_end_on_any_text(size: int) -> None:
    slow = {name: wall for name, text in hostile_prose(size).items() if (wall := _wall_s(text)) > LIMIT_S}
    assert slow == {}


def _wall_s(text: str) -> float:
    started = time.monotonic()
    claims.test_claims(claims.split_claims(text), SUBJECT, (), Evidence())
    return time.monotonic() - started


def test_what_is_no_sentence_is_not_tested() -> None:
    long = "`train` in src/train.py is " + "never " * 200 + "used."
    (claim,) = claims.test_claims(claims.split_claims(long), SUBJECT, (), Evidence())
    assert (claim.status, claim.evidence) == ("unverified", "It is too long to be one statement.")


def test_a_paragraph_without_end_is_one_statement() -> None:
    text = "The name `model_x` is undefined. " * 400
    assert [str(c) for c in claims.split_claims(text)] == [text.strip()]


def test_what_follows_a_long_rejection_is_one_statement() -> None:
    lines = [f"- `name_{i}` is not defined in src/train.py" for i in range(2_000)]
    found = claims.split_claims("\n".join(lines))
    assert found[:2] == (lines[0][2:], lines[1][2:])
    assert found[-1].endswith(lines[-1])
    tested = claims.test_claims(found, SUBJECT, (), Evidence())
    assert len(tested) == len(found)
    assert {c.evidence for c in tested[claims.MAX_STATEMENTS :]} == {
        f"Only the first {claims.MAX_STATEMENTS} statements are tested."
    }


def test_a_test_that_fails_leaves_the_judgement_of_the_others() -> None:
    def fails(case: Case) -> Iterator[Outcome]:
        yield Outcome("refuted", "seen before the failure")
        raise ValueError("no such thing")

    def holds(case: Case) -> Iterator[Outcome]:
        yield Outcome("confirmed", "src/train.py:4")

    (alone,) = claims.test_claims(["x is y"], SUBJECT, (), Evidence(), [fails])
    (beside,) = claims.test_claims(["x is y"], SUBJECT, (), Evidence(), [fails, holds])
    lost = f" ({claims.FAILED}: ValueError: no such thing at test_claims_limits.py:"
    assert alone.evidence.startswith(f"No check, file or rehearsal speaks to this statement.{lost}")
    assert beside.evidence.startswith(f"src/train.py:4{lost}")
    assert (alone.status, beside.status) == ("unverified", "confirmed")
