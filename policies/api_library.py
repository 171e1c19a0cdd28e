"""Questions about third-party names, answered from the API tables of all packages together."""

from __future__ import annotations

import abc
import builtins
import collections
import collections.abc
import contextlib
import enum
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from policies.api import api_of
from policies.api_signature import Signature
from policies.base import Api, Evidence
from policies.class_body import words
from policies.parsed import ParsedBundle

MAX_DEPTH = 24
"""Bases followed before a class counts as unknown."""
INSTANCES = {"wandb.run": "wandb.Run"}
"""Module attributes that hold an instance of a listed class."""
PLUGINS = {
    "torch": words("hpu ipu maca mlu musa neuron npu privateuseone sdaa supa xla"),
    "torch.version": words("cann musa"),
}
"""Names that other distributions add to a package."""
OPEN_ENDS = {"transformers.tokenization_utils_base.AnyTokenizer": ("_token", "_token_id", "_token_ids")}
"""Classes whose objects may get attributes with these endings from data."""


@dataclass(frozen=True)
class Missing:
    """A module or class, under the name it was reached by, and a name that it lacks."""

    owner: str
    name: str
    names: frozenset[str]
    """What the owner has instead."""


@dataclass(frozen=True)
class Known:
    """A class, function or method, by the name of the place where it is defined."""

    home: str


Answer = Missing | Known | None


class Library:
    """The packages that a bundle may use, in the versions it is judged by."""

    def __init__(self, evidence: Evidence, subject: ParsedBundle | None = None) -> None:
        self.evidence, self.subject = evidence, subject
        self._apis: dict[str, Api | None] = {}
        self._members: dict[str, frozenset[str] | None] = {}
        self._answers: dict[str, Answer] = {}

    def api(self, dotted: str) -> Api | None:
        """The API of the package that a dotted name begins with."""
        package = dotted.partition(".")[0]
        if package not in self._apis:
            self._apis[package] = api_of(self.evidence, package, self.subject)
        return self._apis[package]

    def label(self, dotted: str) -> str:
        """Package and version, for messages."""
        api = self.api(dotted)
        return f"{dotted.partition('.')[0]} {api.version.partition('+')[0]}" if api is not None else ""

    def find(self, dotted: str) -> Answer:
        """What a public dotted name means: something known, something missing, or None for the unknown."""
        if dotted not in self._answers:
            self._answers[dotted] = self._find(dotted)
        return self._answers[dotted]

    def _find(self, dotted: str) -> Answer:
        for short, listed in INSTANCES.items():
            if dotted.startswith(f"{short}."):
                dotted = listed + dotted.removeprefix(short)
        owner, *parts = dotted.split(".")
        api = self.api(owner)
        for index, part in enumerate(parts):
            names = api.modules.get(owner) if api is not None else None
            if api is None or names is None:
                return None
            if part not in names:
                hidden = part.startswith("_") or part in PLUGINS.get(owner, ())
                hidden = hidden or owner in api.open_modules
                return None if hidden else Missing(owner, part, names)
            home = api.homes.get(owner, {}).get(part)
            if home is not None:
                return self._inside(home, f"{owner}.{part}", parts[index + 1 :])
            owner = f"{owner}.{part}"
        return None

    def _inside(self, home: str, owner: str, parts: list[str]) -> Answer:
        """Go on below a class or function."""
        for part in parts:
            members = self.members(home)
            if members is None:
                return None
            if part not in members:
                return None if part.startswith("_") else Missing(owner, part, members)
            inner = self.definer(home, part)
            if inner is None:
                return None
            home, owner = inner, f"{owner}.{part}"
        return Known(home)

    def definer(self, home: str, name: str) -> str | None:
        """The home name of a nested class or a method with a known signature."""
        for base in self.line(home):
            api = self.api(base)
            full = f"{base}.{name}"
            if api is not None and (full in api.classes or full in api.signatures):
                return full
            if api is None or name in api.classes.get(base, ()):
                return None
        return None

    def line(self, home: str) -> list[str]:
        """A class and its listed bases, nearest first, as far as attribute look-up is concerned."""
        found: list[str] = []
        pending = [home]
        while pending and len(found) < MAX_DEPTH:
            at = pending.pop(0)
            api = self.api(at)
            if at not in found and api is not None and at in api.classes:
                found.append(at)
                pending = [*api.bases.get(at, ()), *pending]
        return found

    def is_class(self, home: str) -> bool:
        """Whether a home name is that of a listed class."""
        api = self.api(home)
        return api is not None and home in api.classes

    def members(self, home: str) -> frozenset[str] | None:
        """Every public name of a class; None when there may be others."""
        if home not in self._members:
            self._members[home] = None  # a circle of bases tells nothing
            self._members[home] = self._members_of(home)
        return self._members[home]

    def _members_of(self, home: str) -> frozenset[str] | None:
        api = self.api(home)
        if api is None or home not in api.classes or home in api.partial:
            return None
        found = api.classes[home]
        for base in api.bases.get(home, ()):
            inherited = plain_members(base[1:]) if base.startswith("?") else self.members(base)
            if inherited is None:
                return None
            found |= inherited
        return found

    def lacks(self, kinds: str, name: str) -> bool:
        """Whether objects that are of one of the classes in `kinds` surely have no such attribute."""
        return all(self._lacks(home, name) for home in kinds.split("|"))

    def _lacks(self, home: str, name: str) -> bool:
        members = self.members(home)
        ends = OPEN_ENDS.get(home, ())
        listed = members is not None and not name.startswith("_")
        return listed and name not in (members or ()) and not (ends and name.endswith(ends))

    def signature(self, home: str) -> Signature | None:
        """What calling a function or class accepts."""
        api = self.api(home)
        return api.signatures.get(home) if api is not None else None

    def returned(self, key: str) -> str:
        """The class of what `function()`, `Class.method()` or `Class.property` gives; empty when unknown."""
        api = self.api(key)
        if api is None:
            return ""
        if key in api.returns:
            return api.returns[key]
        owner, _, last = key.rpartition(".")
        for base in self.line(owner)[1:]:
            inherited = self.api(base)
            if inherited is not None and f"{base}.{last}" in inherited.returns:
                return inherited.returns[f"{base}.{last}"]
            if inherited is None or last.removesuffix("()") in inherited.classes[base]:
                return ""
        return ""


_PLAIN: Mapping[str, object] = {
    **vars(builtins),
    **{name: getattr(collections, name) for name in ("OrderedDict", "defaultdict", "deque", "UserDict")},
    **{name: getattr(collections.abc, name) for name in collections.abc.__all__},
    **{name: getattr(enum, name) for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")},
    "ABC": abc.ABC,
    "Generic": typing.Generic,
    "Protocol": typing.Protocol,
    "ContextDecorator": contextlib.ContextDecorator,
    "AbstractContextManager": contextlib.AbstractContextManager,
}


@lru_cache(maxsize=256)
def plain_members(name: str) -> frozenset[str] | None:
    """Public names of a class of the standard library; None when it is not one that is known here."""
    kind = _PLAIN.get(name)
    if not isinstance(kind, type) and name not in ("Generic", "Protocol"):
        return None
    also = {"name", "value", "mro"} if isinstance(kind, enum.EnumMeta) else {"mro"}
    return frozenset(n for n in dir(kind) if not n.startswith("_")) | also
