"""What the functions of OmegaConf and the methods of DictConfig do to abstract values."""

from __future__ import annotations

import ast
import copy
from typing import Any

from policies.hydra.machine import Frame, Machine
from policies.hydra.names import literal_tables, origin
from policies.hydra.search import items
from policies.hydra.trace import Sample, joined
from policies.hydra.values import (
    MADE,
    UNKNOWN,
    Constant,
    Flag,
    Method,
    Node,
    Sampled,
    Value,
    merge_data,
    missing_paths,
)
from policies.parsed import parse_yaml
from policies.wording import listed

Keywords = dict[str | None, Value]

TEXT_METHODS = frozenset(
    {"lower", "upper", "strip", "lstrip", "rstrip", "startswith", "endswith", "replace", "split"}
)
EXISTENCE = frozenset({"exists", "is_file"})
FOLDED = {"min": min, "max": max}
PLAIN_BUILTINS = {"str": str, "int": int, "float": float, "bool": bool}


def call_constant(machine: Machine, node: ast.Call, frame: Frame) -> Value | None:
    """Calls that can be computed: text methods, and whether a run config exists (it is given)."""
    if not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr == "get" and isinstance(node.func.value, ast.Name):
        return _table_get(machine, node.func.value.id, node.args, frame)
    if node.func.attr in EXISTENCE and not node.args:
        return Constant(True) if machine.names_run_file(machine.value(node.func.value, frame)) else None
    if node.func.attr not in TEXT_METHODS:
        return None
    owner = machine.value(node.func.value, frame)
    arguments = [machine.value(a, frame) for a in node.args]
    if not isinstance(owner, Constant) or not isinstance(owner.value, str):
        return None
    if not all(isinstance(a, Constant) for a in arguments):
        return UNKNOWN
    try:
        return Constant(
            getattr(owner.value, node.func.attr)(*(a.value for a in arguments if isinstance(a, Constant)))
        )
    except (TypeError, ValueError):
        return UNKNOWN


def _table_get(machine: Machine, name: str, given: list[ast.expr], frame: Frame) -> Value | None:
    """`TABLE.get(key, default)` of a module's own literal dictionary, when the key is known."""
    known = None if name in frame.variables else literal_tables(frame.module).get(name)
    if known is None or not given:
        return None
    key, *rest = (machine.value(argument, frame) for argument in given)
    if not isinstance(key, Constant) or not isinstance(key.value, str | int):
        return UNKNOWN
    return Constant(known[key.value]) if key.value in known else (rest[0] if rest else Constant(None))


def call_node_method(
    machine: Machine, method: Method, node: ast.Call, arguments: list[Value], frame: Frame
) -> Value:
    """`cfg.get(...)`, `cfg.merge_with(...)` and their like."""
    owner = method.node
    if method.name in ("get", "pop", "setdefault"):
        return _get(machine, owner, arguments)
    if method.name in ("items", "keys", "values", "items_ex"):
        machine.trace.use(owner)
        return items(owner, method.name)
    if method.name == "copy":
        return owner.clone()
    if method.name in ("merge_with", "update"):
        for other in arguments:
            _merge_into(machine, owner, other, node, frame)
    elif method.name in ("merge_with_dotlist", "merge_with_cli"):
        _merge_dotlist(machine, owner, node, frame)
    return UNKNOWN


def _merge_dotlist(machine: Machine, owner: Node, node: ast.Call, frame: Frame) -> None:
    """`cfg.merge_with_dotlist(["a.b=1"])`; a list that is not spelled out may set any key."""
    given = node.args[0] if node.args else None
    for item in given.elts if isinstance(given, ast.List | ast.Tuple) else [None]:
        text = machine.value(item, frame) if item is not None else UNKNOWN
        if not isinstance(text, Constant) or not isinstance(text.value, str) or "=" not in text.value:
            owner.complete = False
            continue
        key, _, value = text.value.partition("=")
        read = parse_yaml("", f"value: {value}").data  # as OmegaConf reads it
        machine.store(owner, key, Constant(read["value"]) if read else UNKNOWN, node, frame)


def _get(machine: Machine, owner: Node, arguments: list[Value]) -> Value:
    key = arguments[0] if arguments else UNKNOWN
    if not isinstance(key, Constant) or not isinstance(key.value, str):
        machine.trace.use(owner)
        return UNKNOWN
    machine.trace.read(owner, key.value)
    if key.value in owner.data:
        return owner.child(key.value)
    if not owner.complete:
        return UNKNOWN
    return arguments[1] if len(arguments) > 1 else Constant(None)


def call_omegaconf(
    machine: Machine, node: ast.Call, arguments: list[Value], keywords: Keywords, frame: Frame
) -> Value | None:
    """The value of a call into OmegaConf, copy or the builtins that reach into configs; None for others."""
    name = origin(frame.module, node.func)
    kind, _, function = name.rpartition(".")
    if kind.endswith("OmegaConf"):
        return _omegaconf(machine, function, node, arguments, keywords, frame)
    if name in ("copy.deepcopy", "copy.copy") and arguments and isinstance(arguments[0], Node):
        return arguments[0].clone()
    if name in ("getattr", "hasattr") and len(arguments) > 1 and isinstance(arguments[0], Node):
        return _getattr(machine, name, arguments[0], arguments[1:])
    if name == "setattr" and len(arguments) > 2 and isinstance(arguments[0], Node):
        return _set(machine, arguments[0], arguments[1], arguments[2], node, frame)
    if name == "os.path.exists" and arguments and machine.names_run_file(arguments[0]):
        return Constant(True)
    if name in PLAIN_BUILTINS and len(arguments) == 1 and isinstance(arguments[0], Constant):
        return _converted(name, arguments[0])
    if name in FOLDED and len(arguments) > 1 and all(isinstance(a, Constant) for a in arguments):
        numbers = [a.value for a in arguments if isinstance(a, Constant) and isinstance(a.value, int | float)]
        return Constant(FOLDED[name](numbers)) if len(numbers) == len(arguments) else None
    return None


