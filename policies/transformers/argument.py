"""Codemod: one more argument in one call."""

from __future__ import annotations

import libcst as cst
from libcst.metadata import PositionProvider


class AddArgument(cst.CSTTransformer):
    """Finds the call by where it starts and ends."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, start: tuple[int, int], end: tuple[int, int], keyword: str, value: str) -> None:
        super().__init__()
        self.place = (start, end)
        self.keyword = keyword
        self.value = cst.parse_expression(value)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        where = self.get_metadata(PositionProvider, original_node)
        if ((where.start.line, where.start.column), (where.end.line, where.end.column)) != self.place:
            return updated_node
        return updated_node.with_changes(args=self._extended(list(updated_node.args)))

    def _extended(self, arguments: list[cst.Arg]) -> list[cst.Arg]:
        """The arguments and the new one; the last comma, with its line break, moves behind it."""
        new = cst.Arg(
            keyword=cst.Name(self.keyword),
            value=self.value,
            equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
        )
        if not arguments:
            return [new]
        last = arguments[-1]
        between = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        if len(arguments) > 1 and isinstance(arguments[-2].comma, cst.Comma):
            between = _without_comment(arguments[-2].comma)
        elif isinstance(last.comma, cst.Comma) and isinstance(
            last.comma.whitespace_after, cst.ParenthesizedWhitespace
        ):
            indent = cst.SimpleWhitespace("    ")
            between = cst.Comma(whitespace_after=last.comma.whitespace_after.with_changes(last_line=indent))
        end = last.comma
        if isinstance(end, cst.Comma) and isinstance(end.whitespace_after, cst.ParenthesizedWhitespace):
            between = _with_comment_of(end, between)
            end = _without_comment(end)
        arguments[-1] = last.with_changes(comma=between, whitespace_after_arg=cst.SimpleWhitespace(""))
        return [*arguments, new.with_changes(comma=end, whitespace_after_arg=last.whitespace_after_arg)]


def _with_comment_of(commented: cst.Comma, comma: cst.Comma) -> cst.Comma:
    """The comma with the comment that stands behind another one, where both end a line."""
    space, other = comma.whitespace_after, commented.whitespace_after
    if not isinstance(space, cst.ParenthesizedWhitespace) or not isinstance(
        other, cst.ParenthesizedWhitespace
    ):
        return comma
    return comma.with_changes(whitespace_after=space.with_changes(first_line=other.first_line))


def _without_comment(comma: cst.Comma) -> cst.Comma:
    """The comma with its line break, not with the comment that belongs to the argument before it."""
    space = comma.whitespace_after
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return comma
    return comma.with_changes(
        whitespace_after=space.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])
    )
