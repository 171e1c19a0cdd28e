"""The nodes of a module by their kind, sorted out once: a check looks at few of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeVar

from policies.parsed import Module, ParsedBundle

N = TypeVar("N", bound=ast.AST)


def of_kind(module: Module, kind: type[N]) -> tuple[N, ...]:
    """Every node of exactly this class, in `ast.walk` order."""
    return tuple(node for node in _sorted_out(module).get(kind, ()) if isinstance(node, kind))


def each(subject: ParsedBundle, kind: type[N]) -> Iterator[tuple[Module, N]]:
    """Every node of exactly this class in the bundle, with its module."""
    for module in subject.parsable:
        for node in of_kind(module, kind):
            yield module, node


def has_text(subject: ParsedBundle, *parts: str) -> bool:
    """Whether the source of some module has one of the texts: the cheapest reason to look no further."""
    return any(part in module.text for module in subject.parsable for part in parts)


@lru_cache(maxsize=64)
def _sorted_out(module: Module) -> dict[type[ast.AST], list[ast.AST]]:
    found: dict[type[ast.AST], list[ast.AST]] = {}
    for node in module.nodes:
        found.setdefault(type(node), []).append(node)
    return found
