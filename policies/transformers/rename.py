"""Codemod: replace one expression by another, by source text, on given lines, f-strings included."""

from __future__ import annotations

import libcst as cst
from libcst.metadata import PositionProvider


class ReplaceExpression(cst.CSTTransformer):
    """Replace the expression whose code is `old` by `new` where it starts on `line` (0: anywhere)."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, old: str, new: str, line: int, *, only_formatted: bool = False) -> None:
        super().__init__()
        self.old = cst.parse_expression(old)
        self.new = cst.parse_expression(new)
        self.line = line
        self.only_formatted = only_formatted

    def _here(self, node: cst.CSTNode) -> bool:
        start = self.get_metadata(PositionProvider, node).start.line
        return not self.line or start == self.line

    def leave_Attribute(self, original: cst.Attribute, updated: cst.Attribute) -> cst.BaseExpression:
        """Attribute chains outside f-string fields."""
        if not self.only_formatted and original.deep_equals(self.old) and self._here(original):
            return self.new
        return updated

    def leave_FormattedStringExpression(
        self, original: cst.FormattedStringExpression, updated: cst.FormattedStringExpression
    ) -> cst.FormattedStringExpression:
        """The field of an f-string, as a whole."""
        if self.only_formatted and original.expression.deep_equals(self.old) and self._here(original):
            return updated.with_changes(expression=self.new)
        return updated
