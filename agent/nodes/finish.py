"""Node `finish`: the typed end, with the best attempt delivered."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.deps import Deps
from agent.model_review import opinion
from agent.results import result_of
from agent.state import End, RepairState

READY = End(
    reason="ready", detail="no blocking finding is open and every rehearsal passed with proof of work"
)


def finish(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
    """Write the result into the ledger; `best` is what is delivered.

    Reads: original, best, reviews, spent, end.  Writes: end.
    """
    deps, best = runtime.context, state["best"]
    end = READY if best.ready else state["end"]
    assert end is not None, "the planner gives every other end a reason"
    if end.reason == "ready":
        deps.ledger.set_ready(best.sha)
    result = result_of(
        deps.ledger,
        reason=end.reason,
        verdict=best.verdict,
        rehearsals=best.rehearsals,
        budget=state["spent"],
        before=state["original"].rehearsals,
        detail=end.detail,
        notes=_opinions(state),
    )
    deps.ledger.write_result(result.model_dump(mode="json"), at=deps.now())
    return {"end": end}


def _opinions(state: RepairState) -> list[str]:
    """What the model's review of the delivered bundle leaves to say."""
    best = state["best"]
    mine = [r for r in state.get("reviews", []) if r.said.bundle.digest == best.bundle.digest]
    return [said for said in (opinion(review, best.verdict) for review in mine) if said]
