"""Finds the checks that ship with Suture: every file in `policies/checks` is imported once."""

from __future__ import annotations

import importlib
import pkgutil
import types
from functools import lru_cache

from policies import checks
from policies.base import Check
from policies.contract import Kind

EXPERIMENT: Kind = "experiment"


@lru_cache(maxsize=1)
def all_checks() -> tuple[Check, ...]:
    """One instance of every check that ships, in fixing order, whatever kind of contract it is for."""
    for info in pkgutil.iter_modules(checks.__path__):
        importlib.import_module(f"{checks.__name__}.{info.name}")
    return tuple(kind() for kind in sorted(Check.REGISTRY.values(), key=lambda c: (c.STAGE, c.ID)))


@lru_cache(maxsize=8)
def checks_for(kind: Kind) -> tuple[Check, ...]:
    """The checks that ship for one kind of contract, in fixing order; a check numbers its criterion by it."""
    return tuple(adapted(check, kind) for check in all_checks() if kind in kinds_of(type(check)))


def kinds_of(check: type[Check]) -> frozenset[Kind]:
    """The kinds of contract that a check which ships is for."""
    return frozenset(kind for kind, _ in check.KINDS) or frozenset({EXPERIMENT})


def adapted(check: Check, kind: Kind) -> Check:
    """The check with the criterion that it serves in this kind of contract."""
    number = dict(check.KINDS).get(kind, check.CRITERION)
    return check if number == check.CRITERION else derived(type(check), CRITERION=number)()


def derived(check: type[Check], **values: object) -> type[Check]:
    """A class like `check` with other class variables, not registered as a check of its own."""
    named = {"__doc__": check.__doc__, "__module__": check.__module__, **values}
    made: type[Check] = types.new_class(
        check.__name__, (check,), {"abstract": True}, lambda space: space.update(named)
    )
    return made


def check_by_id(check_id: str) -> Check | None:
    """The check that ships under this id."""
    return next((c for c in all_checks() if check_id == c.ID), None)
