"""Node `review`: judge the candidate by text and rehearsals, and by the model when nothing else blocks."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.deps import Deps
from agent.model_review import ModelReview, ask, given, incoming, unanswered, weighed
from agent.state import Asked, RepairState
from policies import review as policy
from policies.errors import LimitReached, ModelUnavailable
from policies.records import Verdict
from tools.llm.base import Model


def review(state: RepairState, runtime: Runtime[Deps]) -> RepairState:
    """Review the candidate; claims that came with the request or from the model are tested against it.

    Reads: candidate, rehearsals, reviews, spent, model_down.  Writes: verdict, reviews, asked, spent.
    """
    deps = runtime.context
    deps.progress("reviewing")
    subject, evidence = deps.subject(state["candidate"]), deps.evidence(state["rehearsals"])
    checked = policy.review(subject, evidence, rejection=deps.request.rejection, checks=deps.checks)
    said = given(state.get("reviews", []))
    verdict = weighed(checked, subject, evidence, said)
    # The tests of a plain project have said whether it is right; a review would judge its taste.
    if deps.model is None or deps.contract.kind == "tests" or not _is_due(state, verdict):
        return {"verdict": verdict, "asked": Asked()}
    update = _by_model(state, deps, deps.model, verdict)
    said = given([*state.get("reviews", []), *update["reviews"]])
    return {**update, "verdict": weighed(checked, subject, evidence, said)}


def _is_due(state: RepairState, verdict: Verdict) -> bool:
    """Whether the model is all that stands between the bundle and ready, and has not judged it yet."""
    if not verdict.is_code_ready or not state["rehearsals"] or state.get("model_down"):
        return False
    return all(r.said.bundle.digest != state["candidate"].digest for r in state.get("reviews", []))


def _by_model(state: RepairState, deps: Deps, model: Model, verdict: Verdict) -> RepairState:
    """Ask, with what it costs charged; a model that cannot be asked leaves the verdict to the checks."""
    before, bundle = state.get("spent", deps.tally.spent), state["candidate"]
    deps.tally.spent = before
    deps.exchanges.begin_review(bundle.digest, model.name)
    deps.progress(f"asking {model.name} for a review")
    subject, evidence = deps.subject(bundle), deps.evidence(state["rehearsals"])
    earlier = incoming(deps.request.bundle, deps.request.rejection, verdict)
    made: ModelReview
    try:
        made = ask(subject, verdict, evidence, model, (*earlier, *given(state.get("reviews", []))))
    except LimitReached as reached:
        made = unanswered(bundle, f"the {reached.limit} budget is used up")
    except ModelUnavailable as error:
        made = unanswered(bundle, f"the model cannot be asked: {error}")
    spent = deps.tally.spent
    asked = Asked(
        exchanges=deps.exchanges.exchanges,
        tokens=spent.tokens - before.tokens,
        usd=spent.usd - before.usd,
    )
    charged = before.model_copy(update={"tokens": spent.tokens, "usd": spent.usd, "calls": spent.calls})
    return {"reviews": [made], "asked": asked, "spent": charged}
