"""Objects of the bundle's own classes: construction, attributes, methods, `super()`."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from policies.hydra.machine import Frame, Machine
from policies.hydra.names import dotted_name, local_names
from policies.hydra.values import UNKNOWN, Bound, Class, Constant, Function, Instance, Super, Value
from policies.tree import walk

MAX_BASES = 6


def construct(
    machine: Machine, target: Class | Instance, arguments: list[Value], keywords: dict[str | None, Value]
) -> Value:
    """`Kind(...)` makes an object; calling an object runs its `__call__`, or the `forward` behind it."""
    if isinstance(target, Instance):
        method = _method(machine, target, "__call__") or _method(machine, target, "forward")
        return machine.call(method, arguments, keywords) if isinstance(method, Bound) else UNKNOWN
    made = Instance(target)
    start = _method(machine, made, "__init__")
    if isinstance(start, Bound):
        machine.call(start, arguments, keywords)
    return made


def attribute_of(machine: Machine, owner: Instance | Super, name: str) -> Value:
    """What `self.name` holds; a property is computed."""
    if isinstance(owner, Super):
        return _method(machine, owner.owner, name, below=owner.below) or UNKNOWN
    if name in owner.attributes:
        value: Value = owner.attributes[name]
        return UNKNOWN if isinstance(value, Constant) and _stores(owner.kind)[name] > 1 else value
    found = _method(machine, owner, name)
    if isinstance(found, Bound) and "property" in _decorators(found.function):
        return machine.call(found, [], {})
    return found or UNKNOWN


def super_of(node: ast.Call, frame: Frame) -> Super | None:
    """The value of `super()` in a method."""
    if dotted_name(node.func) != "super" or frame.method is None:
        return None
    return Super(frame.method.owner, frame.method.defined_in)


def _method(
    machine: Machine, owner: Instance, name: str, *, below: Class | None = None
) -> Bound | Function | None:
    """The method that `name` means for an object, looked up as Python does for single inheritance."""
    lineage = list(_lineage(machine, owner.kind, 0))
    if below in lineage:
        lineage = lineage[lineage.index(below) + 1 :]
    for kind in lineage:
        for node in kind.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                function = Function(kind.module, node, kind.closure)
                decorators = _decorators(function)
                if "classmethod" in decorators:
                    return None
                return function if "staticmethod" in decorators else Bound(function, owner, kind)
    return None


def _lineage(machine: Machine, kind: Class, depth: int) -> Iterator[Class]:
    yield kind
    for base in kind.node.bases if depth < MAX_BASES else ():
        known = local_names(machine.subject, kind.module).get(dotted_name(base))
        if isinstance(known, Class):
            yield from _lineage(machine, known, depth + 1)


def _decorators(function: Function) -> set[str]:
    return {dotted_name(d) for d in getattr(function.node, "decorator_list", ())}


@lru_cache(maxsize=64)
def _stores(kind: Class) -> Counter[str]:
    """How often the class assigns each attribute; more than once means that its value changes."""
    return Counter(
        node.attr
        for node in walk(kind.node)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    )
