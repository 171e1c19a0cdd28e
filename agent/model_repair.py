"""One repair by the model: ask, apply, feed back once what did not work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.repair_prompt import build_request
from agent.tests_prompt import build_tests_request
from policies.edits import ApplyResult, RepairAnswer, Unresolved, apply_edits, parse_answer
from policies.errors import BadReply
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding, Rehearsal
from tools.llm.base import Message, Model, ModelReply, ModelRequest
from tools.llm.reading import answer_text


@dataclass(frozen=True)
class ModelRepair:
    """What the model achieved."""

    bundle: Bundle | None
    """The bundle with every edit that applied; None when none did."""
    analysis: str
    """The causes in the model's words."""
    notes: tuple[str, ...]
    """What was tolerated when edits were applied."""
    problems: tuple[str, ...]
    """What still did not apply after the feedback."""
    unresolved: tuple[Unresolved, ...]
    """Findings that the model leaves alone, with its reason."""
    exchanges: int
    """Calls made, 1 or 2."""


def repair_with_model(
    subject: ParsedBundle,
    findings: Sequence[Finding],
    model: Model,
    *,
    history: Sequence[str] = (),
    rehearsals: Sequence[Rehearsal] = (),
) -> ModelRepair:
    """Let the model repair `findings`; an answer that does not parse or apply goes back to it once.

    Raises: ModelUnavailable, LimitReached.
    """
    build = build_tests_request if subject.contract.kind == "tests" else build_request
    request = build(subject, findings, history=history, rehearsals=rehearsals)
    reply = model.complete(request)
    answer, result = _applied(subject, reply)
    if not result.problems:
        return _repair(answer, result, 1)
    second = model.complete(feedback_request(request, reply, result))
    base = subject.replace(result.bundle) if result.bundle else subject
    again, retried = _applied(base, second)
    both = ApplyResult(retried.bundle or result.bundle, retried.problems, (*result.notes, *retried.notes))
    return _repair(_joined(answer, again), both, 2)


def feedback_request(request: ModelRequest, reply: ModelReply, result: ApplyResult) -> ModelRequest:
    """The same conversation, continued with what was wrong."""
    kept = (
        "The other edits were applied and stay: do not repeat them, and anchor on the files as they are now."
        if result.bundle
        else "Nothing was changed."
    )
    problems = "\n".join(f"- {problem}" for problem in result.problems)
    content = f"Your answer could not be used as it is:\n{problems}\n{kept}\nAnswer again in the same form."
    # Endpoints reject an empty assistant message.
    said = Message(role="assistant", content=reply.text or "(no answer)")
    messages = (*request.messages, said, Message(role="user", content=content))
    return request.model_copy(update={"purpose": "feedback", "messages": messages})


def _applied(subject: ParsedBundle, reply: ModelReply) -> tuple[RepairAnswer, ApplyResult]:
    """The parsed answer and what came of it; an answer that does not parse is one problem."""
    try:
        answer = parse_answer(answer_text(reply))
    except BadReply as error:
        return RepairAnswer(analysis="", edits=(), unresolved=()), ApplyResult(None, (str(error),))
    if not answer.edits and not answer.unresolved:
        return answer, ApplyResult(None, ("there are no edits, and no finding is named as unresolved",))
    return answer, apply_edits(subject.bundle, answer, subject.contract)


def _joined(first: RepairAnswer, second: RepairAnswer) -> RepairAnswer:
    """Both answers as one; what the second says about a finding holds."""
    later = {u.finding for u in second.unresolved}
    open_ends = (*(u for u in first.unresolved if u.finding not in later), *second.unresolved)
    analysis = " ".join(a for a in (first.analysis, second.analysis) if a)
    return RepairAnswer(analysis=analysis, edits=(*first.edits, *second.edits), unresolved=open_ends)


def _repair(answer: RepairAnswer, result: ApplyResult, exchanges: int) -> ModelRepair:
    return ModelRepair(
        bundle=result.bundle,
        analysis=answer.analysis,
        notes=result.notes,
        problems=result.problems,
        unresolved=answer.unresolved,
        exchanges=exchanges,
    )
