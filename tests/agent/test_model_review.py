"""The reviewing model: asked once for a bundle, heard once more, and blocking only by what holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent import review
from agent.library import repair, resume
from agent.library_review import judge
from agent.model_review import ask
from agent.results import RepairResult
from agent.settings import Settings
from policies.base import Evidence
from policies.budget import Budget
from policies.contract import STANDARD
from policies.errors import LimitReached, ModelUnavailable
from policies.parsed import ParsedBundle
from policies.policy import STANDARD_POLICY
from policies.records import Bundle, Rehearsal, Rejection, Request, Severity, Verdict
from policies.review import review as check
from tests.agent.test_graph import APPROVAL, GOOD, TextRehearser, answer, request
from tools.ledger_read import LedgerReader
from tools.llm.base import Exchange, ModelReply, ModelRequest, Usage
from tools.llm.cassette import read_cassette, write_cassette
from tools.llm.recording import RecordingModel
from tools.llm.replay import ReplayModel
from tools.llm.scripted import ScriptedModel

UNUSED = "`freeze_encoder` is never used in src/train.py"
CLAIM = {
    "text": UNUSED,
    "criterion": 1,
    "severity": "blocking",
    "file": "src/train.py",
    "start_line": 1,
    "end_line": 1,
    "quote": "import",
    "consequence": "The encoder is trained.",
}
HOLDS = f"The reviewing model's claim holds: {UNUSED}"


def said(*claims: dict[str, Any], ready: bool = False) -> str:
    """A reviewing model's answer."""
    return json.dumps({"claims": claims, "is_code_ready": ready})


def bundle(train: str = GOOD) -> Request:
    """A bundle that codemods make ready, with a config key that nothing reads."""
    made = request(train)
    text = made.bundle.files["config/config.yaml"] + "freeze_encoder: true\n"
    return made.model_copy(update={"bundle": made.bundle.with_file("config/config.yaml", text)})


def fix(tmp_path: Path, model: ScriptedModel, given: Request | None = None, **budget: int) -> RepairResult:
    """The repair of such a bundle with a scripted model."""
    settings = Settings(llm="off", budget=Budget(**budget))
    rehearser = TextRehearser()
    return repair(given or bundle(), workspace=tmp_path, settings=settings, rehearser=rehearser, model=model)


def messages(result: RepairResult) -> list[tuple[str, str]]:
    return [(f.check, f.message) for f in result.verdict.blocking]


def test_a_claim_that_holds_is_repaired_before_the_bundle_is_ready(tmp_path: Path) -> None:
    edit = answer("    print(cfg.model.name", "    print(cfg.freeze_encoder, cfg.model.name")
    model = ScriptedModel([said(CLAIM), edit, APPROVAL])
    result = fix(tmp_path, model)
    assert (result.reason, result.attempts, result.budget.calls) == ("ready", 2, 3)
    assert [r.purpose for r in model.requests] == ["review", "repair", "review"]
    assert HOLDS in model.requests[1].messages[1].content
    with LedgerReader.open(Path(result.ledger)) as book:
        first, second = book.record(1), book.record(2)
    assert first.verdict is not None
    assert [f.message for f in first.verdict.blocking] == [HOLDS]
    assert HOLDS in first.verdict.code_issue
    assert [e.request.purpose for e in first.exchanges] == ["review"]
    assert [e.request.purpose for e in second.exchanges] == ["repair", "review"]
    assert first.tokens + second.tokens == result.budget.tokens > 0
    assert [f.message for f in second.resolved] == [HOLDS]


def test_a_claim_that_nobody_can_mend_is_no_ready(tmp_path: Path) -> None:
    useless = json.dumps({"analysis": "", "edits": [], "unresolved": []})
    result = fix(tmp_path, ScriptedModel([said(CLAIM), *[useless] * 6]))
    assert (result.reason, messages(result)) == ("stuck", [("reviewer-claim", HOLDS)])
    assert not result.verdict.is_code_ready


def test_a_claim_stands_while_something_else_blocks(tmp_path: Path) -> None:
    """The model is not asked about a bundle that checks object to, and what it said is not forgotten."""
    broken = answer("    print(cfg.model.name", "    undefined_thing()\n    print(cfg.model.name")
    model = ScriptedModel([said(CLAIM), broken])
    result = fix(tmp_path, model, max_attempts=2)
    with LedgerReader.open(Path(result.ledger)) as book:
        verdict = book.record(2).verdict
    assert verdict is not None
    assert {f.check for f in verdict.blocking} == {"undefined-name", "reviewer-claim"}
    assert (result.reason, [r.purpose for r in model.requests]) == ("budget", ["review", "repair"])


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        ({**CLAIM, "quote": "no such text"}, "unverified"),
        ({**CLAIM, "text": "src/train.py has a syntax error"}, "refuted"),
        ({**CLAIM, "severity": "advisory"}, "confirmed"),
    ],
)
def test_other_claims_do_not_block(tmp_path: Path, claim: dict[str, Any], status: str) -> None:
    result = fix(tmp_path, ScriptedModel([said(claim)]))
    assert (result.reason, result.attempts) == ("ready", 1)
    assert [(c.text, c.status, c.source) for c in result.verdict.claims] == [(claim["text"], status, "model")]
    count = sum(c.severity is Severity.BLOCKING for c in result.verdict.claims)
    assert result.notes[-1] == (
        f"the reviewing model calls the bundle not ready, but none of its blocking claims ({count}) "
        "is both confirmed and in time"
    )


