"""Pointing a `from ... import` at other modules, without touching the names that are found already."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from policies.edit import replace_lines, split_lines, transform
from policies.parsed import Module


def retarget(module: Module, node: ast.ImportFrom, moved: Mapping[str, str]) -> str | None:
    """Import the names in `moved` from their new modules; None when the line holds other statements, too.

    Args:
        moved: name -> module part of the new import, e.g. `.model` or `src.model`.
    """
    from policies.transformers.import_from import ModulePart, WithoutNames

    kept = [alias for alias in node.names if alias.name not in moved]
    targets = dict.fromkeys(moved.values())
    if not kept and len(targets) == 1:
        return transform(module.text, ModulePart(node.lineno, node.col_offset, next(iter(targets))))
    lines = split_lines(module.text)
    indent = lines[node.lineno - 1][: node.col_offset]
    last = node.end_lineno or node.lineno
    if indent.strip() or lines[last - 1][node.end_col_offset or 0 :].split("#")[0].strip():
        return None
    new = [f"{indent}from {path} import {_names(node, moved, path)}\n" for path in targets]
    if not kept:
        return replace_lines(module.text, node.lineno, last, "".join(new))
    longer = replace_lines(module.text, last + 1, last, "".join(new))
    return transform(longer, WithoutNames(node.lineno, node.col_offset, frozenset(moved)))


def _names(node: ast.ImportFrom, moved: Mapping[str, str], path: str) -> str:
    return ", ".join(ast.unparse(alias) for alias in node.names if moved.get(alias.name) == path)
