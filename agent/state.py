"""What the graph carries from node to node, and keeps in its checkpoints."""

from __future__ import annotations

import operator
from datetime import datetime
from typing import Annotated, Literal, TypedDict

from agent.model_review import ModelReview
from policies.gate import GateDecision
from policies.records import Bundle, EndReason, Finding, Record, Rehearsal, Spent, Verdict
from tools.llm.base import Exchange


class Plan(Record):
    """What one attempt sets out to do."""

    number: int
    strategy: Literal["codemod", "model"]
    findings: tuple[Finding, ...]
    """What it is meant to resolve."""
    text: str
    """The same for people, one sentence."""
    bundle: Bundle | None = None
    """What the codemods make of the base; None when the model is to be asked."""
    started_at: datetime
    spent_s: float = 0.0
    """Working time of the whole repair when the attempt began: a clock would count interruptions."""


class Patch(Record):
    """What came of the plan: the bundle as patched, and how."""

    bundle: Bundle | None
    """None when nothing could be changed."""
    notes: tuple[str, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    model: str = ""
    tokens: int = 0
    usd: float = 0.0
    limit: str = ""
    """The budget that stopped the model; empty when none did."""
    unavailable: str = ""
    """Why the model could not be asked; empty when it could."""


class Asked(Record):
    """The calls of the latest review by the model; empty when it was not asked."""

    exchanges: tuple[Exchange, ...] = ()
    tokens: int = 0
    usd: float = 0.0


class Reviewed(Record):
    """A bundle with its rehearsals and verdict."""

    bundle: Bundle
    rehearsals: tuple[Rehearsal, ...]
    verdict: Verdict
    sha: str = ""
    """Its commit in the ledger, once it has one."""

    @property
    def ready(self) -> bool:
        """The verdict says so, and it was rehearsed: text alone proves nothing."""
        return self.verdict.is_code_ready and bool(self.rehearsals)


class Tried(Record):
    """The planner's memory of one attempt."""

    number: int
    strategy: str
    base_digest: str
    digest: str
    """Of the attempt's bundle; that of the base when nothing changed."""
    accepted: bool
    text: str
    """What was tried and what came of it, for the model's history."""


class End(Record):
    """Why the repair is over."""

    reason: EndReason
    detail: str


class RepairState(TypedDict, total=False):
    """Values of one repair. Lists with a reducer get only their new items."""

    original: Reviewed
    base: Reviewed
    best: Reviewed
    candidate: Bundle
    rehearsals: tuple[Rehearsal, ...]
    verdict: Verdict
    reviews: Annotated[list[ModelReview], operator.add]
    asked: Asked
    plan: Plan
    patch: Patch
    gate: GateDecision
    tried: Annotated[list[Tried], operator.add]
    spent: Spent
    model_down: str
    end: End | None
