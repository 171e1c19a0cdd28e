"""Puts statements into functions: before a line, after a statement, or at the start of a body."""

from __future__ import annotations

import ast
import textwrap

from policies.edit import replace_lines, split_lines
from policies.kinds import of_kind
from policies.parsed import Module


def before_line(module: Module, line: int, code: str) -> str:
    """The module's text with `code` before the statement that holds `line`, indented like it."""
    statement = _own_line_statement(module, line)
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    return _insert(module.text, first, first, code)


def after_statement(module: Module, statement: ast.stmt, code: str) -> str:
    """The module's text with `code` after `statement`, indented like it."""
    return _insert(module.text, (statement.end_lineno or statement.lineno) + 1, statement.lineno, code)


def at_start(module: Module, function: ast.FunctionDef, code: str) -> str:
    """The module's text with `code` as the first statement of `function`, after its docstring."""
    body = function.body
    has_docstring = ast.get_docstring(function, clean=False) is not None
    if has_docstring and len(body) == 1:
        last = body[0].end_lineno or body[0].lineno
        return _insert(module.text, last + 1, body[0].lineno, code)
    target = body[1] if has_docstring else body[0]
    first = min([target.lineno, *(d.lineno for d in getattr(target, "decorator_list", []))])
    return _insert(module.text, first, first, code)


def _insert(text: str, line: int, like: int, code: str) -> str:
    lines = split_lines(text)
    model = lines[like - 1]
    indent = model[: len(model) - len(model.lstrip())]
    return replace_lines(text, line, line - 1, textwrap.indent(textwrap.dedent(code).strip("\n"), indent))


def _own_line_statement(module: Module, line: int) -> ast.stmt:
    """The innermost statement around `line` that starts a line of its own."""
    lines = split_lines(module.text)
    around = [
        node
        for node in of_kind(module, ast.stmt)
        if node.lineno <= line <= (node.end_lineno or node.lineno)
        and not lines[node.lineno - 1].encode()[: node.col_offset].strip()
    ]
    return max(around, key=lambda node: (node.lineno, node.col_offset))
