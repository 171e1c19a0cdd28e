"""Node `patch`: carry the plan out."""

from __future__ import annotations

from collections.abc import Sequence

from langgraph.runtime import Runtime

from agent.deps import Deps
from agent.model_repair import repair_with_model
from agent.state import Patch, RepairState
from policies.errors import LimitReached, ModelUnavailable
from policies.records import Claim, Finding, Severity, Spent

NO_MODEL = "none is configured any more"


def patch(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
    """Take what the codemods made, or ask the model; many findings in one go.

    Reads: base, plan, spent, tried.  Writes: patch, spent, model_down.
    """
    if state["plan"].strategy == "codemod":
        return {"patch": Patch(bundle=state["plan"].bundle)}
    return _by_model(state, runtime.context)


def _by_model(state: RepairState, deps: Deps) -> RepairState:
    if deps.model is None:  # the repair was interrupted after the plan, and goes on without one
        return {"patch": Patch(bundle=None, unavailable=NO_MODEL), "model_down": NO_MODEL}
    base, before = state["base"], state["spent"]
    deps.tally.spent = before
    deps.exchanges.begin(state["plan"].number)
    failed: dict[str, str] = {}
    bundle, notes = None, tuple[str, ...]()
    count = len(state["plan"].findings)
    deps.progress(f"asking {deps.model.name} about {count} finding{'' if count == 1 else 's'}")
    try:
        repair = repair_with_model(
            deps.subject(base.bundle),
            (*state["plan"].findings, *_claims(base.verdict.claims, deps.contract.entry_file)),
            deps.model,
            history=[t.text for t in state.get("tried", []) if t.strategy == "model"],
            rehearsals=base.rehearsals,
        )
        unresolved = tuple(f"left by the model: {u.finding}: {u.reason}" for u in repair.unresolved)
        bundle, notes = repair.bundle, (*repair.notes, *repair.problems, *unresolved)
    except LimitReached as reached:
        failed["limit"] = reached.limit
    except ModelUnavailable as error:
        failed["unavailable"] = str(error)
    spent = deps.tally.spent
    made = Patch(
        bundle=bundle,
        notes=notes,
        exchanges=deps.exchanges.exchanges,
        model=deps.model.name,
        tokens=spent.tokens - before.tokens,
        usd=spent.usd - before.usd,
        **failed,
    )
    update: RepairState = {"patch": made, "spent": _charged(before, spent)}
    if made.unavailable or made.limit:
        update["model_down"] = made.unavailable or f"the {made.limit} budget is used up"
    return update


def _charged(before: Spent, after: Spent) -> Spent:
    return before.model_copy(update={"tokens": after.tokens, "usd": after.usd, "calls": after.calls})


def _claims(claims: Sequence[Claim], file: str) -> list[Finding]:
    """What the rejection said and no evidence refutes, so that the model can answer it as well."""
    return [
        Finding(
            check="reviewer-claim",
            criterion=1,
            severity=Severity.ADVISORY,
            file=file,
            line=0,
            message=claim.text,
            evidence=f"{claim.status}: {claim.evidence}",
        )
        for claim in claims
        # What the model's own review confirmed is among the findings, and the rest of it is nobody's demand.
        if claim.source == "rejection" and claim.status in ("confirmed", "unverified")
    ]
