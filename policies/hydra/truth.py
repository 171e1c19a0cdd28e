"""Truth, comparison and plain data of abstract values."""

from __future__ import annotations

import ast
from typing import Any

from policies.hydra.values import UNKNOWN, Constant, Instance, Many, Node, Sampled, Trial, Value


def plain(value: Value) -> Any:
    """What is stored under a key: plain data where it is known, the abstract value otherwise."""
    if isinstance(value, Node):
        return value.data if value.complete else UNKNOWN
    return value.value if isinstance(value, Constant) else value if isinstance(value, Sampled) else UNKNOWN


def truth(value: Value) -> bool | None:
    """Whether a value counts as true; None when that is not known."""
    if isinstance(value, Constant):
        return bool(value.value)
    if isinstance(value, Node) and value.complete:
        return bool(value.data)
    if isinstance(value, Many):
        return bool(value.parts)
    if isinstance(value, Trial):
        return True
    return None


def compare(left: Value, op: ast.cmpop, right: Value) -> Value:
    """The outcome of `left op right`."""
    if isinstance(op, ast.In | ast.NotIn) and isinstance(right, Node) and isinstance(left, Constant):
        if not right.complete and left.value not in right.data:
            return UNKNOWN
        return Constant((left.value in right.data) is isinstance(op, ast.In))
    if (
        isinstance(op, ast.Is | ast.IsNot)
        and isinstance(left, Node | Trial | Instance | Many)
        and isinstance(right, Constant)
    ):
        return Constant(isinstance(op, ast.IsNot))
    if not (isinstance(left, Constant) and isinstance(right, Constant)):
        return UNKNOWN
    try:
        return Constant(_COMPARE[type(op)](left.value, right.value))
    except (TypeError, KeyError):
        return UNKNOWN


_COMPARE: dict[type[ast.cmpop], Any] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
}


def matches(pattern: ast.pattern, value: Value) -> bool | None:
    """Whether a `case` takes a value; None when that is not known."""
    if isinstance(pattern, ast.MatchAs):
        return True if pattern.pattern is None else matches(pattern.pattern, value)
    if isinstance(pattern, ast.MatchOr):
        found = [matches(inner, value) for inner in pattern.patterns]
        return True if True in found else None if None in found else False
    if not isinstance(value, Constant):
        return None
    if isinstance(pattern, ast.MatchSingleton):
        return pattern.value is value.value
    if isinstance(pattern, ast.MatchValue) and isinstance(pattern.value, ast.Constant):
        return bool(pattern.value.value == value.value)
    return None


def comes_true(test: ast.expr) -> bool:
    """Whether a test whose value is not known is still met in some step of a real run.

    `step % 50 == 0` comes round; `torch.cuda.is_available()` holds on the machine that the code is made for.
    """
    if isinstance(test, ast.BoolOp):
        return all(comes_true(part) for part in test.values)
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.BinOp):
        return isinstance(test.left.op, ast.Mod) and isinstance(test.ops[0], ast.Eq)
    return isinstance(test, ast.Call) and ast.unparse(test.func) == "torch.cuda.is_available"
