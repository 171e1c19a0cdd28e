"""What a test is about, read from its imports."""

from __future__ import annotations

import pytest

from policies.parsed import ParsedBundle
from policies.python_tests import CONTRACT
from policies.records import Bundle
from policies.tested_code import used_by

FILES = {
    "src/pkg/__init__.py": "from .core import half as halve\nfrom .more import *\n",
    "src/pkg/more.py": "def most(n): ...\n",
    "src/pkg/core.py": "class Stack:\n    def pop(self): ...\n\n\ndef half(n): ...\n\n\ndef twice(n): ...\n",
}
HEAD = "import pkg\nimport pkg.core as c\nfrom pkg import core, halve\nfrom pkg.core import Stack, half\n\n\n"


@pytest.mark.parametrize(
    ("body", "line", "expected"),
    [
        ("    assert half(2) == 1\n", 8, ["core.half:5"]),
        ("    assert halve(2) == 1\n", 8, ["core.half:5"]),
        ("    assert core.twice(2) == c.half(8)\n", 8, ["core.twice:8", "core.half:5"]),
        ("    assert pkg.core.twice(1) == pkg.halve(4)\n", 8, ["core.twice:8", "core.half:5"]),
        ("    s = Stack()\n    assert half(s) == 1\n", 9, ["core.half:5", "core.Stack:1"]),
        ("    assert helper(2) == 1\n\n\ndef helper(n):\n    return half(n)\n", 8, ["core.half:5"]),
        ("    assert pkg.most(2) == 1\n", 8, ["more.most:1"]),
        ("    assert len([]) == 1\n", 8, []),
    ],
)
def test_definitions_that_a_test_uses(body: str, line: int, expected: list[str]) -> None:
    given = {"tests/test_a.py": f"{HEAD}def test_a():\n{body}"}
    subject = ParsedBundle(Bundle(files=FILES, given=given), CONTRACT)
    found = used_by(subject, "tests/test_a.py::test_a[x]", line)
    assert [f"{t.path.rpartition('/')[2].removesuffix('.py')}.{t.name}:{t.line}" for t in found] == expected


def test_a_method_of_a_test_class_and_an_unknown_test() -> None:
    text = "from pkg.core import Stack\n\n\nclass TestStack:\n    def test_pop(self):\n        Stack.pop(1)\n"
    subject = ParsedBundle(Bundle(files=FILES, given={"tests/test_a.py": text}), CONTRACT)
    assert [t.name for t in used_by(subject, "tests/test_a.py::TestStack::test_pop", 6)] == [
        "Stack.pop",
        "Stack",
    ]
    assert used_by(subject, "tests/test_a.py::test_absent", 1) == []
    assert used_by(subject, "tests/absent.py::test_a", 1) == []
