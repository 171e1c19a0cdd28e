"""Finds the checks: every file in `policies/checks` is imported once."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from policies import checks
from policies.base import Check


@lru_cache(maxsize=1)
def all_checks() -> tuple[Check, ...]:
    """One instance of every check, in fixing order."""
    for info in pkgutil.iter_modules(checks.__path__):
        importlib.import_module(f"{checks.__name__}.{info.name}")
    return tuple(kind() for kind in sorted(Check.REGISTRY.values(), key=lambda c: (c.STAGE, c.ID)))


def check_by_id(check_id: str) -> Check | None:
    """The check with this id."""
    return next((c for c in all_checks() if check_id == c.ID), None)
