"""Numbered excerpts of a bundle's files: whole when short, otherwise the definitions around given lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable

from policies.parsed import Module, parse_module

CONTEXT_LINES = 12
"""Lines shown around a place that lies in no definition, and in files that do not parse."""

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def numbered(text: str, wanted: Collection[int] | None = None) -> str:
    """The lines with their numbers, `  12| code`; gaps between wanted lines are marked."""
    # Other line separators, such as form feeds, end no line of Python.
    lines = text.removesuffix("\n").split("\n")
    shown: list[str] = []
    last = 0
    for number, line in enumerate(lines, 1):
        if wanted is not None and number not in wanted:
            continue
        if number != last + 1:
            shown.append("    ⋮")
        shown.append(f"{number:>5}| {line}")
        last = number
    if last < len(lines):
        shown.append(f"    ⋮ (the file has {len(lines)} lines)")
    return "\n".join(shown)


def excerpt(path: str, text: str, places: Iterable[int], names: Collection[str], whole_lines: int) -> str:
    """A file as a model needs it to mend `places` and to use `names`.

    Args:
        places: 1-based lines; 0 stands for the whole file.
        names: definitions that matter wherever they are.
        whole_lines: files up to this length are shown whole.
    """
    if not text.strip():
        return "(the file is empty)"
    lines = text.count("\n") + 1
    module = parse_module(path, text) if path.endswith(".py") else None
    if lines <= whole_lines or (module is None and lines <= 400):
        return numbered(text)
    if module is None or module.tree is None:
        return numbered(text, _around(places, lines))
    return numbered(text, _wanted(module, places, names))


def outline(module: Module) -> str:
    """Imports, constants and signatures, without bodies."""
    if module.tree is None:
        return "(the file does not parse)"
    wanted = _head(module.tree)
    for node in module.nodes:
        if isinstance(node, _Definition):
            wanted |= _signature(node)
    return numbered(module.text, wanted)


def identifiers(text: str) -> frozenset[str]:
    """The names that a message quotes or that look like code in it."""
    quoted = " ".join(re.findall(r"[`'\"]([^`'\"\n]{1,120})[`'\"]", text))
    calls = " ".join(re.findall(r"\b(\w+)\(", text))
    return frozenset(re.findall(r"[A-Za-z_]\w{2,}", f"{quoted} {calls}"))


def _wanted(module: Module, places: Iterable[int], names: Collection[str]) -> set[int]:
    """Header lines, the definitions around the places, and signatures of everything else."""
    assert module.tree is not None
    wanted = _head(module.tree)
    definitions = [node for node in module.nodes if isinstance(node, _Definition)]
    for node in definitions:
        wanted |= _signature(node)
        if node.name in names or (isinstance(node, ast.FunctionDef) and not _used(node).isdisjoint(names)):
            wanted |= _span(node)
    for place in places:
        around = [n for n in definitions if place in _span(n)]
        inner = max(around, key=lambda n: n.lineno, default=None)
        wanted |= _span(inner) if inner else _around([place], module.text.count("\n") + 1)
    return wanted


def _head(tree: ast.Module) -> set[int]:
    """Lines of module-level statements that define nothing with a body: imports, constants."""
    simple = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    return {n for node in tree.body if isinstance(node, simple) for n in _lines(node)}


def _used(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _signature(node: _Definition) -> set[int]:
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return set(range(first, max(node.lineno + 1, node.body[0].lineno)))


def _span(node: _Definition) -> set[int]:
    return _signature(node) | _lines(node)


def _lines(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _around(places: Iterable[int], lines: int) -> set[int]:
    """Lines near each place; the beginning of the file for one about the whole file."""
    return {n for p in places for n in range(max(1, p - CONTEXT_LINES), min(lines, p + CONTEXT_LINES) + 1)}
