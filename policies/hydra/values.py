"""Abstract values of the data-flow pass: config nodes with their struct flag, constants, functions."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, field
from typing import Any

from policies.parsed import Module


@dataclass
class Flag:
    """What every node of one config shares."""

    struct: bool
    has_run: bool = False
    """Whether the run config has been merged in at the top."""


MADE = ("made", "loose")
"""Origins of dictionaries that code builds, which are no part of the config."""


@dataclass
class Node:
    """A DictConfig. `data` is shared between aliases, as it is at run time."""

    data: dict[str, Any]  # leaves may be anything
    flag: Flag
    path: str = ""
    """Dotted path from the config's root, for messages."""
    origin: str = "config"
    """`config`: composed by Hydra; `run`: loaded from a run config; `made`: built in code;
    `loose`: built in code, with more keys than are known."""
    complete: bool = True
    """False once something unknown was merged in: a missing key then proves nothing."""

    def child(self, key: str) -> Value:
        """The value under an existing key."""
        value = self.data[key]
        inner = f"{self.path}.{key}" if self.path else key
        if isinstance(value, dict):
            return Node(value, self.flag, inner, self.origin, self.complete)
        if isinstance(value, Value):
            return value
        if isinstance(value, str) and "${" in value:
            return UNKNOWN
        return Constant(value)

    def clone(self, *, struct: bool | None = None) -> Node:
        """A deep copy with a flag of its own."""
        flag = Flag(self.flag.struct if struct is None else struct, self.flag.has_run)
        return Node(copy.deepcopy(self.data), flag, self.path, self.origin, self.complete)


@dataclass(frozen=True)
class Constant:
    """A literal whose value is known."""

    value: Any  # any Python literal


@dataclass(frozen=True)
class Opaque:
    """A value about which nothing is known, except that it may come from a run-config file."""

    run_file: bool = False


@dataclass(frozen=True)
class Function:
    """A function of the bundle, with the variables it closes over."""

    module: Module
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    closure: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)


@dataclass(frozen=True)
class Class:
    """A class of the bundle, with the variables around its definition."""

    module: Module
    node: ast.ClassDef
    closure: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)


@dataclass(eq=False)
class Instance:
    """An object of one of the bundle's classes."""

    kind: Class
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """A method of the bundle's own class, bound to its object."""

    function: Function
    owner: Instance
    defined_in: Class


@dataclass(frozen=True)
class Partial:
    """`functools.partial(function, ...)`."""

    function: Function | Bound
    arguments: tuple[Any, ...]
    keywords: dict[str | None, Any] = field(hash=False)


@dataclass(frozen=True)
class Method:
    """A bound method of a node, e.g. `cfg.get`."""

    node: Node
    name: str


@dataclass(frozen=True)
class Super:
    """`super()` inside a method."""

    owner: Instance
    below: Class


@dataclass(frozen=True)
class Many:
    """A sequence whose elements are known one by one, such as the items of a section."""

    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Sampled:
    """A value that Optuna samples."""

    name: str = ""
    """The name it is sampled under; empty when unknown."""


@dataclass(frozen=True)
class Trial:
    """What Optuna hands to an objective."""


UNKNOWN = Opaque()
Value = (
    Node
    | Constant
    | Opaque
    | Function
    | Method
    | Class
    | Instance
    | Bound
    | Partial
    | Super
    | Many
    | Sampled
    | Trial
)

NODE_METHODS = frozenset(
    {
        "get",
        "keys",
        "values",
        "items",
        "items_ex",
        "pop",
        "copy",
        "update",
        "popitem",
        "is_empty",
        "merge_with",
        "merge_with_cli",
        "merge_with_dotlist",
        "setdefault",
        "clear",
    }
)


@dataclass(frozen=True)
class Load:
    """A call that loads something by name, with what is known of its arguments."""

    module: Module
    node: ast.Call
    run_id: str
    arguments: tuple[Value, ...]
    keywords: dict[str | None, Value] = field(compare=False)
    certain: bool
    """Whether the call surely happens and nothing around it would catch its failure."""


LOADERS = ("from_pretrained", "load_dataset")
"""Calls that are noted as loads."""


def merge_data(into: dict[str, Any], other: dict[str, Any]) -> None:
    """Recursive merge, the second wins."""
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge_data(into[key], value)
        else:
            into[key] = copy.deepcopy(value)


def missing_paths(target: dict[str, Any], other: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted keys of `other` that `target` lacks: what struct mode objects to in a merge."""
    found: list[str] = []
    for key, value in other.items():
        path = f"{prefix}{key}"
        if key not in target:
            found.append(path)
        elif isinstance(value, dict) and isinstance(target[key], dict):
            found += missing_paths(target[key], value, f"{path}.")
    return found
