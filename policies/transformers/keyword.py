"""Codemod: another name for a keyword argument, or none of it."""

from __future__ import annotations

import libcst as cst
from libcst.metadata import PositionProvider


class SetKeyword(cst.CSTTransformer):
    """Renames the keyword argument that starts on a line, or drops it when there is no new name."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, line: int, old: str, new: str) -> None:
        super().__init__()
        self.line, self.old, self.new = line, old, new

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        """Edit the arguments; a last one without a line of its own loses its comma."""
        kept: list[cst.Arg] = []
        for before, arg in zip(original_node.args, updated_node.args, strict=True):
            if before.keyword is None or before.keyword.value != self.old or self._line(before) != self.line:
                kept.append(arg)
            elif self.new:
                kept.append(arg.with_changes(keyword=cst.Name(self.new)))
        if (
            len(kept) < len(updated_node.args)
            and kept
            and updated_node.args[-1].comma == cst.MaybeSentinel.DEFAULT
        ):
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(args=kept)

    def _line(self, node: cst.CSTNode) -> int:
        return self.get_metadata(PositionProvider, node).start.line
