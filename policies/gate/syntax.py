"""Small questions about syntax that several rules of the gate ask."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from policies.tree import children, walk

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

UNKNOWN = "<expression>"
"""Stands for a value that is computed."""


def leaf(node: ast.AST) -> str:
    """The last name of `a.b.c` or `a["c"]`; empty for anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
        case _:
            return ""


def dotted(node: ast.AST) -> str:
    """`a.b.c` as written; parts that are no names are left out."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    if isinstance(node, ast.Call | ast.Subscript):
        return dotted(node.func if isinstance(node, ast.Call) else node.value)
    return node.id if isinstance(node, ast.Name) else ""


def called_name(call: ast.Call) -> str:
    """The last name of what is called."""
    return leaf(call.func)


def literal(node: ast.AST | None) -> str | float | None:
    """A string or number written out; a number as float, so that 1 and 1.0 are equal. No booleans."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        sign = -1 if isinstance(node.op, ast.USub) else 1
        node = node.operand
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return None
    if isinstance(node.value, int | float):
        try:
            return sign * float(node.value)
        except OverflowError:
            return str(node.value)
    return node.value if isinstance(node.value, str) else None


def constant(node: ast.AST | None) -> bool:
    """Whether an expression always has the same value: literals and collections of them."""
    if node is None or isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp):
        return constant(node.operand)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(constant(item) for item in node.elts)
    if isinstance(node, ast.Dict):
        return all(constant(value) for value in node.values)
    if isinstance(node, ast.Call):
        made = called_name(node) in (
            "float",
            "int",
            "str",
            "dict",
            "list",
            "tuple",
            "set",
            "tensor",
            "zeros",
            "ones",
        )
        return made and all(constant(arg) for arg in node.args)
    return False


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The statement lists of a node."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, those of functions and classes defined inside left out."""
    for child in children(function):
        yield child
        if not isinstance(child, Definition | ast.Lambda):
            yield from own_nodes(child)


def names_in(nodes: ast.AST | Sequence[ast.AST]) -> set[str]:
    """Every name and attribute that occurs."""
    roots = nodes if isinstance(nodes, Sequence) else [nodes]
    return {leaf(n) for root in roots for n in walk(root) if isinstance(n, ast.Name | ast.Attribute)}


def docless(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements without docstrings and bare constants."""
    return [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]


def span(node: ast.stmt | ast.expr | ast.excepthandler) -> range:
    """The lines of a node, 1-based."""
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Every definition with its qualified name."""
    for node in children(tree):
        if isinstance(node, Definition):
            yield prefix + node.name, node
            yield from definitions(node, f"{prefix}{node.name}.")
        else:
            yield from definitions(node, prefix)
