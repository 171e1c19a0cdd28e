"""Paths that code computes from its own file: `Path(__file__).resolve().parents[1] / "config"`."""

from __future__ import annotations

import ast
import posixpath

from policies.hydra.names import dotted_name, origin
from policies.parsed import Module

SAME = frozenset({"str", "os.fspath", "os.path.abspath", "os.path.realpath", "os.path.normpath"})
SAME |= {"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"}
STEADY = frozenset({"resolve", "absolute", "as_posix", "expanduser"})
_DEEPEST = 12


def place_of(module: Module, node: ast.expr, depth: int = 0) -> str | None:
    """The path relative to the root of the bundle, when it follows from the place of the module alone."""
    if depth > _DEEPEST:
        return None
    match node:
        case ast.Name(id="__file__"):
            return module.path
        case ast.Name(id=name):
            value = _constant(module, name)
            return place_of(module, value, depth + 1) if value is not None else None
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=str(part))):
            return _below(place_of(module, left, depth + 1), part)
        case ast.Attribute(value=inner, attr="parent"):
            return _above(place_of(module, inner, depth + 1), 1)
        case ast.Subscript(
            value=ast.Attribute(value=inner, attr="parents"), slice=ast.Constant(value=int(n))
        ):
            return _above(place_of(module, inner, depth + 1), n + 1)
        case ast.Call():
            return _call(module, node, depth + 1)
    return None


def _call(module: Module, node: ast.Call, depth: int) -> str | None:
    name = origin(module, node.func) or dotted_name(node.func)
    if name == "os.path.dirname" and len(node.args) == 1:
        return _above(place_of(module, node.args[0], depth), 1)
    if name in SAME and len(node.args) == 1:
        return place_of(module, node.args[0], depth)
    if name == "os.path.join" and node.args:
        return _joined(place_of(module, node.args[0], depth), node.args[1:])
    match node.func:
        case ast.Attribute(value=inner, attr="joinpath"):
            return _joined(place_of(module, inner, depth), node.args)
        case ast.Attribute(value=inner, attr=verb) if verb in STEADY:
            return place_of(module, inner, depth)
    return None


def _joined(start: str | None, parts: list[ast.expr]) -> str | None:
    for part in parts:
        text = part.value if isinstance(part, ast.Constant) else None
        start = _below(start, text) if isinstance(text, str) else None
    return start


def _below(start: str | None, part: str) -> str | None:
    """`start / part`; an absolute part leads elsewhere."""
    return None if start is None or part.startswith("/") else posixpath.normpath(posixpath.join(start, part))


def _above(start: str | None, levels: int) -> str | None:
    """The folder around a path, several levels up, as long as it is in the bundle."""
    for _ in range(levels):
        if start is None or start in ("", ".") or start.startswith(".."):
            return None
        start = posixpath.dirname(start)
    return start


def _constant(module: Module, name: str) -> ast.expr | None:
    """What a module binds a name to, once and at its top."""
    body = module.tree.body if module.tree is not None else []
    made = [s.value for s in body if isinstance(s, ast.Assign) and _binds(s, name)]
    return made[0] if len(made) == 1 else None


def _binds(statement: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
