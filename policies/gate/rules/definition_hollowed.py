"""Functions that are still there and do nothing any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from policies.gate.base import EVERYWHERE, GateRule, Objection, Pair, change, code
from policies.gate.inventory import successors
from policies.gate.syntax import Function, called_name, constant, docless, own_nodes
from policies.tree import walk

_WORK = code("""
    def regularise(model, x):
        total = 0
        for p in model:
            total = total + p * x
        return total
""")


class DefinitionHollowed(GateRule):
    """A body replaced by `pass`, a constant or its own argument passes every rehearsal."""

    ID = "definition-hollowed"
    KINDS = EVERYWHERE
    REFUSED = (
        change(_WORK, "def regularise(model, x):\n    return 0.0\n"),
        change(_WORK, "def regularise(model, x):\n    pass\n"),
        change(_WORK, "def regularise(model, x):\n    return x\n"),
        change(_WORK, "def regularise(model, x):\n    raise NotImplementedError('no data')\n"),
        change(
            _WORK,
            _WORK.replace("    total = 0\n", "    print('start')\n").replace("return total", "return 1"),
        ),
    )
    ACCEPTED = (
        change(_WORK, "def regularise(model, x):\n    return sum(p * x for p in model)\n"),
        change("def todo(model):\n    pass\n", "def todo(model):\n    return model.parameters()\n"),
        change(
            _WORK, _WORK.replace("    total = 0\n", "    if x is None:\n        return 0\n    total = 0\n")
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every function that worked before and does not any more."""
        for old, new in successors(pair.base, pair.attempt):
            if new is None or not isinstance(old.node, Function) or not isinstance(new.node, Function):
                continue
            if _hollow(new.node) and not _hollow(old.node):
                yield Objection(f"the body of {old.name} was emptied", new.module.path, new.lines)
            elif _constant_result(new.node) and not _constant_result(old.node):
                yield Objection(f"{old.name} now only returns constants", new.module.path, new.lines)


def _hollow(function: Function) -> bool:
    parameters = {a.arg for a in walk(function.args) if isinstance(a, ast.arg)}
    return all(_does_nothing(s, parameters) for s in docless(function.body))


def _does_nothing(statement: ast.stmt, parameters: set[str]) -> bool:
    match statement:
        case ast.Pass():
            return True
        case ast.Return(value=ast.Name(id=name)):
            return name in parameters
        case ast.Return(value=value):
            return constant(value)
        case ast.Raise(exc=error):
            raised = error.func if isinstance(error, ast.Call) else error
            return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
        case ast.Expr(value=ast.Call() as call):
            return called_name(call) in ("print", "info", "warning", "debug", "warn")
        case _:
            return False


def _constant_result(function: Function) -> bool:
    """Whether it returns values, and none of them depends on anything."""
    values = _results(own_nodes(function))
    return bool(values) and all(constant(v) for v in values)


def _results(nodes: Iterator[ast.AST]) -> Sequence[ast.expr]:
    return [
        n.value for n in nodes if isinstance(n, ast.Return) and n.value is not None and not _none(n.value)
    ]


def _none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
