"""Rewrites uses of third-party names: in import statements through libcst, in expressions by position."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from policies.api_usage import Use, bindings, full_name
from policies.edit import split_lines, transform
from policies.imports import add_import
from policies.parsed import Module


def splice(text: str, node: ast.expr | ast.stmt | ast.keyword, new: str) -> str:
    """Put `new` in the place of a node."""
    lines = [line.encode() for line in split_lines(text)]
    assert node.end_lineno is not None and node.end_col_offset is not None, "parsed nodes carry their ends"
    first, last = node.lineno - 1, node.end_lineno - 1
    joined = lines[first][: node.col_offset] + new.encode() + lines[last][node.end_col_offset :]
    return b"".join([*lines[:first], joined, *lines[last + 1 :]]).decode()


def replace_use(module: Module, use: Use, wrong: str, right: str) -> str | None:
    """The text in which `use` of the name `wrong` means `right`; None when that cannot be written safely."""
    if isinstance(use.node, ast.ImportFrom):
        return _replace_import(module, use, right) if use.dotted == wrong else None
    if isinstance(use.node, ast.Attribute):
        return _replace_expression(module, use.node, wrong, right)
    return None


def drop_import(module: Module, use: Use) -> str | None:
    """The text without an imported name."""
    if not isinstance(use.node, ast.ImportFrom) or use.alias is None:
        return None
    from policies.transformers.import_from import DropAlias

    text = transform(module.text, DropAlias(use.node.lineno, use.alias.name))
    return text.lstrip("\n") if text is not None and not module.text.startswith("\n") else text


def is_used(module: Module, name: str) -> bool:
    """Whether a local name is mentioned anywhere beyond being bound, `__all__` included."""
    return any(
        (isinstance(n, ast.Name) and n.id == name) or (isinstance(n, ast.Constant) and n.value == name)
        for n in module.nodes
    )


def _replace_import(module: Module, use: Use, right: str) -> str | None:
    home, _, name = right.rpartition(".")
    if home == "builtins" or not isinstance(use.node, ast.ImportFrom):
        return None
    statement = f"from {home} import {name}" + ("" if name == use.bound else f" as {use.bound}")
    if len(use.node.names) == 1:
        return splice(module.text, use.node, statement)
    text = drop_import(module, use)
    return add_import(text, statement) if text is not None else None


def _replace_expression(module: Module, node: ast.Attribute, wrong: str, right: str) -> str | None:
    bound = bindings(module)
    part: ast.expr = node
    while full_name(part, bound) != wrong:
        if not isinstance(part, ast.Attribute):
            return None
        part = part.value
    written, statement = _spelling(bound, right)
    text = splice(module.text, part, written)
    return add_import(text, statement) if statement else text


def _spelling(bound: Mapping[str, str], right: str) -> tuple[str, str]:
    """How a module writes `right` with the imports it has, and the import that it lacks."""
    home, _, name = right.rpartition(".")
    if home == "builtins":
        return name, ""
    for local, dotted in sorted(bound.items(), key=lambda item: -len(item[1])):
        if right == dotted:
            return local, ""
        if home == dotted or (home.startswith(f"{dotted}.") and dotted in ("torch", "omegaconf", "optuna")):
            return local + right.removeprefix(dotted), ""
    return right, f"import {home}"
