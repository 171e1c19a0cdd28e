"""What the functions of OmegaConf and the methods of DictConfig do to abstract values."""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from policies.hydra.names import literal_tables, origin
from policies.hydra.values import UNKNOWN, Constant, Flag, Method, Node, Value, merge_data, missing_paths

if TYPE_CHECKING:
    from policies.hydra.flow import Flow, Frame

Keywords = dict[str | None, Value]

TEXT_METHODS = frozenset(
    {"lower", "upper", "strip", "lstrip", "rstrip", "startswith", "endswith", "replace", "split"}
)
EXISTENCE = frozenset({"exists", "is_file"})
PLAIN_BUILTINS = {"str": str, "int": int, "float": float, "bool": bool}


def call_constant(flow: Flow, node: ast.Call, frame: Frame) -> Value | None:
    """Calls that can be computed: text methods, and whether a run config exists (it is given)."""
    if not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr == "get" and isinstance(node.func.value, ast.Name):
        return _table_get(flow, node.func.value.id, node.args, frame)
    if node.func.attr in EXISTENCE and not node.args:
        return Constant(True) if flow.names_run_file(flow.value(node.func.value, frame)) else None
    if node.func.attr not in TEXT_METHODS:
        return None
    owner = flow.value(node.func.value, frame)
    arguments = [flow.value(a, frame) for a in node.args]
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


def _table_get(flow: Flow, name: str, given: list[ast.expr], frame: Frame) -> Value | None:
    """`TABLE.get(key, default)` of a module's own literal dictionary, when the key is known."""
    known = None if name in frame.variables else literal_tables(frame.module).get(name)
    if known is None or not given:
        return None
    key, *rest = (flow.value(argument, frame) for argument in given)
    if not isinstance(key, Constant) or not isinstance(key.value, str | int):
        return UNKNOWN
    return Constant(known[key.value]) if key.value in known else (rest[0] if rest else Constant(None))


def call_node_method(
    flow: Flow, method: Method, node: ast.Call, arguments: list[Value], frame: Frame
) -> Value:
    """`cfg.get(...)`, `cfg.merge_with(...)` and their like."""
    owner = method.node
    if method.name in ("get", "pop", "setdefault"):
        return _get(owner, arguments)
    if method.name == "copy":
        return owner.clone()
    if method.name in ("merge_with", "update"):
        for other in arguments:
            _merge_into(flow, owner, other, node, frame)
    return UNKNOWN


def _get(owner: Node, arguments: list[Value]) -> Value:
    key = arguments[0] if arguments else UNKNOWN
    if not isinstance(key, Constant) or not isinstance(key.value, str):
        return UNKNOWN
    if key.value in owner.data:
        return owner.child(key.value)
    if not owner.complete:
        return UNKNOWN
    return arguments[1] if len(arguments) > 1 else Constant(None)


def call_omegaconf(
    flow: Flow, node: ast.Call, arguments: list[Value], keywords: Keywords, frame: Frame
) -> Value | None:
    """The value of a call into OmegaConf, copy or the builtins that reach into configs; None for others."""
    name = origin(frame.module, node.func)
    kind, _, function = name.rpartition(".")
    if kind.endswith("OmegaConf"):
        return _omegaconf(flow, function, node, arguments, keywords, frame)
    if name in ("copy.deepcopy", "copy.copy") and arguments and isinstance(arguments[0], Node):
        return arguments[0].clone()
    if name in ("getattr", "hasattr") and len(arguments) > 1 and isinstance(arguments[0], Node):
        return _getattr(name, arguments[0], arguments[1:])
    if name == "os.path.exists" and arguments and flow.names_run_file(arguments[0]):
        return Constant(True)
    if name in PLAIN_BUILTINS and len(arguments) == 1 and isinstance(arguments[0], Constant):
        return _converted(name, arguments[0])
    return None


def _converted(name: str, value: Constant) -> Value:
    try:
        return Constant(PLAIN_BUILTINS[name](value.value))
    except (TypeError, ValueError):
        return UNKNOWN


def _getattr(name: str, owner: Node, rest: list[Value]) -> Value:
    if name == "getattr":
        return _get(owner, rest)
    key = rest[0]
    if not isinstance(key, Constant) or (not owner.complete and key.value not in owner.data):
        return UNKNOWN
    return Constant(key.value in owner.data)


def _omegaconf(
    flow: Flow, function: str, node: ast.Call, arguments: list[Value], keywords: Keywords, frame: Frame
) -> Value:
    first = arguments[0] if arguments else keywords.get("cfg", UNKNOWN)
    if function == "set_struct" and isinstance(first, Node):
        flag = arguments[1] if len(arguments) > 1 else keywords.get("value", keywords.get("flag", UNKNOWN))
        first.flag.struct = bool(flag.value) if isinstance(flag, Constant) else False
    elif function in ("merge", "unsafe_merge"):
        return _merge(flow, node, arguments, frame)
    elif function == "load":
        return _load(flow, first)
    elif function == "create":
        return first.clone(struct=False) if isinstance(first, Node) else _empty(incomplete=bool(arguments))
    elif function in ("to_container", "masked_copy", "structured"):
        return first.clone(struct=False) if isinstance(first, Node) else UNKNOWN
    elif function == "update":
        _update(flow, node, arguments, keywords, frame)
    elif function == "select" and isinstance(first, Node):
        return UNKNOWN
    return UNKNOWN


def _empty(*, incomplete: bool) -> Node:
    return Node({}, Flag(False), origin="made", complete=not incomplete)


def _load(flow: Flow, path: Value) -> Value:
    if flow.names_run_file(path):
        return Node(copy.deepcopy(flow.run_data), Flag(False), origin="run")
    return Node({}, Flag(False), origin="made", complete=False)


def _merge(flow: Flow, node: ast.Call, arguments: list[Value], frame: Frame) -> Value:
    if not arguments or not isinstance(arguments[0], Node):
        return _empty(incomplete=True)
    merged = arguments[0].clone()
    for other in arguments[1:]:
        _merge_into(flow, merged, other, node, frame)
    return merged


def _merge_into(flow: Flow, target: Node, other: Value, node: ast.AST, frame: Frame) -> None:
    if isinstance(other, Node):
        missing = missing_paths(target.data, other.data)
        if missing and target.flag.struct and target.complete:
            flow.event("struct-merge", node, frame, missing[0], ", ".join(missing[:6]))
        merge_data(target.data, other.data)
        target.flag.has_run |= not target.path and flow.run_data.keys() <= other.data.keys()
        target.complete = target.complete and other.complete
    elif not isinstance(other, Constant):
        target.complete = False


def _update(flow: Flow, node: ast.Call, arguments: list[Value], keywords: Keywords, frame: Frame) -> None:
    if len(arguments) < 2 or not isinstance(arguments[0], Node):
        return
    target, key = arguments[0], arguments[1]
    if not isinstance(key, Constant) or not isinstance(key.value, str):
        target.complete = False
        return
    *parents, last = key.value.split(".")
    data = target.data
    for part in parents:
        inner = data.get(part)
        if not isinstance(inner, dict):
            inner = data[part] = {}
        data = inner
    forced = keywords.get("force_add")
    if last not in data and target.flag.struct and not (isinstance(forced, Constant) and forced.value):
        flow.event("struct-assign", node, frame, key.value)
    value = arguments[2] if len(arguments) > 2 else UNKNOWN
    data[last] = value.value if isinstance(value, Constant) else UNKNOWN