def _converted(name: str, value: Constant) -> Value:
    try:
        return Constant(PLAIN_BUILTINS[name](value.value))
    except (TypeError, ValueError, OverflowError):
        return UNKNOWN


def _getattr(machine: Machine, name: str, owner: Node, rest: list[Value]) -> Value:
    if name == "getattr":
        return _get(machine, owner, rest)
    key = rest[0]
    if not isinstance(key, Constant) or (not owner.complete and key.value not in owner.data):
        return UNKNOWN
    return Constant(key.value in owner.data)


def _omegaconf(
    machine: Machine, function: str, node: ast.Call, arguments: list[Value], keywords: Keywords, frame: Frame
) -> Value:
    first = arguments[0] if arguments else keywords.get("cfg", UNKNOWN)
    if function == "set_struct" and isinstance(first, Node):
        flag = arguments[1] if len(arguments) > 1 else keywords.get("value", keywords.get("flag", UNKNOWN))
        first.flag.struct = bool(flag.value) if isinstance(flag, Constant) else False
    elif function in ("merge", "unsafe_merge"):
        return _merge(machine, node, arguments, frame)
    elif function == "load":
        return _load(machine, first)
    elif function == "create":
        return first.clone(struct=False) if isinstance(first, Node) else _empty(incomplete=bool(arguments))
    elif function in ("to_container", "to_object", "masked_copy", "structured", "deepcopy", "copy"):
        return first.clone(struct=False) if isinstance(first, Node) else UNKNOWN
    elif function == "update":
        _update(machine, node, arguments, keywords, frame)
    elif function == "select" and isinstance(first, Node):
        return _select(machine, first, arguments[1:], keywords)
    return UNKNOWN


def _select(machine: Machine, node: Node, rest: list[Value], keywords: Keywords) -> Value:
    """`OmegaConf.select(cfg, "a.b", default=...)`: a missing key is no error."""
    key = rest[0] if rest else keywords.get("key", UNKNOWN)
    if not isinstance(key, Constant) or not isinstance(key.value, str):
        return UNKNOWN
    found: Value = node
    for part in key.value.split("."):
        if isinstance(found, Node):
            machine.trace.read(found, part)
        if not isinstance(found, Node) or (part not in found.data and not found.complete):
            return UNKNOWN
        if part not in found.data:
            return keywords.get("default", Constant(None))
        found = found.child(part)
    return found


def _empty(*, incomplete: bool) -> Node:
    return Node({}, Flag(False), origin="made", complete=not incomplete)


def _load(machine: Machine, path: Value) -> Value:
    if machine.names_run_file(path):
        return Node(copy.deepcopy(machine.run_data), Flag(False), origin="run")
    return Node({}, Flag(False), origin="made", complete=False)


def _merge(machine: Machine, node: ast.Call, arguments: list[Value], frame: Frame) -> Value:
    if not arguments or not isinstance(arguments[0], Node):
        return _empty(incomplete=True)
    merged = arguments[0].clone()
    for other in arguments[1:]:
        _merge_into(machine, merged, other, node, frame)
    return merged


def _merge_into(machine: Machine, target: Node, other: Value, node: ast.AST, frame: Frame) -> None:
    if isinstance(other, Node):
        _note_samples(machine, target, other.data, node, frame)
        missing = missing_paths(target.data, other.data)
        if missing and target.flag.struct and target.complete:
            machine.event("struct-merge", node, frame, missing[0], listed(missing, 6))
        merge_data(target.data, other.data)
        target.flag.has_run |= not target.path and machine.run_data.keys() <= other.data.keys()
        target.complete = target.complete and other.complete
    elif not isinstance(other, Constant):
        target.complete = False


def _update(
    machine: Machine, node: ast.Call, arguments: list[Value], keywords: Keywords, frame: Frame
) -> None:
    if len(arguments) < 2 or not isinstance(arguments[0], Node):
        return
    forced = keywords.get("force_add")
    target = arguments[0]
    if isinstance(forced, Constant) and forced.value:
        target = Node(target.data, Flag(False), target.path, target.origin, target.complete)
    _set(machine, target, arguments[1], arguments[2] if len(arguments) > 2 else UNKNOWN, node, frame)


def _set(machine: Machine, target: Node, key: Value, value: Value, node: ast.Call, frame: Frame) -> Value:
    """Store a value under a key that is computed; an unknown key may be any."""
    if isinstance(key, Constant) and isinstance(key.value, str):
        machine.store(target, key.value, value, node, frame)
    else:
        target.complete = False
    return Constant(None)


def _note_samples(machine: Machine, target: Node, data: dict[str, Any], node: ast.AST, frame: Frame) -> None:
    """Sampled values that a merge brings into a config."""
    for key, value in data.items():
        if isinstance(value, Sampled) and target.origin not in MADE:
            place = (frame.module, getattr(node, "lineno", 0), frame.function)
            sample = Sample(*place, value.name, joined(target, key), key in target.data)
            machine.trace.samples.append(sample)
