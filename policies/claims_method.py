"""Tests claims about what a function does with its values, and about methods that are left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import Case, Outcome
from policies.claims_names import Function
from policies.parsed import Module
from policies.tree import walk

_CONSTANT = re.compile(
    r"\b(?:uses?|returns?|takes|has|sets|hard-?codes)\s+(?:an?\s+)?(?:constant|fixed)\s+"
    r"`?(\w+)`?(?:\s+values?)?\s*[.)]?$"
    r"|`?\b(\w+)`?\s+is\s+(?:always\s+)?(?:a\s+)?constant\b",
    re.IGNORECASE,
)
_REUSES = re.compile(
    r"\bre-?uses?\s+(?:the\s+)?same\s+`?(\w+)`?(?:\s+(?:instance|object|weights))?\b[^.;]*\btrials?\b", re.I
)
_DIRECTION = r"\bignores?\b[^.;]*\bdirections?\b"
_NOWHERE = re.compile(
    r"(?P<what>[^.;:]+?)\s+(?:is|are)\s+(?:(?:not|never) implemented anywhere|nowhere implemented)\b",
    re.IGNORECASE,
)
_SETTINGS = frozenset({"cfg", "config", "conf", "args", "getattr", "int", "float", "str", "bool", "len"})
_LONG = 8
"""Letters from which on a technical word tells a method; its stem is looked for."""


def constant(case: Case) -> Iterator[Outcome]:
    """`f uses a constant x`: every value that f gives x comes from literals and settings alone."""
    match = _CONSTANT.search(case.body)
    name = (match[1] or match[2]) if match else ""
    for module, function in _functions(case) if name else ():
        values = [v for n in walk(function) for v in _given(n, name)]
        if values and all(map(_is_setting, values)):
            line = values[0].lineno
            told = (
                f"{module.path}:{line} `{module.line(line)}`: no value computed in {function.name}() enters"
            )
            yield Outcome("confirmed", told)
            return


def shared_object(case: Case) -> Iterator[Outcome]:
    """`the objective reuses the same model for every trial`: handed in, never made or reset inside."""
    match = _REUSES.search(case.body)
    name = match[1] if match else ""
    for module, function in _functions(case) if name else ():
        inner = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name]
        bound = any(isinstance(n.ctx, ast.Store) for n in inner)
        reset = re.search(r"deepcopy|load_state_dict|reset_parameters|\bcopy\b", ast.unparse(function))
        made = any(isinstance(v, ast.Call) for v in _handed(module, function, name))
        if inner and not bound and not reset and not made:
            line = inner[0].lineno
            told = f"{module.path}:{line} `{module.line(line)}`: {function.name}() gets `{name}` from outside"
            yield Outcome("confirmed", f"{told} and neither makes nor resets it", 4)
            return


def ignores_direction(case: Case) -> Iterator[Outcome]:
    """`f ignores the direction of the metrics`: refuted when it subtracts some inputs and not others."""
    if not case.says(_DIRECTION) or case.says(r"\bgap\b"):
        return
    for module, function in _functions(case):
        names = {a.arg for a in function.args.args}
        turned = {x.id for n in walk(function) for x in _subtracted(n, names)}
        used = {n.id for n in walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        kept = sorted(used & names - turned)
        if len(turned) > 0 and kept and "return" in ast.unparse(function):
            line = next(n.lineno for n in walk(function) if isinstance(n, ast.Return))
            yield Outcome(
                "refuted",
                f"{module.path}:{line} `{module.line(line)}` subtracts {', '.join(sorted(turned))}; "
                f"{', '.join(kept)} enter as they are",
            )
            return


def nowhere(case: Case) -> Iterator[Outcome]:
    """`x is not implemented anywhere`: confirmed when no code mentions the word that x is called by."""
    match = _NOWHERE.search(case.body)
    if match is None or any(m.tree is None for m in case.subject.modules.values()):
        return
    named = re.sub(r"\([^()]*\)|\b(?:described|proposed|required|mentioned)\b.*", " ", match["what"])
    told = re.findall(r"[a-z]+", named.lower())
    if not told or len(told[-1]) < _LONG:
        return
    stem = told[-1][:6]
    if not any(stem in m.text.lower() for m in case.subject.modules.values()):
        yield Outcome("confirmed", f"no line of the bundle's code mentions `{stem}`", 1)


def _functions(case: Case) -> Iterator[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The functions that a claim names; for `it ...`, those that the claim before it names."""
    named = [n.rpartition(".")[2] for n in case.identifiers]
    if not any(_defined(case, n) for n in named) and re.match(r"it\b", case.body):
        named = [n.rpartition(".")[2] for t in reversed(case.mates) for n in t.case.identifiers]
    for module in case.subject.parsable:
        for node in module.nodes:
            if isinstance(node, Function) and node.name in named:
                yield module, node


def _defined(case: Case, name: str) -> bool:
    return any(isinstance(n, Function) and n.name == name for m in case.subject.parsable for n in m.nodes)


def _given(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """Values that a node stores under a name."""
    match node:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
            yield value
        case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
            yield value
        case ast.AugAssign(target=ast.Name(id=target)) if target == name:
            yield node.target
        case ast.For(target=ast.Name(id=target), iter=iterable) if target == name:
            yield iterable
        case _:
            pass


def _is_setting(value: ast.expr) -> bool:
    """An expression of literals and settings, which no batch and no gate can change."""
    return all(n.id in _SETTINGS for n in walk(value) if isinstance(n, ast.Name))


def _handed(
    module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> Iterator[ast.expr]:
    """What the calls of a function in its module hand to a parameter."""
    arguments = [a.arg for a in function.args.args]
    for node in module.nodes:
        if name in arguments and isinstance(node, ast.Call) and ast.unparse(node.func) == function.name:
            place = arguments.index(name)
            yield from node.args[place : place + 1]
            yield from (k.value for k in node.keywords if k.arg == name)


def _subtracted(node: ast.AST, names: set[str]) -> Iterator[ast.Name]:
    """Inputs that are taken away from a bound; the difference of two inputs tells no direction."""
    match node:
        case ast.BinOp(op=ast.Sub(), left=left, right=ast.Name(id=name) as right) if name in names:
            if not (isinstance(left, ast.Name) and left.id in names):
                yield right
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name(id=name) as operand) if name in names:
            yield operand
        case _:
            pass
