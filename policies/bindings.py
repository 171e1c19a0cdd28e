"""Which names a module binds when it is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.kinds import of_kind
from policies.parsed import Module, per_module
from policies.tree import children

DYNAMIC_CALLS = {"exec", "eval", "globals", "vars", "locals"}


@dataclass(frozen=True)
class Bindings:
    """What `from module import name` can find, submodules aside."""

    names: frozenset[str]
    defined: frozenset[str]
    """The names that the module makes itself, by `def`, `class` or assignment."""
    stars: tuple[ast.ImportFrom, ...]
    """Star imports, whose names are those of another module."""
    dynamic: bool
    """Names may come into being in ways that cannot be followed."""


@per_module
def bindings(module: Module) -> Bindings:
    """The names that `module` binds at its top level, in any branch that an import may run."""
    assert module.tree is not None, "only a parsed module binds names"
    found: set[tuple[str, bool]] = set()
    stars: list[ast.ImportFrom] = []
    for node in _executed(module.tree.body):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            stars.append(node)
        found.update(_bound(node))
    for node in of_kind(module, ast.Global):
        found.update((name, True) for name in node.names)
    names = frozenset(name for name, _ in found)
    defined = frozenset(name for name, own in found if own)
    return Bindings(names, defined, tuple(stars), "__getattr__" in names or is_dynamic(module))


def is_dynamic(module: Module) -> bool:
    """Whether the module may bind names through `globals()` and the like."""
    return module.memo("bindings.dynamic", _is_dynamic)


def _is_dynamic(module: Module) -> bool:
    return any(
        ((isinstance(node.func, ast.Name) and node.func.id in DYNAMIC_CALLS) or _sets_attribute(node))
        for node in of_kind(module, ast.Call)
    )


def _sets_attribute(node: ast.Call) -> bool:
    """`setattr(sys.modules[__name__], ...)`."""
    return isinstance(node.func, ast.Name) and node.func.id == "setattr" and "__name__" in ast.unparse(node)


def _executed(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Every node that importing may execute: no bodies of functions and classes, no `__main__` blocks."""
    todo: list[ast.AST] = list(reversed(body))
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and _only_as_script(node.test):
            todo += reversed(node.orelse)
            continue
        todo += reversed(list(children(node)))


def _only_as_script(test: ast.expr) -> bool:
    return ast.unparse(test) in {"__name__ == '__main__'", "'__main__' == __name__"}


def _bound(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """Names that one node binds, and whether the module makes them itself."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name, True
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id, True
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name.partition(".")[0], False
    else:
        yield from ((name, True) for name in captured(node))


def captured(node: ast.AST) -> Iterator[str]:
    """Names that an `except ... as` or a `match` pattern binds without a name node."""
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
