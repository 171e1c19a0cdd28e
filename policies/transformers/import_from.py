"""Codemods on one `from ... import` statement, found by where it starts."""

from __future__ import annotations

import libcst as cst
from libcst.metadata import PositionProvider


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


class ModulePart(_AtPosition):
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


class WithoutNames(_AtPosition):
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


class DropAlias(cst.CSTTransformer):
    """Removes one name from the `from` import that starts on a line, and the statement with its last name."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, line: int, name: str) -> None:
        super().__init__()
        self.line, self.name = line, name

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom | cst.RemovalSentinel:
        """Keep the other names; the last one loses its comma unless the list is in parentheses."""
        start = self.get_metadata(PositionProvider, original_node).start.line
        if start != self.line or isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        names = [alias for alias in updated_node.names if alias.evaluated_name != self.name]
        if not names:
            return cst.RemoveFromParent()
        if updated_node.lpar is None:
            names[-1] = names[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(names=names)

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine | cst.RemovalSentinel:
        """A line whose only statement went goes too."""
        return updated_node if updated_node.body or not original_node.body else cst.RemoveFromParent()
