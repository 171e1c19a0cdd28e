"""Finds the rules: every file in `policies/gate/rules` is imported once."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from policies.gate import rules
from policies.gate.base import GateRule


@lru_cache(maxsize=1)
def all_rules() -> tuple[GateRule, ...]:
    """One instance of every rule, by id."""
    for info in pkgutil.iter_modules(rules.__path__):
        importlib.import_module(f"{rules.__name__}.{info.name}")
    return tuple(kind() for _, kind in sorted(GateRule.REGISTRY.items()))
