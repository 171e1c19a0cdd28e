"""Asking, applying, feeding back once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.model_repair import ModelRepair, repair_with_model
from policies.contract import STANDARD
from policies.edits import Unresolved
from policies.errors import LimitReached, ModelUnavailable
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding, Severity
from tools.llm.base import Exchange, ModelReply, Usage
from tools.llm.cassette import read_cassette, write_cassette
from tools.llm.recording import RecordingModel
from tools.llm.replay import ReplayModel
from tools.llm.scripted import ScriptedModel

BUNDLE = Bundle(files={"src/train.py": "a = 1\nb = 2\n", "src/model.py": ""})
SUBJECT = ParsedBundle(BUNDLE, STANDARD)
FINDING = Finding(
    check="undefined-name",
    criterion=1,
    severity=Severity.BLOCKING,
    file="src/train.py",
    line=1,
    message="c is undefined",
    evidence="a = c",
)


def answer(*edits: tuple[str, str, str], analysis: str = "", unresolved: Any = ()) -> str:
    listed = [{"file": f, "kind": "replace", "anchor": a, "text": t} for f, a, t in edits]
    return json.dumps({"analysis": analysis, "edits": listed, "unresolved": list(unresolved)})


def repair(*replies: Any) -> tuple[ModelRepair, ScriptedModel]:
    model = ScriptedModel(replies)
    return repair_with_model(SUBJECT, [FINDING], model), model


def test_a_good_answer_needs_one_exchange() -> None:
    result, model = repair(answer(("src/train.py", "a = 1", "a = 3"), analysis="A typo."))
    assert result == ModelRepair(
        bundle=BUNDLE.with_file("src/train.py", "a = 3\nb = 2\n"),
        analysis="A typo.",
        notes=(),
        problems=(),
        unresolved=(),
        exchanges=1,
    )
    assert [r.purpose for r in model.requests] == ["repair"]


def test_what_does_not_apply_is_fed_back_with_what_did() -> None:
    first = answer(("src/train.py", "a = 1", "a = 3"), ("src/train.py", "x = 9", "x = 8"), analysis="One.")
    second = answer(("src/train.py", "a = 3\nb = 2", "a = 3\nb = 4"), analysis="Two.")
    result, model = repair(first, second)
    assert result == ModelRepair(
        bundle=BUNDLE.with_file("src/train.py", "a = 3\nb = 4\n"),
        analysis="One. Two.",
        notes=(),
        problems=(),
        unresolved=(),
        exchanges=2,
    )
    asked, again = model.requests
    assert again.purpose == "feedback"
    assert again.messages[: len(asked.messages)] == asked.messages
    assert [m.role for m in again.messages[2:]] == ["assistant", "user"]
    assert again.messages[2].content == first
    assert "edit 2 (replace in src/train.py): the anchor does not occur" in again.messages[3].content
    assert "The other edits were applied and stay" in again.messages[3].content


def test_what_applied_is_kept_when_the_feedback_fails_too() -> None:
    first = answer(("src/train.py", "a = 1", "a = 3"), ("src/extra.py", "", "x"))
    result, _ = repair(first, "I give up.")
    assert result.bundle == BUNDLE.with_file("src/train.py", "a = 3\nb = 2\n")
    assert result.problems == (
        "the answer is not one JSON object: Expecting value: line 1 column 1 (char 0)",
    )
    assert result.exchanges == 2


def test_nothing_usable_twice_is_no_bundle() -> None:
    cut = ModelReply(
        text='{"edits": [', usage=Usage(input_tokens=1, output_tokens=1), model="m", finish_reason="length"
    )
    result, model = repair(cut, "")
    assert (result.bundle, result.exchanges) == (None, 2)
    assert result.problems == ("the answer was empty",)
    assert "cut off at the output limit" in model.requests[1].messages[3].content
    assert "Nothing was changed." in model.requests[1].messages[3].content


def test_an_answer_without_edits_must_say_what_is_unresolved() -> None:
    open_end = {"finding": "F1", "reason": "the data set is unknown"}
    result, model = repair(answer(), answer(unresolved=[open_end]))
    assert result.unresolved == (Unresolved(finding="F1", reason="the data set is unknown"),)
    assert (result.bundle, result.problems, result.exchanges) == (None, (), 2)
    assert "there are no edits" in model.requests[1].messages[3].content


def test_the_later_word_on_a_finding_holds() -> None:
    first = answer(("src/train.py", "x", "y"), unresolved=[{"finding": "F1", "reason": "old"}])
    result, _ = repair(first, answer(unresolved=[{"finding": "F1", "reason": "new"}]))
    assert result.unresolved == (Unresolved(finding="F1", reason="new"),)


def test_a_recorded_repair_replays_to_the_same_bundle(tmp_path: Path) -> None:
    first = answer(("src/train.py", "a = 1", "a = 3"), ("src/train.py", "x = 9", "x = 8"))
    second = answer(("src/train.py", "b = 2", "b = 4"))
    seen: list[Exchange] = []
    live = repair_with_model(SUBJECT, [FINDING], RecordingModel(ScriptedModel([first, second]), seen.append))
    write_cassette(tmp_path / "tape.json", "scripted", seen)
    replay = ReplayModel(read_cassette(tmp_path / "tape.json"))
    assert repair_with_model(SUBJECT, [FINDING], replay) == live
    assert (live.exchanges, replay.unused) == (2, 0)


@pytest.mark.parametrize("error", [ModelUnavailable("down"), LimitReached("tokens", "spent")])
def test_backend_errors_and_limits_pass_through(error: Exception) -> None:
    with pytest.raises(type(error)):
        repair(answer(("src/train.py", "x", "y")), error)
