"""Walks over trees against those of the standard library."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

from policies.kinds import of_kind
from policies.parsed import parse_module
from policies.tree import children, walk

ROOT = Path(__file__).parents[2]
PATTERNS = """
type_ = 1
match point:
    case {"x": [1, *rest], **others}:
        pass
    case Point(x=0, y=-1) | None as found:
        del found
async def f(*a: int, b=2, **c) -> list[str]:
    global x
    async with g() as h, i:
        await h(*a, **c)
    return {**c, "k": [j async for j in h if j not in a]}
try:
    lambda q, /: (yield q)
except* ValueError as error:
    raise error from None
text = f"{type_!r:>{width}}" if (n := 3) else b"..."
"""
SOURCES = (PATTERNS, (ROOT / "policies" / "parsed.py").read_text(encoding="utf-8"))


def _plain(nodes: Iterable[ast.AST]) -> list[ast.AST]:
    return [node for node in nodes if not isinstance(node, ast.expr_context)]


@pytest.mark.parametrize("source", SOURCES)
def test_walks_like_the_standard_library_but_for_contexts(source: str) -> None:
    """The same nodes in the same order."""
    tree = ast.parse(source)
    assert walk(tree) == _plain(ast.walk(tree))
    assert [children(n) for n in walk(tree)] == [_plain(ast.iter_child_nodes(n)) for n in walk(tree)]


@pytest.mark.parametrize("source", SOURCES)
def test_nodes_by_class_stand_in_the_order_of_all(source: str) -> None:
    """One class, two, and an abstract one."""
    module = parse_module("a.py", source)
    for kinds in ((ast.Name,), (ast.Call, ast.Attribute), (ast.stmt,), (ast.Name, ast.expr), (ast.Import,)):
        assert of_kind(module, *kinds) == tuple(node for node in module.nodes if isinstance(node, kinds))


def test_what_does_not_parse_has_no_nodes() -> None:
    """Nothing is found, and nothing fails."""
    module = parse_module("a.py", "def (")
    assert (module.nodes, module.parents, of_kind(module, ast.Name)) == ((), {}, ())
