"""Reading a review, and whether its citations hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.errors import BadReply
from policies.records import Bundle
from policies.review_answer import CitedClaim, ReviewAnswer, citation_problem, parse_review, review_schema

BUNDLE = Bundle(
    files={"src/train.py": "import os\n\n\ndef run(cfg):\n    return cfg.lr\n", "src/model.py": " \n"},
    run_configs={"config/runs/a.yaml": "run_id: a\nlr: 0.1\n"},
)


def cited(**changes: Any) -> CitedClaim:
    """A claim about line 5 of train.py."""
    place = {"file": "src/train.py", "start_line": 5, "end_line": 5, "quote": "return cfg.lr"}
    said = {"text": "`lr` is wrong", "criterion": 2, "severity": "blocking", "consequence": "It stops."}
    return CitedClaim.model_validate({**said, **place, **changes})


def test_an_answer_is_read_out_of_what_stands_around_it() -> None:
    answer = ReviewAnswer(claims=(cited(),), is_code_ready=False)
    text = f"<think>hm</think>Here:\n```json\n{answer.model_dump_json()}\n```"
    assert parse_review(text) == answer


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("none", "not one JSON object"),
        ('{"claims": []}', "is_code_ready: Field required"),
        ('{"claims": [{"text": "x"}], "is_code_ready": true}', "claims.0.criterion: Field required"),
        ('{"claims": [], "is_code_ready": true, "more": 1}', "more: Extra inputs"),
    ],
)
def test_an_answer_of_another_form_is_said_precisely(text: str, problem: str) -> None:
    with pytest.raises(BadReply, match=problem):
        parse_review(text)


def test_the_schema_is_fit_for_strict_output() -> None:
    schema = review_schema()
    for part in (schema, schema["$defs"]["CitedClaim"]):
        assert (part["additionalProperties"], set(part["required"])) == (False, set(part["properties"]))
    assert "minimum" not in json.dumps(schema)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, ""),
        ({"start_line": 4, "quote": "    4| def run(cfg):\n    5|     return cfg.lr"}, ""),
        ({"start_line": 4, "quote": "def run(cfg): return   cfg.lr"}, ""),
        ({"file": "config/runs/a.yaml", "start_line": 2, "end_line": 2, "quote": "lr: 0.1"}, ""),
        ({"file": "src/model.py", "start_line": 0, "end_line": 0, "quote": ""}, ""),
        ({"file": "src/model.py", "quote": "x"}, "src/model.py is empty, so the quote does not stand there"),
        ({"file": "src/other.py"}, "there is no file src/other.py in the bundle"),
        ({"end_line": 6}, "src/train.py has 5 lines, there are no lines 5 to 6"),
        ({"start_line": 0}, "src/train.py has 5 lines, there are no lines 0 to 5"),
        ({"end_line": 4}, "src/train.py has 5 lines, there are no lines 5 to 4"),
        ({"quote": " "}, "nothing is quoted"),
        ({"quote": "return cfg.rate"}, "the quote is not on src/train.py:5"),
        ({"quote": "import os"}, "the quote is not on src/train.py:5, but on src/train.py:1"),
        (
            {"start_line": 2, "end_line": 3, "quote": "import os"},
            "the quote is not on src/train.py:2-3, but on src/train.py:1",
        ),
    ],
)
def test_a_citation(changes: dict[str, Any], problem: str) -> None:
    assert citation_problem(cited(**changes), BUNDLE) == problem
