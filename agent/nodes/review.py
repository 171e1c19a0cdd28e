"""Node `review`: judge the candidate by its text and its rehearsals."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.deps import Deps
from agent.state import RepairState
from policies import review as policy


def review(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
    """Review the candidate; the claims that came with the request are tested against it.

    Reads: candidate, rehearsals.  Writes: verdict.
    """
    deps = runtime.context
    deps.progress("reviewing")
    verdict = policy.review(
        deps.subject(state["candidate"]),
        deps.evidence(state["rehearsals"]),
        rejection=deps.request.rejection,
        checks=deps.checks,
    )
    return {"verdict": verdict}
