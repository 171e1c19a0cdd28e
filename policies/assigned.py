"""What the names of a function are bound to: every value that an expression gives, and where none tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from policies.bindings import captured
from policies.parsed import Module, per_module
from policies.tree import walk

Values = tuple[ast.expr | None, ...]
"""One entry for each binding; None for one whose value no expression spells (parameters, loops, imports)."""
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_HOPS = 6


def values_of(module: Module, name: str, at: ast.AST) -> Values:
    """Everything that `name` is bound to in the innermost scope around `at` that binds it."""
    table = _table(module)
    scope: ast.AST | None = at
    while scope is not None:
        scope = _outer(module, scope)
        found = table.get((id(scope) if scope is not None else 0, name))
        if found is not None:
            return found
    return ()


def sole_value(module: Module, node: ast.expr) -> ast.expr:
    """The expression that a name stands for, followed through names bound once; else `node` itself."""
    for _ in range(_HOPS):
        if not isinstance(node, ast.Name):
            break
        values = values_of(module, node.id, node)
        if len(values) != 1 or values[0] is None:
            break
        node = values[0]
    return node


def is_bound_in(module: Module, name: str, scope: ast.AST) -> bool:
    """Whether the function itself, not one around it, binds `name`."""
    return (id(scope), name) in _table(module)


def _outer(module: Module, node: ast.AST) -> ast.AST | None:
    parent = module.parents.get(node)
    while parent is not None and not isinstance(parent, _Scope):
        parent = module.parents.get(parent)
    return parent


@per_module
def _table(module: Module) -> Mapping[tuple[int, str], Values]:
    found: dict[tuple[int, str], list[ast.expr | None]] = {}
    for node in module.nodes:
        if isinstance(node, _Scope):
            for argument in _parameters(node.args):
                found.setdefault((id(node), argument.arg), []).append(None)
        if isinstance(node, _BINDING):
            bound = list(_bound(node))
            scope = _outer(module, node) if bound else None
            for name, value in bound:
                found.setdefault((id(scope) if scope is not None else 0, name), []).append(value)
    return {key: tuple(values) for key, values in found.items()}


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (each for each in (arguments.vararg, arguments.kwarg) if each is not None)


_BINDING = (
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.NamedExpr,
    ast.For,
    ast.AsyncFor,
    ast.comprehension,
    ast.withitem,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
    ast.MatchMapping,
    ast.Delete,
)


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _paired(target, value)
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            yield from [(name, value)] if value is not None else []
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, None
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (((alias.asname or alias.name).partition(".")[0], None) for alias in names)
        case ast.AugAssign(target=target) | ast.For(target=target) | ast.AsyncFor(target=target):
            yield from _stored(target)
        case ast.comprehension(target=target):
            yield from _stored(target)
        case ast.withitem(optional_vars=ast.expr() as target):
            yield from _stored(target)
        case ast.Delete(targets=targets):
            yield from (pair for target in targets for pair in _stored(target))
        case _:
            yield from ((name, None) for name in captured(node))


def _paired(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    """Names of a target with their values; tuples are taken apart where both sides spell them."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        plain = same and not any(isinstance(e, ast.Starred) for e in target.elts)
        if plain and isinstance(value, ast.Tuple | ast.List):
            for inner, part in zip(target.elts, value.elts, strict=True):
                yield from _paired(inner, part)
        else:
            yield from _stored(target)


def _stored(target: ast.AST) -> Iterator[tuple[str, None]]:
    """Names that a target binds to something no expression spells."""
    if isinstance(target, ast.Name):
        yield target.id, None
        return
    for node in walk(target):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id, None
