"""Pointing a `from ... import` at other modules, without touching the names that are found already."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import libcst as cst
from libcst.metadata import PositionProvider

from policies.edit import replace_lines, split_lines, transform
from policies.parsed import Module


def retarget(module: Module, node: ast.ImportFrom, moved: Mapping[str, str]) -> str | None:
    """Import the names in `moved` from their new modules; None when the line holds other statements, too.

    Args:
        moved: name -> module part of the new import, e.g. `.model` or `src.model`.
    """
    kept = [alias for alias in node.names if alias.name not in moved]
    targets = dict.fromkeys(moved.values())
    if not kept and len(targets) == 1:
        return transform(module.text, _ModulePart(node.lineno, node.col_offset, next(iter(targets))))
    lines = split_lines(module.text)
    indent = lines[node.lineno - 1][: node.col_offset]
    last = node.end_lineno or node.lineno
    if indent.strip() or lines[last - 1][node.end_col_offset or 0 :].split("#")[0].strip():
        return None
    new = [f"{indent}from {path} import {_names(node, moved, path)}\n" for path in targets]
    if not kept:
        return replace_lines(module.text, node.lineno, last, "".join(new))
    longer = replace_lines(module.text, last + 1, last, "".join(new))
    return transform(longer, _WithoutNames(node.lineno, node.col_offset, frozenset(moved)))


def _names(node: ast.ImportFrom, moved: Mapping[str, str], path: str) -> str:
    return ", ".join(ast.unparse(alias) for alias in node.names if moved.get(alias.name) == path)


class _AtPosition(cst.CSTTransformer):
    """Changes the one `from` import that starts at a place."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, line: int, column: int) -> None:
        super().__init__()
        self.place = (line, column)

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        start = self.get_metadata(PositionProvider, original_node).start
        return self.change(updated_node) if (start.line, start.column) == self.place else updated_node

    def change(self, node: cst.ImportFrom) -> cst.ImportFrom:
        raise AssertionError("every subclass writes change")


class _ModulePart(_AtPosition):
    """Writes another module after `from`."""

    def __init__(self, line: int, column: int, path: str) -> None:
        super().__init__(line, column)
        self.path = path

    def change(self, node: cst.ImportFrom) -> cst.ImportFrom:
        parsed = cst.ensure_type(cst.parse_statement(f"from {self.path} import x"), cst.SimpleStatementLine)
        wanted = cst.ensure_type(parsed.body[0], cst.ImportFrom)
        return node.with_changes(
            module=wanted.module, relative=wanted.relative, whitespace_after_from=cst.SimpleWhitespace(" ")
        )


class _WithoutNames(_AtPosition):
    """Drops names; the comma of the last one that stays goes when no parenthesis follows."""

    def __init__(self, line: int, column: int, names: frozenset[str]) -> None:
        super().__init__(line, column)
        self.names = names

    def change(self, node: cst.ImportFrom) -> cst.ImportFrom:
        assert not isinstance(node.names, cst.ImportStar), "a star import lists no names to drop"
        kept = [alias for alias in node.names if alias.evaluated_name not in self.names]
        if node.rpar is None:
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return node.with_changes(names=kept)
