"""Names are resolved as Python resolves them."""

from __future__ import annotations

import pytest

from policies.parsed import parse_module
from policies.scopes import unbound, undefined


def names(code: str) -> tuple[list[str], list[str]]:
    module = parse_module("src/x.py", code)
    assert module.tree is not None, module.error
    return [n.id for n in undefined(module)], [n.id for n in unbound(module)]


@pytest.mark.parametrize(
    "code",
    [
        "def f(a, /, b, *c, d=1, **e):\n    return a, b, c, d, e\n",
        "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n    return g\n",
        "class A:\n    x: int = 1\n    y = [1 for _ in range(x)]\n    def f(self) -> 'Undefined': ...\n",
        "with open('x') as f, open('y') as (g, *h):\n    print(f, g, h)\n",
        "try:\n    pass\nexcept ValueError as e:\n    print(e)\n",
        "while (n := input()):\n    print(n)\n",
        "print([y for x in [[1]] for y in x if (z := y)], z)\n",
        "for i in range(3):\n    if i:\n        print(last)\n    last = i\n",
        "def f():\n    return later()\n\n\ndef later(): ...\n",
        "async def f(a):\n    async with a as b:\n        return [c async for c in b]\n",
        "import os.path as p, sys\nprint(p, sys, __name__, __file__, len)\n",
        "x = 1\ndel x\n",
        "def f(n):\n    if n:\n        import json\n    return json\n",
        "gen = (late for _ in range(3))\nlate = 1\n",
    ],
)
def test_silent(code: str) -> None:
    assert names(code) == ([], [])


@pytest.mark.parametrize(
    ("code", "free", "early"),
    [
        ("print(a)\n", ["a"], []),
        ("def f(x=a) -> b:\n    return c\n", ["a", "b", "c"], []),
        ("class A(B):\n    n = 1\n    def f(self):\n        return n\n", ["B", "n"], []),
        ("x: T = 1\n\n\ndef f():\n    y: U = 1\n", ["T"], []),
        ("def f():\n    global g\n    return g\nprint(h)\n", ["h"], []),
        ("def f():\n    print(x)\n    x = 1\n", [], ["x"]),
        ("def f():\n    x = [x for _ in x]\n", [], ["x", "x"]),
        ("main()\n\n\ndef main(): ...\n", [], ["main"]),
    ],
)
def test_found(code: str, free: list[str], early: list[str]) -> None:
    assert names(code) == (free, early)
