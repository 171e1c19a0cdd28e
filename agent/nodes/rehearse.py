"""Node `rehearse`: run the candidate in the sandbox."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.deps import Deps
from agent.state import RepairState


def rehearse(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
    """Rehearse the candidate for every run id.

    Reads: candidate, plan.  Writes: rehearsals.
    """
    deps = runtime.context
    what = f"attempt {state['plan'].number}" if "plan" in state else "the bundle as it came in"
    deps.progress(f"rehearsing {what}")
    return {"rehearsals": deps.rehearser.rehearse(state["candidate"], deps.contract)}
