"""Loops over the modules of a model: what their conditions select among the names that modules have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.assigned import sole_value
from policies.hydra.names import origin
from policies.kinds import of_kind
from policies.parsed import Module

_LONGEST = 200


@dataclass(frozen=True)
class Walk:
    """One `for name, m in model.named_modules()`."""

    module: Module
    loop: ast.For
    name: str
    """The variable with the dotted name; empty for `modules()`."""
    visited: str
    """The variable with the module."""

    def conditions(self, node: ast.AST) -> tuple[ast.expr, ...] | None:
        """Every test that must hold for `node` to be reached; None if one must not hold."""
        found: list[ast.expr] = []
        child, parent = node, self.module.parents.get(node)
        while parent is not None and child is not self.loop:
            if isinstance(parent, ast.If) and child is not parent.test:
                if child not in parent.body:
                    return None
                found += conjuncts(parent.test)
            elif isinstance(parent, ast.Try | ast.For | ast.While | ast.Match) and parent is not self.loop:
                return None
            child, parent = parent, self.module.parents.get(parent)
        return tuple(found)


def walks(module: Module) -> Iterator[Walk]:
    """Every loop over modules, those over a list made of the walk included."""
    for node in of_kind(module, ast.For):
        walked = node.iter
        if isinstance(walked, ast.Call) and ast.unparse(walked.func) in ("list", "tuple") and walked.args:
            walked = walked.args[0]
        match walked, node.target:
            case (
                ast.Call(func=ast.Attribute(attr="named_modules")),
                ast.Tuple(elts=[ast.Name(id=name), ast.Name(id=visited)]),
            ):
                yield Walk(module, node, name, visited)
            case ast.Call(func=ast.Attribute(attr="modules")), ast.Name(id=visited):
                yield Walk(module, node, "", visited)


def walk_around(module: Module, node: ast.AST, visited: str) -> Walk | None:
    """The walk in whose body `node` stands and whose module `visited` is."""
    found = [w for w in walks(module) if w.visited == visited and any(n is node for n in ast.walk(w.loop))]
    return found[-1] if found else None


def conjuncts(test: ast.expr) -> Iterator[ast.expr]:
    """The parts of a chain of `and`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for value in test.values:
            yield from conjuncts(value)
    else:
        yield test


def selected(walk: Walk, tests: Sequence[ast.expr], names: Sequence[str]) -> tuple[str, ...] | None:
    """The names that meet all tests; None when a test goes by something else than the name."""
    for test in tests:
        if _is_neutral(walk, test):
            continue
        kept = _by_name(walk, test, names)
        if kept is None:
            return None
        names = kept
    return tuple(names)


def _is_neutral(walk: Walk, test: ast.expr) -> bool:
    """Whether a test holds for every module that has not been worked on yet."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="hasattr"))):
            return True
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kind]):
            return name == walk.visited and origin(walk.module, kind) == "torch.nn.Module"
    return False


def _by_name(walk: Walk, test: ast.expr, names: Sequence[str]) -> tuple[str, ...] | None:
    match test:
        case ast.Compare(
            left=ast.Constant(value=str(part)), ops=[ast.In()], comparators=[ast.Name(id=name)]
        ) if (name == walk.name):
            return tuple(each for each in names if part in each)
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="endswith"), args=[ast.Constant(value=str(end))]
        ) if (name == walk.name):
            return tuple(each for each in names if each.endswith(end))
        case ast.Call():
            pattern = searched(walk, test)
            expression = compiled(pattern.value) if pattern is not None else None
            if expression is not None:
                return tuple(each for each in names if expression.search(each))
    return None


def searched(walk: Walk, test: ast.expr) -> ast.Constant | None:
    """The literal expression that a test searches the module's name for."""
    match test:
        case ast.Call(func=func, args=[pattern, ast.Name(id=name)]) if name == walk.name:
            given: ast.expr | None = pattern if origin(walk.module, func) == "re.search" else None
        case ast.Call(func=ast.Attribute(value=owner, attr="search"), args=[ast.Name(id=name)]) if (
            name == walk.name
        ):
            made = sole_value(walk.module, owner)
            is_compiled = isinstance(made, ast.Call) and origin(walk.module, made.func) == "re.compile"
            one = isinstance(made, ast.Call) and len(made.args) == 1 and not made.keywords
            given = made.args[0] if is_compiled and one and isinstance(made, ast.Call) else None
        case _:
            return None
    given = sole_value(walk.module, given) if given is not None else None
    return given if isinstance(given, ast.Constant) and isinstance(given.value, str) else None


def compiled(pattern: object) -> re.Pattern[str] | None:
    """The expression, if searching short names for it is surely quick and needs no start of the name."""
    if not isinstance(pattern, str) or len(pattern) > _LONGEST:
        return None
    if re.search(r"\)[*+{?]|\(\?|\\[1-9]|\^", pattern) or len(re.findall(r"[*+{]", pattern)) > 4:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None
