"""The options of a repair, from the command line or the library; kept with the ledger for resuming."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from policies.budget import Budget
from policies.policy import PolicySource
from policies.records import Record


class Settings(Record):
    """How to repair; what to repair is the request."""

    sandbox: Literal["auto", "bwrap", "docker", "unsafe-local"] = "auto"
    env: str = "auto"
    """`auto`, or the path of an interpreter that has the bundle's libraries."""
    installer: Literal["pip", "uv"] = "pip"
    hub: Literal["double", "real"] = "double"
    llm: Literal["off", "auto"] = "auto"
    model: str | None = None
    budget: Budget = Budget()
    policies: tuple[str, ...] = ()
    """Names and absolute paths of policies, composed from left to right; none for the standard one."""
    policy_sources: tuple[PolicySource, ...] = ()
    """What the policies were when the repair began."""
    trial_seconds: float = 300.0
    """Wall-clock limit of one rehearsed trial."""
    cache: Path | None = None
    """Where environments and doubles are kept; None takes SUTURE_CACHE or the user's cache folder."""
