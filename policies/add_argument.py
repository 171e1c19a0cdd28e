"""Adding a keyword argument to one call, in the layout of its other arguments."""

from __future__ import annotations

import ast

from policies.edit import split_lines, transform
from policies.parsed import Module


def add_argument(module: Module, call: ast.Call, keyword: str, value: str) -> str | None:
    """The module's text with `keyword=value` as the last argument of `call`."""
    from policies.transformers.argument import AddArgument

    start = _place(module, call.lineno, call.col_offset)
    end = _place(module, call.end_lineno or call.lineno, call.end_col_offset or 0)
    return transform(module.text, AddArgument(start, end, keyword, value))


def _place(module: Module, line: int, offset_bytes: int) -> tuple[int, int]:
    """Positions of `ast` count bytes, those of libcst characters."""
    return line, len(split_lines(module.text)[line - 1].encode()[:offset_bytes].decode())
