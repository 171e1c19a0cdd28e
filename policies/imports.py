"""Adding an import to a module where a person would have put it."""

from __future__ import annotations

import ast
import sys

from policies.edit import replace_lines, split_lines

FUTURE, STDLIB, THIRD_PARTY, FIRST_PARTY = range(4)


def add_import(text: str, statement: str) -> str | None:
    """Add `import x [as y]` or `from x import y [as z]` at module level; None when `text` does not parse.

    An import that is there already changes nothing; `from x import` lines of the same module are extended.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    wanted = ast.parse(statement).body[0]
    assert isinstance(wanted, ast.Import | ast.ImportFrom), f"not an import: {statement!r}"
    missing = [alias for alias in wanted.names if not _has(tree, wanted, alias)]
    if not missing:
        return text
    if isinstance(wanted, ast.ImportFrom) and _can_extend(tree, wanted):
        return _extend(text, tree, wanted, missing)
    wanted.names = missing
    line = _place(tree, group_of(wanted))
    return replace_lines(text, line, line - 1, ast.unparse(wanted))


def group_of(node: ast.Import | ast.ImportFrom) -> int:
    """FUTURE, STDLIB, THIRD_PARTY or FIRST_PARTY, in the order in which they are written."""
    if isinstance(node, ast.ImportFrom) and node.level:
        return FIRST_PARTY
    name = (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
    top = name.partition(".")[0]
    if top == "__future__":
        return FUTURE
    if top == "src":
        return FIRST_PARTY
    return STDLIB if top in sys.stdlib_module_names else THIRD_PARTY


def _has(tree: ast.Module, wanted: ast.Import | ast.ImportFrom, alias: ast.alias) -> bool:
    """Whether a top-level import binds the same thing to the same name."""
    return any(
        type(node) is type(wanted)
        and (not isinstance(node, ast.ImportFrom) or _source(node) == _source(wanted))
        and any((a.name, a.asname) == (alias.name, alias.asname) for a in node.names)
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
    )


def _source(node: ast.AST) -> tuple[str | None, int]:
    assert isinstance(node, ast.ImportFrom)
    return node.module, node.level


def _can_extend(tree: ast.Module, wanted: ast.ImportFrom) -> bool:
    """Whether the leading block has a `from` line of the same module that lists names."""
    return any(
        isinstance(node, ast.ImportFrom) and _source(node) == _source(wanted) and node.names[0].name != "*"
        for node in _leading(tree)
    )


def _extend(text: str, tree: ast.Module, wanted: ast.ImportFrom, missing: list[ast.alias]) -> str:
    """Write the names into the first existing line, in alphabetical order where it has one."""
    line = next(n for n in _leading(tree) if isinstance(n, ast.ImportFrom) and _source(n) == _source(wanted))
    lines = split_lines(text)
    for new in sorted(missing, key=lambda alias: alias.name, reverse=True):
        later = next((old for old in line.names if old.name > new.name), None)
        anchor = later or line.names[-1]
        own_line = lines[anchor.lineno - 1][: anchor.col_offset].isspace()
        gap = ",\n" + " " * anchor.col_offset if own_line else ", "
        code = ast.unparse(new)
        if later:
            _insert(lines, anchor.lineno, anchor.col_offset, code + gap)
        else:
            _insert(lines, anchor.end_lineno or anchor.lineno, anchor.end_col_offset or 0, gap + code)
    return "".join(lines)


def _insert(lines: list[str], number: int, offset_bytes: int, code: str) -> None:
    """Put `code` into a line at a byte offset, the unit of `ast` positions."""
    data = lines[number - 1].encode()
    lines[number - 1] = (data[:offset_bytes] + code.encode() + data[offset_bytes:]).decode()


def _leading(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """The imports at the top, up to the first other statement (a docstring aside)."""
    found: list[ast.Import | ast.ImportFrom] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            break
    return found


def _place(tree: ast.Module, group: int) -> int:
    """The 1-based line before which a new import of `group` belongs."""
    leading = _leading(tree)
    peers = [node for node in leading if group_of(node) <= group]
    if peers:
        return (peers[-1].end_lineno or peers[-1].lineno) + 1
    if leading:
        return leading[0].lineno
    first = tree.body[0] if tree.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return (first.end_lineno or first.lineno) + 1
    decorators = getattr(first, "decorator_list", [])
    return min(node.lineno for node in (*decorators, first)) if first else 1
