"""The nodes of a module by their kind, sorted out once: a check looks at few of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeVar, overload

from policies.parsed import Module, ParsedBundle

N = TypeVar("N", bound=ast.AST)
M = TypeVar("M", bound=ast.AST)


@overload
def of_kind(module: Module, kind: type[N], /) -> tuple[N, ...]: ...
@overload
def of_kind(module: Module, kind: type[N], other: type[M], /) -> tuple[N | M, ...]: ...
@overload
def of_kind(module: Module, *kinds: type[ast.AST]) -> tuple[ast.AST, ...]: ...
def of_kind(module: Module, *kinds: type[ast.AST]) -> tuple[ast.AST, ...]:
    """Every node of these classes or of classes below them, in the order of `Module.nodes`."""
    known: dict[Any, Any] = module.memo("kinds", _nothing)
    found: tuple[ast.AST, ...] | None = known.get(kinds)
    if found is None:
        places = module.memo("kinds: places", _places)
        mine = sorted(place for kind in places if issubclass(kind, kinds) for place in places[kind])
        found = known[kinds] = tuple(map(module.nodes.__getitem__, mine))
    return found


@overload
def each(subject: ParsedBundle, kind: type[N], /) -> Iterator[tuple[Module, N]]: ...
@overload
def each(subject: ParsedBundle, kind: type[N], other: type[M], /) -> Iterator[tuple[Module, N | M]]: ...
@overload
def each(subject: ParsedBundle, *kinds: type[ast.AST]) -> Iterator[tuple[Module, ast.AST]]: ...
def each(subject: ParsedBundle, *kinds: type[ast.AST]) -> Iterator[tuple[Module, ast.AST]]:
    """Every node of these classes in the bundle, with its module."""
    for module in subject.parsable:
        for node in of_kind(module, *kinds):
            yield module, node


def has_text(subject: ParsedBundle, *parts: str) -> bool:
    """Whether the source of some module has one of the texts: the cheapest reason to look no further."""
    return any(part in module.text for module in subject.parsable for part in parts)


def _places(module: Module) -> dict[type[ast.AST], list[int]]:
    """Class -> where its nodes stand among all."""
    found: dict[type[ast.AST], list[int]] = {}
    for place, node in enumerate(module.nodes):
        found.setdefault(type(node), []).append(place)
    return found


def _nothing(module: Module) -> dict[Any, Any]:
    """What `of_kind` has answered; nothing at first."""
    return {}
