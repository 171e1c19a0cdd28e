"""Code that is still there and can no longer be reached."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.gate.base import EVERYWHERE, GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.syntax import blocks

_CODE = code("""
    def fit(model, x):
        loss = model(x)
        loss.backward()
        return loss
""")


class DeadCode(GateRule):
    """`if False:` and an early `return` switch method code off while it seems to be there."""

    ID = "dead-code"
    KINDS = EVERYWHERE
    REFUSED = (
        change(_CODE, _CODE.replace("    loss.backward()", "    if False:\n        loss.backward()")),
        change(_CODE, _CODE.replace("    loss.backward()", "    return loss\n    loss.backward()")),
        change(
            _CODE, _CODE.replace("    loss.backward()", "    if loss and False:\n        loss.backward()")
        ),
        change(_CODE, _CODE.replace("    loss.backward()", "    while 0:\n        loss.backward()")),
    )
    ACCEPTED = (
        change(
            _CODE,
            _CODE.replace(
                "    loss = model(x)", "    if x is None:\n        return None\n    loss = model(x)"
            ),
        ),
        change(_CODE, _CODE.replace("loss = model(x)", "loss = model(x) if x is not None else None")),
        change(
            _CODE, "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import torch\n\n\n" + _CODE
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every new place that cannot be reached."""
        for place in pair.fresh(_never):
            yield place.objection("this code can never run now")


def _never(side: Side) -> Iterator[Place]:
    for place in side.places(ast.If, ast.While, ast.IfExp):
        if isinstance(place.node, ast.If | ast.While | ast.IfExp) and _false(place.node.test):
            yield place
    for module in side.modules:
        for node in module.nodes:
            yield from (Place(module, s) for block in blocks(node) for s in _after_end(block))


def _after_end(block: list[ast.stmt]) -> list[ast.stmt]:
    """What stands behind a statement that leaves the block."""
    for number, statement in enumerate(block):
        if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
            # A lone yield makes a function a generator; it stands behind a return on purpose.
            return [s for s in block[number + 1 :] if not _generator_mark(s)]
    return []


def _generator_mark(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield | ast.YieldFrom)


def _false(test: ast.expr) -> bool:
    match test:
        case ast.Constant(value=value):
            return not value
        case ast.UnaryOp(op=ast.Not(), operand=ast.Constant(value=value)):
            return bool(value)
        case ast.BoolOp(op=ast.And(), values=values):
            return any(_false(v) for v in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return all(_false(v) for v in values)
        case _:
            return False
