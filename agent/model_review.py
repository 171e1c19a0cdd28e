"""One review by the model: ask, feed back once what does not parse, weigh what it claims."""

from __future__ import annotations

from collections.abc import Sequence

from agent.review_prompt import build_review
from policies.base import Evidence
from policies.errors import BadReply
from policies.late import EarlierReview
from policies.model_claims import raised, remembered, tested, with_claims
from policies.parsed import ParsedBundle
from policies.records import Bundle, Record, Rejection, Severity, Verdict
from policies.review_answer import ReviewAnswer, parse_review
from tools.llm.base import Message, Model, ModelReply, ModelRequest
from tools.llm.reading import answer_text


class ModelReview(Record):
    """What came of asking the model about one bundle."""

    said: EarlierReview
    """The bundle, and the claims about it as they were raised."""
    ready: bool = False
    """Whether the model calls the bundle ready."""
    problem: str = ""
    """Why there is no usable answer; empty when there is one."""


def ask(
    subject: ParsedBundle,
    verdict: Verdict,
    evidence: Evidence,
    model: Model,
    earlier: Sequence[EarlierReview] = (),
) -> ModelReview:
    """Let the model review a bundle; an answer that does not parse goes back to it once.

    Args:
        verdict: what the checks say; its claims are shown to the model with their status.
        earlier: what reviewers said before, oldest first.
    Raises: ModelUnavailable, LimitReached.
    """
    request = build_review(subject, verdict.findings, verdict.claims, evidence.rehearsals)
    reply = model.complete(request)
    answer, problem = _parsed(reply)
    if answer is None:
        answer, problem = _parsed(model.complete(_feedback(request, reply, problem)))
    if answer is None:
        return unanswered(subject.bundle, f"the model gave no usable review: {problem}")
    claims = raised(answer.claims, subject, earlier)
    return ModelReview(said=EarlierReview(bundle=subject.bundle, claims=claims), ready=answer.is_code_ready)


def unanswered(bundle: Bundle, problem: str) -> ModelReview:
    """A review that did not come about."""
    return ModelReview(said=EarlierReview(bundle=bundle), problem=problem)


def incoming(bundle: Bundle, rejection: Rejection | None, verdict: Verdict) -> tuple[EarlierReview, ...]:
    """The verdict that came with the request, as the first of the earlier reviews."""
    claims = tuple(claim for claim in verdict.claims if claim.source == "rejection")
    return (EarlierReview(bundle=bundle, claims=claims),) if rejection else ()


def given(reviews: Sequence[ModelReview]) -> tuple[EarlierReview, ...]:
    """What the model said where it answered."""
    return tuple(review.said for review in reviews if not review.problem)


def weighed(
    verdict: Verdict, subject: ParsedBundle, evidence: Evidence, said: Sequence[EarlierReview]
) -> Verdict:
    """The verdict of the checks with what the model said so far, tested on this bundle.

    Of what it said about this very bundle everything counts; of older reviews what it did not take back, and
    after a newer one only what tests confirm.
    """
    here = next((r for r in reversed(said) if r.bundle.digest == subject.bundle.digest), None)
    older = [review for review in said if review is not here]
    latest = [claim for claim in here.claims if claim.source == "model"] if here else []
    own = tested(latest, subject, verdict.findings, evidence)
    known = {claim.text for claim in own}
    kept = tested(remembered(older, subject.bundle), subject, verdict.findings, evidence)
    still = [c for c in kept if c.text not in known and (here is None or c.status == "confirmed")]
    return with_claims(verdict, (*own, *still), subject, evidence)


def opinion(review: ModelReview, verdict: Verdict) -> str:
    """What a person should know about the model's review beyond the verdict; empty when nothing."""
    if review.problem:
        return f"the verdict is that of the checks alone: {review.problem}"
    if review.ready or not verdict.is_code_ready:
        return ""
    count = sum(c.severity is Severity.BLOCKING for c in review.said.claims)
    said = "the reviewing model calls the bundle not ready, but"
    return f"{said} none of its blocking claims ({count}) is both confirmed and in time"


def _parsed(reply: ModelReply) -> tuple[ReviewAnswer | None, str]:
    try:
        return parse_review(answer_text(reply)), ""
    except BadReply as error:
        return None, str(error)


def _feedback(request: ModelRequest, reply: ModelReply, problem: str) -> ModelRequest:
    """The same conversation, continued with what was wrong."""
    content = (
        f"Your answer could not be used:\n- {problem}\nAnswer again in the same form, as one JSON object."
    )
    # Endpoints reject an empty assistant message.
    said = Message(role="assistant", content=reply.text or "(no answer)")
    messages = (*request.messages, said, Message(role="user", content=content))
    return request.model_copy(update={"purpose": "feedback", "messages": messages})