def test_what_the_rejection_passed_over_is_late(tmp_path: Path) -> None:
    rejection = Rejection(is_code_ready=False, code_issue="- `src/train.py` merges into a struct config.")
    given = bundle().model_copy(update={"rejection": rejection})
    result = fix(tmp_path, ScriptedModel([said(CLAIM)]), given)
    assert result.reason == "ready"
    late = [(c.source, c.status, c.late) for c in result.verdict.claims if c.text == UNUSED]
    assert late == [("model", "confirmed", True)]


def test_what_the_rejection_said_and_the_model_says_again_blocks(tmp_path: Path) -> None:
    text = "- The parameter freeze_encoder is ignored by train.py."
    given = bundle().model_copy(update={"rejection": Rejection(is_code_ready=False, code_issue=text)})
    result = fix(tmp_path, ScriptedModel([said(CLAIM)]), given, max_attempts=1)
    assert (result.reason, [check for check, _ in messages(result)]) == ("budget", ["reviewer-claim"])


@pytest.mark.parametrize(
    ("script", "note", "calls"),
    [
        ([ModelUnavailable("no route")], "the model cannot be asked: no route", 1),
        (["nonsense", "more nonsense"], "the model gave no usable review: the answer is not one JSON", 2),
    ],
)
def test_a_model_that_does_not_answer_leaves_it_to_the_checks(
    tmp_path: Path, script: list[Any], note: str, calls: int
) -> None:
    result = fix(tmp_path, ScriptedModel(script))
    assert (result.reason, result.budget.calls) == ("ready", calls)
    assert result.notes[-1].startswith(f"the verdict is that of the checks alone: {note}")


def test_a_spent_budget_leaves_it_to_the_checks(tmp_path: Path) -> None:
    model = ScriptedModel([said(CLAIM)])
    result = fix(tmp_path, model, max_tokens=300)
    assert (result.reason, model.requests, result.budget.calls) == ("ready", [], 0)
    assert result.notes[-1] == "the verdict is that of the checks alone: the tokens budget is used up"


def test_a_review_that_was_cut_off_is_not_paid_twice(tmp_path: Path) -> None:
    class Killed(TextRehearser):
        def rehearse(self, *args: object, **options: object) -> tuple[Rehearsal, ...]:
            if self.calls == 2:
                self.calls += 1
                raise KeyboardInterrupt
            return super().rehearse(*args, **options)  # type: ignore[arg-type]  # passes all on

    edit = answer("    print(cfg.model.name", "    print(cfg.freeze_encoder, cfg.model.name")
    model, rehearser = ScriptedModel([said(CLAIM), edit, APPROVAL]), Killed()
    settings = Settings(llm="off")
    first = repair(bundle(), workspace=tmp_path, settings=settings, rehearser=rehearser, model=model)
    assert (first.reason, len(model.requests)) == ("interrupted", 2)
    second = resume(Path(first.ledger), rehearser=rehearser, model=model)
    assert (second.reason, second.attempts, len(model.requests)) == ("ready", 2, 3)
    assert resume(Path(first.ledger), rehearser=rehearser, model=model) == second
    assert len(model.requests) == 3


def test_a_bundle_that_arrives_ready_is_reviewed_and_the_exchange_is_kept(tmp_path: Path) -> None:
    done = fix(tmp_path, ScriptedModel([APPROVAL]))
    with LedgerReader.open(Path(done.ledger)) as book:
        ready = book.bundle_at("best")
    model = ScriptedModel([APPROVAL])
    result = fix(tmp_path, model, bundle().model_copy(update={"bundle": ready}))
    assert (result.reason, result.attempts, result.budget.calls) == ("ready", 0, 1)
    with LedgerReader.open(Path(result.ledger)) as book:
        (kept,) = book.note("import")["exchanges"]
    assert Exchange.model_validate(kept).request == model.requests[0]


SUBJECT = ParsedBundle(Bundle(files={"src/train.py": "import os\n"}), STANDARD)


