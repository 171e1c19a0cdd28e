"""Node `record`: keep the attempt in the ledger, and decide what the next one builds on."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.deps import Deps
from agent.state import Asked, Plan, RepairState, Reviewed, Tried
from policies.records import Finding
from tools.ledger_records import AttemptRecord


def record(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
    """Commit the attempt with its verdict; the first time, note what the bundle was like as it came in.

    Reads: everything of the attempt.  Writes: original, base, best, tried, spent.
    """
    deps = runtime.context
    if "plan" not in state:
        return _first(state, deps)
    plan, gate = state["plan"], state["gate"]
    reviewed = _reviewed(state) if gate.accepted else None
    advance = reviewed is not None and not _is_worse(reviewed, state["base"])
    sha = deps.ledger.record_attempt(
        _attempt(state, deps, reviewed),
        state["patch"].bundle or state["base"].bundle,
        formatted=state["candidate"],
        advance=advance,
    )
    update: RepairState = {
        "tried": [_tried(state, plan, reviewed, advance)],
        "spent": state["spent"].plus(attempts=1),
    }
    if reviewed is not None and advance:
        update["base"] = reviewed.model_copy(update={"sha": sha})
        if score(reviewed) >= score(state["best"]):
            update["best"] = update["base"]
            deps.ledger.set_best(sha)
    return update


def score(reviewed: Reviewed) -> tuple[bool, int, int, int]:
    """How good a bundle is: ready, rehearsals passed, tests passed, blocking findings (fewer is better)."""
    passed = sum(r.status == "passed" for r in reviewed.rehearsals)
    tests = sum(r.proof.tests_passed for r in reviewed.rehearsals if r.proof)
    return (reviewed.ready, passed, tests, -len(reviewed.verdict.blocking))


def _first(state: RepairState, deps: Deps) -> RepairState:
    sha = deps.ledger.import_bundle(state["candidate"])
    asked = state.get("asked", Asked())
    if asked.exchanges:
        deps.ledger.note_exchanges(sha, asked.exchanges, at=deps.now())
    reviewed = _reviewed(state).model_copy(update={"sha": sha})
    return {"original": reviewed, "base": reviewed, "best": reviewed}


def _reviewed(state: RepairState) -> Reviewed:
    return Reviewed(bundle=state["candidate"], rehearsals=state["rehearsals"], verdict=state["verdict"])


def _is_worse(attempt: Reviewed, base: Reviewed) -> bool:
    """Fewer rehearsals pass, or tests of one, or as many, nothing is resolved and more is wrong."""
    ready, *passed, blocking = score(attempt)
    _, *passed_before, blocking_before = score(base)
    if ready or passed != passed_before:
        return passed < passed_before and not ready
    return blocking < blocking_before and not _gone(base, attempt)


def _gone(base: Reviewed, attempt: Reviewed) -> tuple[Finding, ...]:
    """Findings of the base that the attempt does not have."""
    left = {f.key for f in attempt.verdict.findings}
    return tuple(f for f in base.verdict.findings if f.key not in left)


def _attempt(state: RepairState, deps: Deps, reviewed: Reviewed | None) -> AttemptRecord:
    base, patch, plan = state["base"], state["patch"], state["plan"]
    # A refused attempt is not reviewed: what was asked belongs to an earlier one.
    asked = state.get("asked", Asked()) if reviewed else Asked()
    return AttemptRecord(
        number=plan.number,
        base=base.sha,
        strategy=plan.strategy,
        plan=plan.text,
        resolved=_resolved(state, plan, reviewed) if reviewed else (),
        introduced=_gone(reviewed, base) if reviewed else (),
        accepted=state["gate"].accepted,
        gate_reasons=state["gate"].reasons,
        rehearsals=reviewed.rehearsals if reviewed else (),
        verdict=reviewed.verdict if reviewed else None,
        model=patch.model,
        tokens=patch.tokens + asked.tokens,
        usd=patch.usd + asked.usd,
        wall_s=round(state["spent"].seconds - plan.spent_s, 3),
        started_at=plan.started_at,
        exchanges=(*patch.exchanges, *asked.exchanges),
        notes=patch.notes,
    )


def _resolved(state: RepairState, plan: Plan, reviewed: Reviewed) -> tuple[Finding, ...]:
    """What is gone, and what codemods fixed on the way although it only showed after an earlier fix."""
    left = {f.key for f in reviewed.verdict.findings}
    gone = _gone(state["base"], reviewed)
    known = {(f.check, f.file) for f in gone}
    extra = [f for f in plan.findings if f.key not in left and (f.check, f.file) not in known]
    return (*gone, *extra)


def _tried(state: RepairState, plan: Plan, reviewed: Reviewed | None, advance: bool) -> Tried:
    if reviewed is None:
        outcome = "refused: " + "; ".join(state["gate"].reasons)
    else:
        left = "; ".join(f.message for f in reviewed.verdict.blocking[:6])
        kept = "kept" if advance else "made things worse and was not kept"
        outcome = f"{kept}; still open: {left}" if left else kept
    notes = "; ".join(state["patch"].notes)
    return Tried(
        number=plan.number,
        strategy=plan.strategy,
        base_digest=state["base"].bundle.digest,
        digest=state["candidate"].digest,
        accepted=advance,
        text=f"attempt {plan.number} ({plan.text}): {outcome}" + (f" ({notes})" if notes else ""),
    )
