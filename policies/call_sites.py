"""Who calls the bundle's own functions, and with what for each parameter."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping

from policies.gates import Function
from policies.hydra.names import local_functions
from policies.kinds import each
from policies.parsed import Module, ParsedBundle

Calls = Mapping[str, tuple[tuple[Module, ast.Call], ...]]


def calls_by_name(subject: ParsedBundle) -> Calls:
    """Last part of the called name -> every such call in the bundle."""
    return subject.memo("calls_by_name", _index)


def _index(subject: ParsedBundle) -> Calls:
    found: dict[str, list[tuple[Module, ast.Call]]] = defaultdict(list)
    for module, node in each(subject, ast.Call):
        if name := called_name(node):
            found[name].append((module, node))
    return {name: tuple(calls) for name, calls in found.items()}


def called_name(call: ast.Call) -> str:
    """`c` of `a.b.c(...)`; empty for anything that is not a name or an attribute."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def callee(subject: ParsedBundle, module: Module, call: ast.Call) -> tuple[Module, Function] | None:
    """The bundle's module-level function that a call by plain name runs."""
    if not isinstance(call.func, ast.Name):
        return None
    function = local_functions(subject, module).get(call.func.id)
    if function is None or isinstance(function.node, ast.Lambda):
        return None
    return function.module, function.node


def parameters(function: Function) -> list[str]:
    """Names of the parameters that can be given by position, then the keyword-only ones."""
    return [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def arguments_for(
    subject: ParsedBundle, function: Function, name: str
) -> Iterator[tuple[Module, ast.Call, ast.expr | None]]:
    """What each call of the function gives for a parameter; None where that cannot be read."""
    for module, call in calls_by_name(subject).get(function.name, ()):
        yield module, call, argument(function, call, name)


def argument(function: Function, call: ast.Call, name: str) -> ast.expr | None:
    """The expression that a call gives for a parameter, its default included; None when unknown."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    names = parameters(function)
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    if any(isinstance(arg, ast.Starred) for arg in call.args) or name not in names:
        return None
    place = names.index(name)
    return call.args[place] if place < len(call.args) else _default(function, name)


def _default(function: Function, name: str) -> ast.expr | None:
    positional = [*function.args.posonlyargs, *function.args.args]
    pairs = list(zip(reversed(positional), reversed(function.args.defaults), strict=False))
    pairs += [(a, d) for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d]
    return next((default for arg, default in pairs if arg.arg == name), None)
