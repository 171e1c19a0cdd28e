"""Functions that data sets are mapped with: which one a call of `map` gets, and what it makes of a row."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from policies.assigned import sole_value
from policies.hydra.names import local_functions, origin
from policies.kinds import each, of_kind
from policies.parsed import Module, ParsedBundle
from policies.tree import children

_DEEPEST = 8
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class MapCall:
    """One `data.map(function, ...)` whose function is known."""

    module: Module
    node: ast.Call
    owner: Module
    """The module that holds the function."""
    function: Function

    @property
    def receiver(self) -> ast.expr:
        """What is mapped."""
        assert isinstance(self.node.func, ast.Attribute), "a map is a method"
        return self.node.func.value

    @property
    def rows(self) -> str:
        """The function's name for what it gets."""
        arguments = self.function.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args) if a.arg != "self"]
        return names[0] if names else ""

    def removes_all(self) -> bool:
        """Whether the call drops every column that was there."""
        given = next((k.value for k in self.node.keywords if k.arg == "remove_columns"), None)
        if given is None:
            return False
        given = sole_value(self.module, given)
        if isinstance(given, ast.Call) and ast.unparse(given.func) in ("list", "sorted") and given.args:
            given = given.args[0]
        return isinstance(given, ast.Attribute) and given.attr in ("column_names", "features")


def map_calls(subject: ParsedBundle) -> tuple[MapCall, ...]:
    """Every map with a function of the bundle, in file and line order."""
    return subject.memo("row_functions.maps", _map_calls)


def _map_calls(subject: ParsedBundle) -> tuple[MapCall, ...]:
    found: list[MapCall] = []
    for module, node in each(subject, ast.Call):
        match node:
            case ast.Call(func=ast.Attribute(attr="map"), args=args, keywords=keywords):
                named = next((k.value for k in keywords if k.arg == "function"), None)
                given = args[0] if args else named
            case _:
                continue
        resolved = function_of(subject, module, given) if given is not None else None
        if resolved is not None:
            found.append(MapCall(module, node, *resolved))
    return tuple(sorted(found, key=lambda call: (call.module.path, call.node.lineno, call.node.col_offset)))


def function_of(
    subject: ParsedBundle, module: Module, node: ast.expr, depth: int = 0
) -> tuple[Module, Function] | None:
    """The bundle's function that an expression means: by name, as a method, through `partial` or a lambda."""
    node = sole_value(module, node)
    if depth > _DEEPEST:
        return None
    match node:
        case ast.Call(func=func, args=[inner, *_]) if origin(module, func) == "functools.partial":
            return function_of(subject, module, inner, depth + 1)
        case ast.Lambda(
            args=ast.arguments(args=[first]), body=ast.Call(func=ast.Name() as inner, args=given)
        ):
            passes = bool(given) and isinstance(given[0], ast.Name) and given[0].id == first.arg
            return (function_of(subject, module, inner, depth + 1) if passes else None) or (module, node)
        case ast.Lambda():
            return module, node
        case ast.Name(id=name):
            return _named(subject, module, name)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return _only(module, name)
    return None


def _named(subject: ParsedBundle, module: Module, name: str) -> tuple[Module, Function] | None:
    own = _only(module, name)
    if own is not None:
        return own
    known = local_functions(subject, module).get(name)
    return (known.module, known.node) if known is not None else None


def _only(module: Module, name: str) -> tuple[Module, Function] | None:
    """The one function of this name in a module, at whatever depth."""
    found = [n for n in of_kind(module, ast.FunctionDef) if n.name == name]
    return (module, found[0]) if len(found) == 1 else None


def returned(function: Function) -> Iterator[ast.expr]:
    """Everything that the function itself returns."""
    if isinstance(function, ast.Lambda):
        yield function.body
        return
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop(0)
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            todo += children(node)


def is_tokenizing(module: Module, node: ast.expr) -> bool:
    """Whether an expression is a call of something called a tokenizer."""
    node = sole_value(module, node)
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func).lower()
    return name.rpartition(".")[2] in ("tokenizer", "tok", "tokeniser", "_tokenizer") and bool(node.args)
