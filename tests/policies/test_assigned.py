"""What names are bound to."""

from __future__ import annotations

import ast

import pytest

from policies.assigned import sole_value, values_of
from policies.parsed import Module, parse_module


def last_name(module: Module, name: str) -> ast.Name:
    """The last read of a name."""
    return [
        n for n in module.nodes if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)
    ][-1]


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("x = 1\nprint(x)", ["1"]),
        ("x = 1\nx = 2\nprint(x)", ["1", "2"]),
        ("x = 1\ndef f():\n    x = 2\n    print(x)", ["2"]),
        ("x = 1\ndef f():\n    print(x)", ["1"]),
        ("def f(x):\n    print(x)", [None]),
        ("x, (y, z) = 1, (2, 3)\nprint(z, x)", ["1"]),
        ("x, y = f()\nprint(x)", [None]),
        ("x = 0\nx += 1\nprint(x)", ["0", None]),
        ("for x in y:\n    print(x)", [None]),
        ("x: int = 3\nprint(x)", ["3"]),
        ("import x\nprint(x)", [None]),
        ("print(x)", []),
        ("f = lambda x: print(x)", [None]),
    ],
)
def test_values(source: str, values: list[str | None]) -> None:
    module = parse_module("a.py", source)
    found = values_of(module, "x", last_name(module, "x"))
    assert [ast.unparse(value) if value is not None else None for value in found] == values


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("a = 1\nx = a\nprint(x)", "1"),
        ("x = x\nprint(x)", "x"),
        ("def f(x):\n    print(x)", "x"),
        ("x = 1\nx = 2\nprint(x)", "x"),
    ],
)
def test_sole_value(source: str, value: str) -> None:
    module = parse_module("a.py", source)
    assert ast.unparse(sole_value(module, last_name(module, "x"))) == value
