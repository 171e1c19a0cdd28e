"""Names that a module binds and uses, for claims about them."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from policies.kinds import of_kind
from policies.parsed import Module
from policies.tree import children

Function = ast.FunctionDef | ast.AsyncFunctionDef


def bindings(module: Module, name: str) -> list[ast.AST]:
    """Every node that gives `name` a value anywhere in the module."""
    return [node for node in module.nodes if name in _bound(node)]


def uses(module: Module, name: str) -> list[int]:
    """Lines where `name` is read as a plain name."""
    found = (n for n in of_kind(module, ast.Name) if isinstance(n.ctx, ast.Load))
    return sorted(node.lineno for node in found if node.id == name)


def has_star_import(module: Module) -> bool:
    """Whether names may come from anywhere."""
    imports = of_kind(module, ast.ImportFrom)
    return any(alias.name == "*" for node in imports for alias in node.names)


def is_builtin(name: str) -> bool:
    """Whether Python provides the name."""
    return hasattr(builtins, name) or name in ("__file__", "__name__", "__doc__")


def read_before_bound(module: Module, name: str) -> Iterator[tuple[str, int, int]]:
    """Function, line of reading, line of first binding, where a local name is read too early.

    A reading inside a loop that also binds the name may come later in time: it is left out.
    """
    for function in module.nodes:
        if not isinstance(function, Function) or name in _parameters(function):
            continue
        own = list(_own_nodes(function))
        if any(isinstance(n, ast.Global | ast.Nonlocal) and name in n.names for n in own):
            continue
        bound = sorted(_effect(module, n) for n in own if name in _bound(n))
        loops = [n for n in own if isinstance(n, ast.For | ast.While | ast.AsyncFor)]
        read = sorted((n.lineno, n.col_offset) for n in own if isinstance(n, ast.Name) and _loads(n, name))
        if not bound or not read or read[0] >= bound[0]:
            continue
        looped = any(n.lineno <= read[0][0] and bound[0][0] <= (n.end_lineno or 0) for n in loops)
        if not looped:
            yield function.name, read[0][0], bound[0][0]


def words(module: Module) -> set[str]:
    """Every word that code mentions: names, attributes, keywords, and words in strings but docstrings.

    Of a file that does not parse every word counts.
    """
    if module.tree is None:
        return set(re.findall(r"\w+", module.text))
    found: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.keyword | ast.arg) and node.arg:
            found.add(node.arg)
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and not is_docstring(module, node)
        ):
            found.update("".join(c if c.isalnum() or c in "_-" else " " for c in node.value).split())
        elif isinstance(node, Function | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.update(node.name.split("."))
    return found


def is_docstring(module: Module, node: ast.Constant) -> bool:
    """A string that stands alone as a statement."""
    return isinstance(module.parents.get(node), ast.Expr)


def runs_at_import(module: Module, node: ast.AST) -> bool:
    """Whether importing the module evaluates an expression, if no branch stands before it.

    Bodies of functions run later; annotations of local variables never do. Those of signatures run with the
    `def`, up to Python 3.13 and without `from __future__ import annotations`.
    """
    annotates = False
    child, parent = node, module.parents.get(node)
    while parent is not None:
        if isinstance(parent, Function) and child in parent.body:
            return False
        if isinstance(parent, ast.Lambda) and child is parent.body:
            return False
        annotates |= child in (getattr(parent, "annotation", None), getattr(parent, "returns", None))
        child, parent = parent, module.parents.get(parent)
    return not (annotates and _lazy_annotations(module))


def is_local_annotation(module: Module, node: ast.AST) -> bool:
    """Whether an expression is part of the annotation of a function's own variable."""
    child, parent = node, module.parents.get(node)
    while parent is not None and not isinstance(parent, ast.stmt):
        child, parent = parent, module.parents.get(parent)
    if not isinstance(parent, ast.AnnAssign) or child is not parent.annotation:
        return False
    return isinstance(parent.target, ast.Name) and module.enclosing_function(parent) is not None


def _lazy_annotations(module: Module) -> bool:
    imports = (n for n in of_kind(module, ast.ImportFrom) if n.module == "__future__")
    return any(alias.name == "annotations" for node in imports for alias in node.names)


def _bound(node: ast.AST) -> tuple[str, ...]:
    """Names that one node binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return tuple(a.asname or a.name.partition(".")[0] for a in aliases)
        case ast.arg(arg=name):
            return (name,)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
    return ()


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """Nodes of a function's body that run in its own scope."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            stack.append(node.generators[0].iter)
        elif not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            stack.extend(children(node))


def _effect(module: Module, node: ast.AST) -> tuple[int, int]:
    """Where a binding takes effect: an assignment binds only after its value was computed."""
    parent: ast.AST | None = node
    while parent is not None and not isinstance(parent, ast.stmt):
        parent = module.parents.get(parent)
    if isinstance(parent, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return (parent.end_lineno or parent.lineno, parent.end_col_offset or 0)
    return (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))


def _loads(node: ast.Name, name: str) -> bool:
    return node.id == name and isinstance(node.ctx, ast.Load)


def _parameters(function: Function) -> set[str]:
    arguments = function.args
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    return {a.arg for a in every if a is not None}
