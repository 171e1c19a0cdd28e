"""Replacing one expression by its place in the text, and keeping a table of names at module level."""

from __future__ import annotations

import ast

from policies.edit import replace_lines, split_lines
from policies.parsed import Module
from policies.tree import walk


def replace_expression(module: Module, node: ast.expr, code: str) -> str:
    """The module's text with `code` where `node` stands."""
    lines = split_lines(module.text)
    assert node.end_lineno is not None and node.end_col_offset is not None, "parsed nodes have an end"
    first, last = lines[node.lineno - 1].encode(), lines[node.end_lineno - 1].encode()
    new = first[: node.col_offset].decode() + code + last[node.end_col_offset :].decode()
    return "".join([*lines[: node.lineno - 1], new, *lines[node.end_lineno :]])


def with_table(text: str, name: str, entries: dict[str, str], why: str) -> str | None:
    """The text with a module-level dictionary `name` that has `entries`; None when the name is taken."""
    tree = ast.parse(text)
    bound = [n for n in tree.body if isinstance(n, ast.Assign) and _targets(n) == [name]]
    if not bound:
        taken = any(isinstance(n, ast.Name) and n.id == name for n in walk(tree))
        line = _after_imports(tree)
        code = f"\n# {why}\n{_written(name, entries)}"
        return None if taken and name in _stored(tree) else replace_lines(text, line, line - 1, code)
    try:
        known = ast.literal_eval(bound[0].value)
    except (ValueError, TypeError):
        return None
    if not isinstance(known, dict):
        return None
    merged = {**known, **entries}
    if merged == known:
        return text
    end = bound[0].end_lineno or bound[0].lineno
    return replace_lines(text, bound[0].lineno, end, _written(name, merged))


def _written(name: str, entries: dict[str, str]) -> str:
    inner = "".join(f'    "{key}": "{value}",\n' for key, value in sorted(entries.items()))
    return f"{name} = {{\n{inner}}}\n"


def _targets(node: ast.Assign) -> list[str]:
    return [t.id if isinstance(t, ast.Name) else "" for t in node.targets]


def _stored(tree: ast.Module) -> set[str]:
    return {n.id for n in walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _after_imports(tree: ast.Module) -> int:
    """The line behind the imports at the head of a module."""
    last = 0
    for number, node in enumerate(tree.body):
        docstring = number == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        last = node.end_lineno or node.lineno
    return last + 1
