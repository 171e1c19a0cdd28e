"""Which limit is named, and when."""

from __future__ import annotations

import pytest

from policies.budget import Budget
from policies.records import Spent

BUDGET = Budget(max_attempts=3, max_seconds=60.0, max_tokens=1000, max_usd=0.5)


@pytest.mark.parametrize(
    ("spent", "limit"),
    [
        (Spent(), None),
        (Spent(attempts=2, seconds=59.9, tokens=999, usd=0.49), None),
        (Spent(attempts=3), "attempts"),
        (Spent(seconds=60.0), "seconds"),
        (Spent(tokens=1200), "tokens"),
        (Spent(usd=0.5), "usd"),
        (Spent(attempts=9, usd=9.0), "attempts"),
    ],
)
def test_names_the_first_limit_that_is_used_up(spent: Spent, limit: str | None) -> None:
    assert BUDGET.exhausted(spent) == limit


def test_none_is_unlimited() -> None:
    free = Budget(max_attempts=None, max_seconds=None, max_tokens=None, max_usd=None)
    spent = Spent(attempts=10**6, seconds=1e9, tokens=10**9, usd=1e6)
    assert (free.exhausted(spent), free.tokens_left(spent), free.usd_left(spent)) == (None, None, None)


def test_a_zero_limit_is_used_up_from_the_start() -> None:
    assert Budget(max_attempts=0).exhausted(Spent()) == "attempts"


def test_what_is_left_is_never_negative() -> None:
    spent = Spent(tokens=400, usd=0.7)
    assert (BUDGET.tokens_left(spent), BUDGET.usd_left(spent)) == (600, 0.0)
