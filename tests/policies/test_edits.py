"""Reading answers and applying edits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.contract import Contract
from policies.edits import ApplyResult, Edit, RepairAnswer, answer_schema, apply_edits, parse_answer
from policies.errors import BadReply
from policies.records import Bundle

CONTRACT = Contract(
    files=("src/train.py", "src/model.py", "src/main.py", "pyproject.toml", "config/config.yaml"),
    train=("python", "-m", "src.main"),
    trial=("python", "-m", "src.main"),
    evaluate=("python", "-m", "src.evaluate"),
)
TRAIN = '''import torch


class Net(torch.nn.Module):
    """A net."""

    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 2)

    # keeps its comment
    @torch.no_grad()
    def forward(self, x):
        return self.fc(x)


def run(x):
    y = x + 1
    return y


def again(x):
    y = x + 1
    return x
'''
BUNDLE = Bundle(
    files={
        "src/train.py": TRAIN,
        "src/model.py": "",
        "src/main.py": "def broken(:\n",
        "pyproject.toml": "[project]\nname = 'a'\n",
        "config/config.yaml": "run: null\nseed: 1\n",
    },
    run_configs={"config/runs/a.yaml": "run_id: a\n"},
)


def edit(kind: str, anchor: str, text: str, file: str = "src/train.py") -> Edit:
    return Edit.model_validate({"file": file, "kind": kind, "anchor": anchor, "text": text})


def applied(*edits: Edit, bundle: Bundle = BUNDLE, **options: Any) -> ApplyResult:
    return apply_edits(bundle, RepairAnswer(analysis="", edits=edits, unresolved=()), CONTRACT, **options)


def text_of(result: ApplyResult, file: str = "src/train.py") -> str:
    assert result.bundle is not None, result.problems
    assert result.problems == ()
    return result.bundle.files[file]


def only_problem(result: ApplyResult) -> str:
    assert result.bundle is None
    (problem,) = result.problems
    return problem


def test_the_schema_is_strict() -> None:
    def objects(node: Any) -> list[dict[str, Any]]:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        here = [node] if isinstance(node, dict) and node.get("type") == "object" else []
        return here + [found for child in inner for found in objects(child)]

    found = objects(answer_schema())
    assert len(found) == 3
    for schema in found:
        assert schema["additionalProperties"] is False
        assert sorted(schema["required"]) == sorted(schema["properties"])


ANSWER = {
    "analysis": "why",
    "edits": [{"file": "a.py", "kind": "write_file", "anchor": "", "text": "x = 1\n"}],
    "unresolved": [{"finding": "F2", "reason": "needs a GPU"}],
}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ANSWER),
        f"```json\n{json.dumps(ANSWER, indent=1)}\n```",
        f"Here it is:\n{json.dumps(ANSWER)}\nDone.",
        f"<think>maybe {{this}}</think>\n{json.dumps(ANSWER)}",
        json.dumps(ANSWER).replace("x = 1\\n", "x = 1\n"),
    ],
)
def test_reads_answers_in_their_wrappings(text: str) -> None:
    assert parse_answer(text) == RepairAnswer.model_validate_json(json.dumps(ANSWER))


def test_lists_that_are_left_out_are_empty() -> None:
    assert parse_answer("{}") == RepairAnswer(analysis="", edits=(), unresolved=())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("I would change the import.", "not one JSON object: Expecting value"),
        ('{"edits": [', "not one JSON object"),
        ("[1, 2]", "it is a list, not an object"),
        (
            '{"edits": [{"file": "a", "kind": "delete", "anchor": "", "text": ""}]}',
            "edits.0.kind: Input should",
        ),
        ('{"edits": [], "more": 1}', "more: Extra inputs are not permitted"),
        ("[" * 100_000, "not one JSON object"),
    ],
)
def test_a_bad_reply_says_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(BadReply) as caught:
        parse_answer(text)
    assert problem in str(caught.value)


def test_replaces_the_only_occurrence() -> None:
    result = applied(edit("replace", "Linear(4, 2)", "Linear(4, 3)"))
    assert text_of(result) == TRAIN.replace("Linear(4, 2)", "Linear(4, 3)")
    assert result.notes == ()


def test_edits_build_on_each_other() -> None:
    result = applied(
        edit("replace", "import torch\n", "import os\nimport torch\n"), edit("replace", "import os\n", "")
    )
    assert result == ApplyResult(None)
    result = applied(
        edit("replace", "return y", "return y + 1"), edit("replace", "return y + 1", "return y - 1")
    )
    assert text_of(result) == TRAIN.replace("return y\n", "return y - 1\n")


def test_an_anchor_in_two_places_is_refused() -> None:
    problem = only_problem(applied(edit("replace", "    y = x + 1\n", "    y = x\n")))
    assert problem == (
        "edit 1 (replace in src/train.py): the anchor occurs 2 times (lines 18, 23): "
        "take more lines around it"
    )


def test_an_absent_anchor_shows_the_closest_lines() -> None:
    problem = only_problem(applied(edit("replace", "def run(x):\n    z = x + 2\n    return z", "")))
    assert problem == (
        "edit 1 (replace in src/train.py): the anchor does not occur in the file; the closest lines are\n"
        "   17| def run(x):\n   18|     y = x + 1\n   19|     return y"
    )
    assert only_problem(applied(edit("replace", "@@@@ ####", ""))).endswith("and nothing like it does")
    assert only_problem(applied(edit("replace", " \n", "x"))).endswith("the anchor is empty")


def test_nothing_changed_is_a_problem() -> None:
    assert only_problem(applied(edit("replace", "return y", "return y"))).endswith("are the same")


@pytest.mark.parametrize(
    ("anchor", "text", "note"),
    [
        ("def run(x):  \n    y = x + 1\n", "def run(x):\n    y = x + 2\n", "trailing whitespace"),
        ("  def run(x):\n      y = x + 1", "  def run(x):\n      y = x + 2", "indentation"),
        ("def run( x ):\n    y = x+1", "def run(x):\n    y = x + 2", "whitespace"),
        (
            "   17| def run(x):\n   18|     y = x + 1",
            "   17| def run(x):\n   18|     y = x + 2",
            "trailing whitespace",
        ),
    ],
)
def test_whitespace_is_tolerated_and_reported(anchor: str, text: str, note: str) -> None:
    result = applied(edit("replace", anchor, text))
    assert text_of(result) == TRAIN.replace("def run(x):\n    y = x + 1", "def run(x):\n    y = x + 2")
    assert result.notes == (
        f"edit 1 (replace in src/train.py): the anchor matched line 17 except for {note}",
    )


def test_windows_line_ends_are_kept() -> None:
    bundle = BUNDLE.with_file("src/train.py", TRAIN.replace("\n", "\r\n"))
    result = applied(edit("replace", "def run(x):\n    y = x + 1", "def run(x):\n    y = 0"), bundle=bundle)
    assert text_of(result) == TRAIN.replace("run(x):\n    y = x + 1", "run(x):\n    y = 0").replace(
        "\n", "\r\n"
    )


def test_replaces_a_method_with_its_decorators() -> None:
    new = 'def forward(self, x):\n    text = """\nkept\n"""\n    return self.fc(x), text'
    result = applied(edit("replace_function", "Net.forward", new))
    assert text_of(result) == TRAIN.replace(
        "    @torch.no_grad()\n    def forward(self, x):\n        return self.fc(x)\n",
        '    def forward(self, x):\n        text = """\nkept\n"""\n        return self.fc(x), text\n',
    )


def test_replaces_a_function_given_with_indentation_and_a_helper() -> None:
    new = "    def help_run(x):\n        return x\n\n    def run(x):\n        return help_run(x)\n"
    result = applied(edit("replace_function", "run", new))
    assert text_of(result) == TRAIN.replace(
        "def run(x):\n    y = x + 1\n    return y\n",
        "def help_run(x):\n    return x\n\ndef run(x):\n    return help_run(x)\n",
    )


@pytest.mark.parametrize(
    ("anchor", "text", "problem"),
    [
        (
            "Net.walk",
            "def walk(): ...",
            "there is no 'Net.walk'; the file defines Net, Net.__init__, Net.forward",
        ),
        ("run", "def walk(x):\n    return x", "the text does not define 'run'"),
        (
            "run",
            "def run(x:\n    return x",
            "the text is not Python: '(' was never closed in line 1 of the text",
        ),
        ("run", "import os\ndef run(x):\n    return x", "only definitions, but has `import os`"),
    ],
)
def test_a_function_that_cannot_be_replaced(anchor: str, text: str, problem: str) -> None:
    assert problem in only_problem(applied(edit("replace_function", anchor, text)))


def test_a_name_defined_twice_is_refused() -> None:
    bundle = BUNDLE.with_file("src/train.py", "if 1:\n    def f(): return 1\nelse:\n    def f(): return 2\n")
    problem = only_problem(applied(edit("replace_function", "f", "def f(): return 3"), bundle=bundle))
    assert "'f' is defined 2 times (lines 2, 4): use replace" in problem


def test_whole_files_where_there_is_nothing_to_anchor_on() -> None:
    for file in ("src/model.py", "src/main.py"):
        assert text_of(applied(edit("write_file", "", "x = 1", file=f"./{file}")), file) == "x = 1\n"
    missing = BUNDLE.without_file("src/main.py")
    assert (
        text_of(applied(edit("write_file", "", "x = 1\n", "src/main.py"), bundle=missing), "src/main.py")
        == "x = 1\n"
    )
    problem = only_problem(applied(edit("write_file", "", "x = 1\n")))
    assert "write_file is for files that are missing, empty or do not parse" in problem
    assert text_of(applied(edit("write_file", "", "x = 1\n"), rewritable=["src/train.py"])) == "x = 1\n"


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("config/runs/a.yaml", "run configs are given and must not be changed"),
        ("config/runs/new.yaml", "run configs are given and must not be changed"),
        ("src/extra.py", "not a file of the bundle; only these are: src/train.py"),
        ("../etc/passwd", "not a file of the bundle"),
        ("/etc/passwd", "not a file of the bundle"),
        ("src/../../x", "not a file of the bundle"),
        ("config\\runs\\a.yaml", "run configs are given"),
    ],
)
def test_other_files_are_out_of_reach(file: str, problem: str) -> None:
    assert problem in only_problem(applied(edit("write_file", "", "x = 1\n", file)))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            edit("replace", "return y", "return (y"),
            "src/train.py does not parse afterwards: line 19: '(' was never",
        ),
        (
            edit("replace", "name = 'a'", "name = a", "pyproject.toml"),
            "pyproject.toml does not parse afterwards",
        ),
        (
            edit("replace", "seed: 1", "run: 1", "config/config.yaml"),
            "config/config.yaml does not parse afterwards",
        ),
    ],
)
def test_a_file_that_no_longer_parses_is_left_as_it_was(change: Edit, problem: str) -> None:
    good = edit("write_file", "", "x = 1\n", "src/model.py")
    result = applied(change, good)
    assert result.bundle == BUNDLE.with_file("src/model.py", "x = 1\n")
    assert len(result.problems) == 1
    assert problem in result.problems[0]
