"""The names under which code saves figures, as far as its text tells: `{run_id}_curve.pdf`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from policies.parsed import Module

_DEPTH = 6
"""Assignments and calls that one name is followed through."""
_PASSED_ON = frozenset(
    {"Path", "str", "PurePath", "PosixPath", "fspath", "abspath", "resolve", "absolute", "expanduser"}
)
_RUN = re.compile(
    r"\{[^{}]*(?:\brid\b|run_?id|run_?name|\brun\.(?:id|name)\b|\brun\b)[^{}]*\}", re.IGNORECASE
)
_OPEN = re.compile(r"\{[^{}]*\}")
_WANTED = re.compile(r"(?:RUN|comparison)_[^/]+\.pdf")


@dataclass(frozen=True)
class FigureName:
    """One way in which one call names a figure; what is computed stands in braces, as code."""

    module: Module
    call: ast.Call
    name: str

    @property
    def known(self) -> bool:
        """Whether the text tells how the name begins and ends."""
        return _OPEN.fullmatch(self.name) is None and not re.match(r"\{", _RUN.sub("RUN", self.name))

    @property
    def follows_pattern(self) -> bool:
        """Whether it is `{run_id}_<topic>.pdf` or `comparison_<topic>.pdf`, whatever the topic is."""
        return _WANTED.fullmatch(_RUN.sub("RUN", self.name)) is not None


def figure_names(module: Module) -> Iterator[FigureName]:
    """Every `savefig` of a module with every name that its text gives the figure, in line order."""
    calls = [n for n in module.nodes if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "savefig"]
    for call in sorted(calls, key=lambda c: (c.lineno, c.col_offset)):
        target = next(
            (k.value for k in call.keywords if k.arg == "fname"), call.args[0] if call.args else None
        )
        for name in dict.fromkeys(_names(module, target, call, _DEPTH)) if target is not None else ():
            yield FigureName(module, call, name)


def _names(module: Module, node: ast.expr, at: ast.AST, depth: int) -> Iterator[str]:
    """The last part of the path that an expression makes."""
    match node:
        case ast.Constant(value=str(text)):
            yield text.rpartition("/")[2]
        case ast.JoinedStr(values=parts):
            yield _last_part(parts)
        case ast.BinOp(op=ast.Div(), right=right):
            yield from _names(module, right, at, depth)
        case ast.Call(func=ast.Attribute(attr="join"), args=[_, *rest]) if rest:
            yield from _names(module, rest[-1], at, depth)
        case ast.Call(func=func, args=[only]) if _called(func) in _PASSED_ON:
            yield from _names(module, only, at, depth)
        case ast.Call(func=ast.Attribute(value=value, attr=attr), args=[]) if attr in _PASSED_ON:
            yield from _names(module, value, at, depth)
        case ast.Name(id=name) if depth:
            yield from _of_name(module, name, at, depth - 1)
        case _:
            yield f"{{{ast.unparse(node)}}}"


def _last_part(parts: list[ast.expr]) -> str:
    """What follows the last slash of an f-string, with the computed parts in braces."""
    name = ""
    for part in reversed(parts):
        if isinstance(part, ast.Constant):
            text = str(part.value)
            name = text.rpartition("/")[2] + name
            if "/" in text:
                break
        elif isinstance(part, ast.FormattedValue):
            name = f"{{{ast.unparse(part.value)}}}{name}"
    return name


def _called(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _of_name(module: Module, name: str, at: ast.AST, depth: int) -> Iterator[str]:
    """What the nearest assignment above gives a name, or every caller gives a parameter."""
    function = module.enclosing_function(at)
    scope = function or module.tree
    given = [v for n in (ast.walk(scope) if scope else ()) for v in _assigned(n, name)]
    line = getattr(at, "lineno", 0)
    above = [value for value in given if value.lineno <= line]
    if above:
        yield from _names(module, max(above, key=lambda v: v.lineno), at, depth)
    elif function is not None and name in (a.arg for a in function.args.args):
        found = list(_arguments(module, function, name))
        for argument, call in found:
            yield from _names(module, argument, call, depth)
        if not found:
            yield f"{{{name}}}"
    else:
        yield f"{{{name}}}"


def _assigned(node: ast.AST, name: str) -> Iterator[ast.expr]:
    match node:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
            yield value
        case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
            yield value
        case _:
            pass


def _arguments(
    module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> Iterator[tuple[ast.expr, ast.Call]]:
    """What the calls of a function in its own module hand to one parameter."""
    position = [a.arg for a in function.args.args].index(name)
    for node in module.nodes:
        if isinstance(node, ast.Call) and _called(node.func) == function.name:
            named = next((k.value for k in node.keywords if k.arg == name), None)
            given = named or (node.args[position] if position < len(node.args) else None)
            if given is not None:
                yield given, node
