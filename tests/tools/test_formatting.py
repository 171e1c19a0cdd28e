"""Formatting of what a patch touched, and of nothing else."""

from __future__ import annotations

import pytest

from policies.records import Bundle
from tools.formatting import format_touched

BEFORE = (
    "import os\n\n\ndef untouched( a,b ):\n    return {'x':a , 'y':b}\n\n\ndef touched(a):\n    return a\n"
)
AFTER = BEFORE.replace("    return a\n", "    value = dict( k=a,v = 'w' )\n    return  value\n")


def formatted(before: str | None, after: str, pyproject: str = "") -> str:
    others = {"pyproject.toml": pyproject}
    base = Bundle(files=others if before is None else {**others, "src/a.py": before})
    return format_touched(base, Bundle(files={**others, "src/a.py": after})).files["src/a.py"]


def test_only_the_changed_lines_are_formatted() -> None:
    assert formatted(BEFORE, AFTER) == BEFORE.replace(
        "    return a\n", '    value = dict(k=a, v="w")\n    return value\n'
    )


def test_formatting_twice_is_formatting_once() -> None:
    once = formatted(BEFORE, AFTER)
    assert formatted(BEFORE, once) == once


@pytest.mark.parametrize("before", [None, "", "\n"])
def test_new_files_are_formatted_whole(before: str | None) -> None:
    assert formatted(before, "x = {'a':1}\nif x : pass\n") == 'x = {"a": 1}\nif x:\n    pass\n'


@pytest.mark.parametrize("after", ["def f(:\n", "if x:\n\tpass\n        y\n", "x = 1\x00\n", "("])
def test_what_does_not_parse_is_left_alone(after: str) -> None:
    assert formatted(BEFORE, after) == after


def test_unchanged_and_shortened_files_stay() -> None:
    assert formatted(BEFORE, BEFORE) == BEFORE
    shorter = BEFORE.replace("import os\n", "")
    assert formatted(BEFORE, shorter) == shorter


LONG = "value = some_function(first_argument_name, second_argument_name, third_argument_name, fourth)\n"
WRAPPED = (
    "value = some_function(\n    first_argument_name, second_argument_name, third_argument_name, fourth\n)\n"
)


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        ("", WRAPPED),
        ("[tool.black]\nline-length = 100\n", LONG),
        ("[tool.ruff]\nline-length = 120\n", LONG),
        ("[tool.black]\nline-length = 'wide'\n", WRAPPED),
        ("[tool]\nblack = 3\n", WRAPPED),
        ("not toml [", WRAPPED),
    ],
)
def test_the_line_length_is_the_bundles_own(pyproject: str, expected: str) -> None:
    assert formatted("x = 1\n", "x = 1\n" + LONG, pyproject) == "x = 1\n" + expected


def test_windows_line_ends_are_kept() -> None:
    result = formatted(BEFORE.replace("\n", "\r\n"), AFTER.replace("\n", "\r\n"))
    assert result == formatted(BEFORE, AFTER).replace("\n", "\r\n")


def test_only_python_is_formatted() -> None:
    base = Bundle(files={"config/config.yaml": "a:   1\n"})
    changed = Bundle(files={"config/config.yaml": "a:   2\n"})
    assert format_touched(base, changed) == changed