def asked(*replies: Any) -> tuple[Any, ScriptedModel]:
    model = ScriptedModel(replies)
    verdict = check(SUBJECT, Evidence(), checks=())
    return ask(SUBJECT, verdict, Evidence(), model), model


def test_an_answer_that_does_not_parse_is_fed_back_once() -> None:
    made, model = asked('{"claims": []}', said(CLAIM))
    assert [c.text for c in made.said.claims] == [UNUSED]
    assert [r.purpose for r in model.requests] == ["review", "feedback"]
    again = model.requests[1].messages
    assert again[:2] == model.requests[0].messages
    assert (again[2].content, "is_code_ready: Field required" in again[3].content) == ('{"claims": []}', True)
    cut = ModelReply(
        text="{", usage=Usage(input_tokens=1, output_tokens=1), model="m", finish_reason="length"
    )
    made, model = asked(cut, "")
    assert made.problem == "the model gave no usable review: the answer was empty"
    assert len(model.requests) == 2


@pytest.mark.parametrize("error", [ModelUnavailable("down"), LimitReached("tokens", "spent")])
def test_backend_errors_and_limits_pass_through(error: Exception) -> None:
    with pytest.raises(type(error)):
        asked("nonsense", error)


def test_a_recorded_review_replays(tmp_path: Path) -> None:
    seen: list[Exchange] = []
    verdict = check(SUBJECT, Evidence(), checks=())
    live = ask(SUBJECT, verdict, Evidence(), RecordingModel(ScriptedModel(["?", said(CLAIM)]), seen.append))
    write_cassette(tmp_path / "tape.json", "scripted", seen)
    replay = ReplayModel(read_cassette(tmp_path / "tape.json"))
    assert (ask(SUBJECT, verdict, Evidence(), replay), replay.unused) == (live, 0)


def once(tmp_path: Path, *replies: str, **options: Any) -> tuple[Verdict, list[ModelRequest]]:
    """A review of a bundle as a library call, with a memory of its own."""
    model = ScriptedModel(replies)
    given = options.pop("given", bundle())
    settings = Settings(llm="off", cache=tmp_path)
    verdict = review(given, rehearse=False, settings=settings, model=model, **options)
    return verdict, model.requests


def told(verdict: Verdict) -> list[tuple[str, str, bool]]:
    return [(c.text, c.status, c.late) for c in verdict.claims]


def test_an_unchanged_bundle_gets_the_same_review_without_asking(tmp_path: Path) -> None:
    first, requests = once(tmp_path, said(CLAIM))
    assert (told(first), len(requests)) == ([(UNUSED, "confirmed", False)], 1)
    second, requests = once(tmp_path)
    assert (second, requests) == (first, [])


def test_across_rounds_words_stay_and_what_is_new_on_old_lines_is_late(tmp_path: Path) -> None:
    given = bundle()
    first, _ = once(tmp_path / "1", said(CLAIM))
    reworded = {**CLAIM, "text": "`freeze_encoder`, a key of the config, is ignored by src/train.py"}
    new = {**CLAIM, "text": "src/train.py never closes its files", "criterion": 3}
    second, requests = once(tmp_path / "2", said(reworded, new), earlier=first)
    assert told(second) == [(UNUSED, "confirmed", False), (new["text"], "unverified", True)]
    assert UNUSED in requests[0].messages[1].content
    # Said in round one, not repeated, and still so.
    third, _ = once(tmp_path / "3", APPROVAL, earlier=first)
    assert (told(third), third.blocking) == (told(first), first.blocking)
    train = given.bundle.files["src/train.py"]
    changed = given.model_copy(
        update={"bundle": given.bundle.with_file("src/train.py", f"import os\n{train}")}
    )
    fourth, _ = once(tmp_path / "4", said(new), given=changed, earlier=first, earlier_bundle=given.bundle)
    assert [late for text, _, late in told(fourth) if text == new["text"]] == [False]


def test_without_a_model_earlier_claims_are_tested_again(tmp_path: Path) -> None:
    first, _ = once(tmp_path, said(CLAIM))
    again = review(bundle(), rehearse=False, settings=Settings(llm="off"), earlier=first)
    assert told(again) == told(first)
    assert [f.check for f in again.blocking if f.check == "reviewer-claim"] == ["reviewer-claim"]


def test_a_review_without_the_model_says_why(tmp_path: Path) -> None:
    model = ScriptedModel([ModelUnavailable("no route")])
    settings = Settings(llm="off", cache=tmp_path)
    judged = judge(bundle(), settings, STANDARD_POLICY, rehearse=False, model=model)
    assert judged.notes == ("the verdict is that of the checks alone: the model cannot be asked: no route",)
    assert judged.verdict == review(bundle(), rehearse=False, settings=Settings(llm="off"))
