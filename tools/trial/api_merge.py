"""Joins what two versions of a package offer: a name that either has is not missing."""

from __future__ import annotations

from collections.abc import Mapping

from policies.api_signature import Signature, widest
from policies.base import Api


def merged(old: Api, new: Api) -> Api:
    """Everything that one of two versions has, but no signature that only one of them can tell."""
    if old.version == new.version:
        return new
    return Api(
        version=new.version,
        oldest=old.version,
        modules=_joined(old.modules, new.modules),
        open_modules=old.open_modules | new.open_modules,
        homes={m: {**old.homes.get(m, {}), **new.homes.get(m, {})} for m in _keys(old.homes, new.homes)},
        classes=_joined(old.classes, new.classes),
        bases={name: _bases(old, new, name) for name in _keys(old.bases, new.bases)},
        partial=old.partial | new.partial,
        signatures=_signatures(old, new),
        returns={
            key: kind
            for key, kind in {**old.returns, **new.returns}.items()
            if old.returns.get(key, kind) == new.returns.get(key, kind)
        },
    )


def _keys(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return sorted(old.keys() | new.keys())


def _joined(
    old: Mapping[str, frozenset[str]], new: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    empty: frozenset[str] = frozenset()
    return {name: old.get(name, empty) | new.get(name, empty) for name in _keys(old, new)}


def _bases(old: Api, new: Api, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*new.bases.get(name, ()), *old.bases.get(name, ()))))


def _signatures(old: Api, new: Api) -> dict[str, Signature]:
    """The widest signature of what both know, and of what only one of them has."""
    found: dict[str, Signature] = {}
    for name in _keys(old.signatures, new.signatures):
        known = [api.signatures[name] for api in (old, new) if name in api.signatures]
        if len(known) == 2 or not all(_has(api, name) for api in (old, new)):
            found[name] = widest(known)
    return found


def _has(api: Api, name: str) -> bool:
    """Whether a version has a function, class or method at all."""
    owner, _, last = name.rpartition(".")
    if owner in api.classes:
        return last in api.classes[owner]
    return name in api.classes or any(name in homes.values() for homes in api.homes.values())
