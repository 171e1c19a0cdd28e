"""Losses that lost a part."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from policies.gate.base import GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.inventory import successors
from policies.gate.syntax import Function, leaf, literal, own_nodes
from policies.tree import walk

_CODE = code("""
    def objective(task, aux, weight):
        loss = task + weight * aux
        loss += aux.abs()
        return loss
""")


class LossTermDropped(GateRule):
    """The terms of the loss are the method: one that fails is repaired, not left out or set to zero."""

    ID = "loss-term-dropped"
    REFUSED = (
        change(_CODE, _CODE.replace("task + weight * aux", "task")),
        change(_CODE, _CODE.replace("    loss += aux.abs()\n", "")),
        change(_CODE, _CODE.replace("weight * aux", "0.0 * weight * aux")),
    )
    ACCEPTED = (
        change(_CODE, _CODE.replace("weight * aux", "weight.to(aux.device) * aux.mean()")),
        change(_CODE, _CODE.replace("    loss += aux.abs()\n", "    loss = loss + aux.abs()\n")),
        change(_CODE, _CODE.replace("task + weight * aux", "sum([task, weight * aux])")),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every loss with fewer terms than before, and every new factor zero."""
        for old, new in successors(pair.base, pair.attempt):
            if new is None or not isinstance(old.node, Function) or not isinstance(new.node, Function):
                continue
            before, after = _terms(old.node), _terms(new.node)
            for name in before:
                if 0 < after[name] < before[name]:
                    what = f"{name} in {new.name} has fewer terms than before"
                    yield Objection(what, new.module.path, new.lines)
        for place in pair.fresh(_zero_factors):
            yield place.objection("a new factor zero switches a term off")


def _terms(function: Function) -> Counter[str]:
    """Name of a loss -> how many terms are added up in it, a computed sum counting as many."""
    counts: Counter[str] = Counter()
    for node in own_nodes(function):
        if isinstance(node, ast.Assign) and any("loss" in leaf(t).lower() for t in node.targets):
            for name in {leaf(t) for t in node.targets}:
                # `loss = loss + x` adds to what was there, like `loss += x`.
                counts[name] += _summands(node.value) - _mentions(node.value, name)
        elif isinstance(node, ast.AugAssign) and "loss" in leaf(node.target).lower():
            counts[leaf(node.target)] += _summands(node.value)
    return counts


def _summands(node: ast.expr) -> int:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return _summands(node.left) + _summands(node.right)
    if isinstance(node, ast.Call) and leaf(node.func) in ("sum", "stack", "cat"):
        items = [arg for arg in node.args if isinstance(arg, ast.List | ast.Tuple)]
        return max(1, sum(len(item.elts) for item in items))
    return 1


def _mentions(node: ast.expr, name: str) -> int:
    return int(any(isinstance(n, ast.Name | ast.Attribute) and leaf(n) == name for n in walk(node)))


def _zero_factors(side: Side) -> Iterator[Place]:
    for place in side.places(ast.BinOp):
        node = place.node
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Mult)
            and 0 in (literal(node.left), literal(node.right))
        ):
            yield place
