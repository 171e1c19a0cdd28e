"""Under which names figures are saved."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from policies.call_sites import arguments_for, called_name
from policies.literal_keys import Reader, bindings_of, scope_of
from policies.parsed import Module, ParsedBundle

MAX_STEPS = 8
SAME = frozenset(("Path", "PurePath", "str", "resolve", "as_posix", "expanduser", "absolute", "fspath"))


@dataclass(frozen=True)
class FigureName:
    """The last part of the path of one saved figure."""

    module: Module
    node: ast.expr
    """The expression of the name."""
    patterns: frozenset[str]
    """What it may be, `*` for what cannot be read."""


def figure_names(subject: ParsedBundle, module: Module) -> Iterator[FigureName]:
    """The name of every figure that a module saves, as far as it can be followed."""
    reader, seen = Reader(subject), set[ast.expr]()
    for node in module.nodes:
        if not isinstance(node, ast.Call) or called_name(node) != "savefig":
            continue
        path = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "fname"), None)
        for owner, part in _last_parts(subject, module, path, 0) if path is not None else ():
            if part not in seen:
                seen.add(part)
                names = {text.rpartition("/")[2] for text in reader.texts(owner, part)}
                yield FigureName(owner, part, frozenset(names))


def _last_parts(
    subject: ParsedBundle, module: Module, node: ast.expr, steps: int
) -> Iterator[tuple[Module, ast.expr]]:
    """The expressions that give a path its last part."""
    if steps > MAX_STEPS:
        return
    match node:
        case ast.BinOp(op=ast.Div(), right=right):
            yield from _last_parts(subject, module, right, steps + 1)
        case ast.Call(func=ast.Attribute(value=inner), args=[]) if called_name(node) in SAME:
            yield from _last_parts(subject, module, inner, steps + 1)
        case ast.Call(args=[*_, last]) if called_name(node) in SAME | {"join", "joinpath"}:
            yield from _last_parts(subject, module, last, steps + 1)
        case ast.Constant(value=str()) | ast.JoinedStr() | ast.BinOp(op=ast.Add()):
            yield module, node
        case ast.Name(id=name):
            yield from _of_name(subject, module, node, name, steps)


def _of_name(
    subject: ParsedBundle, module: Module, node: ast.Name, name: str, steps: int
) -> Iterator[tuple[Module, ast.expr]]:
    scope = scope_of(module, node, name)
    for binding in bindings_of(module, scope, name) if scope is not None else ():
        match binding:
            case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(value=ast.expr() as value):
                yield from _last_parts(subject, module, value, steps + 1)
            case ast.arg() if isinstance(scope, ast.FunctionDef):
                for other, _, given in arguments_for(subject, scope, name):
                    if given is not None:
                        yield from _last_parts(subject, other, given, steps + 1)
