"""Node `gate`: may this attempt become the new base?"""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.deps import Deps
from agent.state import RepairState
from policies.gate import GateDecision, judge


def gate(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
    """Refuse an attempt that changed nothing, came before, or games the checks.

    Reads: base, candidate, patch, plan, tried.  Writes: gate.
    """
    deps, base, candidate = runtime.context, state["base"].bundle, state["candidate"]
    if candidate.digest == base.digest:
        return {"gate": GateDecision(accepted=False, reasons=(_why_nothing(state),))}
    earlier = next((t for t in state.get("tried", []) if t.digest == candidate.digest), None)
    if earlier is not None:
        reason = f"the same files as attempt {earlier.number}"
        return {"gate": GateDecision(accepted=False, reasons=(reason,))}
    findings = state["plan"].findings
    return {"gate": judge(deps.subject(base), deps.subject(candidate), findings)}


def _why_nothing(state: RepairState) -> str:
    patch = state["patch"]
    if patch.limit:
        return f"nothing was changed: the {patch.limit} budget is used up"
    return f"nothing was changed: {patch.unavailable or '; '.join(patch.notes) or 'no edit was offered'}"
