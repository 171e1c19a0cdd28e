"""Keyword names that functions, methods, classes and data classes of a package accept, read from source."""

from __future__ import annotations

import ast

from tools.trial.api_scan import dotted
from tools.trial.api_tree import MAX_DEPTH, PackageTree

TRANSPARENT = frozenset(
    {
        "staticmethod",
        "classmethod",
        "validate_params",
        "experimental_func",
        "add_start_docstrings",
        "dataclass",
    }
)
"""Decorators that leave the accepted keywords alone; any other makes a signature unknown."""
FOREIGN_BASES = frozenset({"object", "ABC", "Generic", "Protocol"})


def keywords_of(tree: PackageTree, module: str, name: str, depth: int = 0) -> frozenset[str] | None:
    """The keywords that calling `module.name` accepts; None when they cannot be listed."""
    found = tree.resolve(module, name, depth)
    if found is None:
        return None
    home, origin = found
    if isinstance(origin.node, ast.ClassDef):
        return _of_class(tree, home, origin.node, depth)
    return _of_function(origin.node) if origin.node is not None else None


def method_keywords(tree: PackageTree, module: str, name: str, method: str) -> frozenset[str] | None:
    """The keywords that a method accepts that the class itself defines, exactly once."""
    found = tree.resolve(module, name)
    if found is None or not isinstance(found[1].node, ast.ClassDef):
        return None
    defined = _methods(found[1].node, method)
    return _of_function(defined[-1], bound=True) if defined and not _overloaded(defined[-1]) else None


def _methods(node: ast.ClassDef, name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name == name]


def _overloaded(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return "overload" in _decorators(node)


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[str]:
    """Last parts of the decorators' names."""
    calls = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    return [dotted(call).rpartition(".")[2] for call in calls]


def _of_function(node: ast.AST, *, bound: bool = False) -> frozenset[str] | None:
    """Keywords of a `def`; None with `**kwargs` or a decorator that may change them."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    decorators = _decorators(node)
    if node.args.kwarg is not None or not set(decorators) <= TRANSPARENT:
        return None
    names = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
    if bound and "staticmethod" not in decorators and not node.args.posonlyargs:
        names = names[1:]
    return frozenset(names)


def _of_class(tree: PackageTree, module: str, node: ast.ClassDef, depth: int) -> frozenset[str] | None:
    """Keywords of `__init__`, or the fields of a data class; inherited ones are followed."""
    decorators = set(_decorators(node))
    if node.keywords or _methods(node, "__new__"):
        return None
    if "dataclass" in decorators:
        return _fields(tree, module, node, depth)
    init = _methods(node, "__init__")
    if init:
        return _of_function(init[-1], bound=True)
    if len(node.bases) != 1 or depth > MAX_DEPTH:
        return None
    return _base_keywords(tree, module, node.bases[0], depth)


def _fields(tree: PackageTree, module: str, node: ast.ClassDef, depth: int) -> frozenset[str] | None:
    """Fields of a data class and of the data classes it extends."""
    if _methods(node, "__init__"):
        return _of_function(_methods(node, "__init__")[-1], bound=True)
    own = frozenset(
        n.target.id
        for n in node.body
        if isinstance(n, ast.AnnAssign)
        and isinstance(n.target, ast.Name)
        and "ClassVar" not in ast.dump(n.annotation)
    )
    for base in node.bases:
        text = dotted(base.value if isinstance(base, ast.Subscript) else base)
        if text.rpartition(".")[2] in FOREIGN_BASES or _is_mixin(tree, module, text, depth):
            continue
        inherited = _base_keywords(tree, module, base, depth)
        if inherited is None:
            return None
        own |= inherited
    return own


def _is_mixin(tree: PackageTree, module: str, text: str, depth: int) -> bool:
    """Whether a base is a plain class without `__init__`, which adds no field."""
    found = tree.resolve(module, text, depth + 1) if text and "." not in text else None
    node = found[1].node if found else None
    if found is None or not isinstance(node, ast.ClassDef) or "dataclass" in _decorators(node):
        return False
    bases = [dotted(b) for b in node.bases]
    return not _methods(node, "__init__") and all(
        b in FOREIGN_BASES or _is_mixin(tree, found[0], b, depth + 1) for b in bases
    )


def _base_keywords(tree: PackageTree, module: str, base: ast.expr, depth: int) -> frozenset[str] | None:
    text = dotted(base)
    head, _, last = text.rpartition(".")
    owner = tree.module_named(module, head, depth) if head else module
    return keywords_of(tree, owner, last, depth + 1) if owner and last and depth < MAX_DEPTH else None
