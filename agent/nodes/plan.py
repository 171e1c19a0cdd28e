"""Node `plan`: the cheapest strategy with a chance, or the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from langgraph.runtime import Runtime

from agent.deps import Deps
from agent.state import End, Plan, RepairState
from policies.codemods import apply_codemods
from policies.records import Bundle, Finding, Spent
from policies.rehearsal_limits import machine_limit

MODEL_TRIES = 3
"""Attempts of the model on one base before it counts as stuck."""


def plan(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
    """Choose codemods while they change something, the model for what is left, else end with a reason.

    Reads: base, spent, tried, model_down.  Writes: plan or end. The plan is in the ledger before it is tried.
    """
    deps = runtime.context
    limit = deps.budget.exhausted(state["spent"])
    if limit:
        return {"end": End(reason="budget", detail=f"the {limit} budget is used up")}
    chosen = _codemods(state, deps) or _model(state, deps)
    if chosen is None:
        return {"end": _end(state, deps)}
    strategy, findings, bundle = chosen
    number = max((t.number for t in state.get("tried", [])), default=0) + 1
    made = Plan(
        number=number,
        strategy=strategy,
        findings=findings,
        bundle=bundle,
        text=_text(strategy, findings),
        started_at=deps.now(),
        spent_s=state["spent"].seconds,
    )
    base = state["base"].sha
    deps.ledger.begin_attempt(number, made.text, base=base, strategy=strategy, started_at=made.started_at)
    deps.progress(f"attempt {number}: {made.text}{_cost(state['spent'])}")
    return {"plan": made}


Choice = tuple[Literal["codemod", "model"], tuple[Finding, ...], Bundle | None]


def _codemods(state: RepairState, deps: Deps) -> Choice | None:
    base = state["base"]
    result = apply_codemods(deps.subject(base.bundle), deps.evidence(base.rehearsals), deps.checks)
    before = {t.digest for t in state.get("tried", []) if t.strategy == "codemod"}
    tried_here = any(
        t.strategy == "codemod" and t.base_digest == base.bundle.digest for t in state.get("tried", [])
    )
    if not result.fixed or result.bundle.digest in before or tried_here:
        return None
    return "codemod", result.fixed, result.bundle


def _model(state: RepairState, deps: Deps) -> Choice | None:
    findings = state["base"].verdict.blocking
    if deps.model is None or state.get("model_down") or not findings or _model_is_stuck(state):
        return None
    return "model", findings, None


def _model_is_stuck(state: RepairState) -> bool:
    digest = state["base"].bundle.digest
    tries = [t for t in state.get("tried", []) if t.strategy == "model" and t.base_digest == digest]
    return len(tries) >= MODEL_TRIES


def _text(strategy: str, findings: Sequence[Finding]) -> str:
    counts = Counter(f.check for f in findings)
    listed = ", ".join(f"{check} x{n}" if n > 1 else check for check, n in counts.items())
    return f"{'codemods' if strategy == 'codemod' else 'the model'} for {listed}"


def _cost(spent: Spent) -> str:
    """What the model has cost before this attempt; nothing while it was not asked."""
    return f" (so far {spent.tokens:,} tokens, ${spent.usd:.2f})" if spent.calls else ""


def _end(state: RepairState, deps: Deps) -> End:
    base = state["base"]
    blocking = base.verdict.blocking
    limits = [machine_limit(r, deps.subject(base.bundle)) for r in base.rehearsals if r.status == "failed"]
    if not blocking and any(limits):
        return End(
            reason="cannot-repair", detail=f"it cannot be shown to run here: {next(filter(None, limits))}"
        )
    left = (
        "; ".join(f"{f.check} at {f.file}:{f.line}" for f in blocking[:5]) or "a rehearsal that does not pass"
    )
    more = f" and {len(blocking) - 5} more" if len(blocking) > 5 else ""
    if state.get("model_down"):
        return End(reason="cannot-repair", detail=f"the model cannot be asked: {state['model_down']}")
    if deps.model is None:
        return End(
            reason="cannot-repair", detail=f"no codemod covers {left}{more}, and no model is configured"
        )
    if _model_is_stuck(state):
        return End(
            reason="stuck", detail=f"{MODEL_TRIES} answers of the model on the same state left {left}{more}"
        )
    return End(reason="cannot-repair", detail=f"nothing is left to try for {left}{more}")
