"""Overrides that one entry point passes to another through a child process's command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle

OVERRIDE = re.compile(r"^(?P<prefix>\+{0,2})(?P<key>[A-Za-z_][\w]*(?:\.[\w]+)*)=")


@dataclass(frozen=True)
class ChildOverride:
    """One `key=value` string in the command line of a child."""

    module: Module
    line: int
    key: str
    prefix: str
    """`+` or `++` when the override may add the key."""
    target: str
    """Dotted module that the child runs, e.g. `src.train`."""


def child_overrides(subject: ParsedBundle) -> tuple[ChildOverride, ...]:
    """Every override string in a module that starts exactly one child with `-m`."""
    return subject.memo("hydra.child_overrides", lambda s: tuple(o for m in s.parsable for o in _of(m, s)))


def _of(module: Module, subject: ParsedBundle) -> Iterator[ChildOverride]:
    targets = _children(module, subject)
    if len(targets) != 1:
        return
    for node in module.nodes:
        text = _leading_text(node)
        if text is None or isinstance(module.parents.get(node), ast.JoinedStr | ast.FormattedValue):
            continue
        match = OVERRIDE.match(text)
        if match and _in_list(module, node):
            yield ChildOverride(module, node.lineno, match["key"], match["prefix"], targets[0])  # type: ignore[attr-defined]  # expressions have lines


def _children(module: Module, subject: ParsedBundle) -> list[str]:
    """Modules of the bundle that follow `-m` in a list."""
    names = {m.name for m in subject.modules.values()}
    found: list[str] = []
    for node in of_kind(module, ast.List, ast.Tuple):
        texts = [e.value if isinstance(e, ast.Constant) else None for e in node.elts]
        found += [b for a, b in pairwise(texts) if a == "-m" and b in names and b]
    return sorted(set(found))


def _leading_text(node: ast.AST) -> str | None:
    """A string literal's text, or the literal part at the start of an f-string."""
    if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _in_list(module: Module, node: ast.AST) -> bool:
    """Whether the string is an element of a list, or an argument of `append`, `extend` or `insert`."""
    parent = module.parents.get(node)
    if isinstance(parent, ast.List | ast.Tuple):
        return True
    return (
        isinstance(parent, ast.Call)
        and isinstance(parent.func, ast.Attribute)
        and parent.func.attr in ("append", "extend", "insert")
    )
