"""Follows the config through the code of one entry point, for one run id and mode.

A small abstract interpreter: it knows what is in the config, whether struct mode is on, and follows calls
into the bundle's own functions. Where it cannot know, it stays silent. Errors are events, in execution order.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.hydra.calls import call_constant, call_node_method, call_omegaconf
from policies.hydra.entry import Entry
from policies.hydra.names import dotted_name, local_functions
from policies.hydra.values import (
    LOADERS,
    NODE_METHODS,
    UNKNOWN,
    Constant,
    Flag,
    Function,
    Load,
    Method,
    Node,
    Opaque,
    Value,
)
from policies.parsed import Module, ParsedBundle

EventKind = Literal["struct-merge", "struct-assign", "missing-key", "not-a-node", "node-as-text"]
MAX_DEPTH = 8
MAX_STEPS = 60_000

CATCHES_MISSING = {"Exception", "BaseException", "AttributeError", "KeyError", "ConfigAttributeError"}
CATCHES_MISSING |= {"ConfigKeyError", "OmegaConfBaseException", "MissingMandatoryValue"}


@dataclass(frozen=True)
class Event:
    """Something that goes wrong, or that a fix needs to know."""

    kind: EventKind
    module: Module
    line: int
    path: str
    """Dotted config path concerned."""
    run_id: str
    trial: bool
    function: str
    detail: str = ""
    root: str = ""
    """A variable in scope that holds the whole config; empty when there is none."""
    has_run: bool = False
    """For a missing key: whether the run config had been merged into the config that was read."""


class _Return(Exception):  # control flow of the interpreted program, not an error
    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class _Exit(Exception):  # the interpreted program certainly raises or exits here
    """Ends the interpretation of a branch."""


@dataclass
class Frame:
    """One call: its module, its variables, the function's name."""

    module: Module
    variables: dict[str, Value]
    function: str


@dataclass
class Flow:
    """One interpretation. `events` holds the outcome after `run`."""

    subject: ParsedBundle
    run_id: str
    trial: bool
    run_data: dict[str, Any]
    """The run config of `run_id`, as plain data."""
    events: list[Event] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    depth: int = 0
    steps: int = 0
    guarded: int = 0
    """Handlers around that would catch an error."""
    unsure: int = 0
    """Branches around that may not run at all."""
    active: list[ast.AST] = field(default_factory=list)

    def run(self, entry: Entry, data: dict[str, Any]) -> None:
        """Interpret the entry function on a freshly composed config in struct mode."""
        frame = Frame(entry.module, {}, entry.function.name)
        if entry.parameter:
            frame.variables[entry.parameter] = Node(copy.deepcopy(data), Flag(True))
        try:
            self.block(entry.function.body, frame)
        except (_Return, _Exit):
            return

    def event(
        self, kind: EventKind, node: ast.AST, frame: Frame, path: str, detail: str = "", has_run: bool = False
    ) -> None:
        """Record something, unless an enclosing handler catches it."""
        doubtful = self.unsure and kind in ("missing-key", "not-a-node")
        if not self.guarded and not doubtful:
            line = getattr(node, "lineno", 0)
            found = Event(
                kind,
                frame.module,
                line,
                path,
                self.run_id,
                self.trial,
                frame.function,
                detail,
                _root(frame),
                has_run,
            )
            if found not in self.events:
                self.events.append(found)

    # statements

    def block(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        """Interpret statements in order."""
        for statement in body:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise _Exit
            handler = getattr(self, f"do_{type(statement).__name__}", None)
            if handler is not None:
                handler(statement, frame)
            else:
                self.visit_children(statement, frame)

    def visit_children(self, node: ast.AST, frame: Frame) -> None:
        """Evaluate the expressions of a statement that has no rule of its own."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child, frame)

    def do_Return(self, node: ast.Return, frame: Frame) -> None:  # named after the AST class
        raise _Return(self.value(node.value, frame) if node.value else Constant(None))

    def do_Raise(self, node: ast.Raise, frame: Frame) -> None:
        raise _Exit

    def do_FunctionDef(self, node: ast.FunctionDef, frame: Frame) -> None:
        frame.variables[node.name] = Function(frame.module, node, frame.variables)

    def do_ClassDef(self, node: ast.ClassDef, frame: Frame) -> None:
        frame.variables[node.name] = UNKNOWN

    def do_Assign(self, node: ast.Assign, frame: Frame) -> None:
        value = self.value(node.value, frame)
        for target in node.targets:
            self.assign(target, value, frame)

    def do_AnnAssign(self, node: ast.AnnAssign, frame: Frame) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value, frame), frame)

    def do_AugAssign(self, node: ast.AugAssign, frame: Frame) -> None:
        self.value(node.value, frame)
        load = copy.copy(node.target)
        load.ctx = ast.Load()
        self.value(load, frame)
        if isinstance(node.target, ast.Name):
            frame.variables[node.target.id] = UNKNOWN

    def do_If(self, node: ast.If, frame: Frame) -> None:
        test = self.value(node.test, frame)
        if isinstance(test, Constant):
            self.block(node.body if test.value else node.orelse, frame)
            return
        for branch in (node.body, node.orelse):
            self.maybe(branch, frame)

    def maybe(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        """A branch that may or may not run: whatever ends it does not end what follows."""
        self.unsure += 1
        try:
            self.block(body, frame)
        except (_Return, _Exit):
            return
        finally:
            self.unsure -= 1

    def do_For(self, node: ast.For, frame: Frame) -> None:
        self.value(node.iter, frame)
        self.assign(node.target, UNKNOWN, frame)
        self.once([*node.body, *node.orelse], frame)

    def do_While(self, node: ast.While, frame: Frame) -> None:
        test = self.value(node.test, frame)
        if not (isinstance(test, Constant) and not test.value):
            self.once(node.body, frame)

    def once(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        """A body that runs: loops are taken to have work, and are followed once."""
        try:
            self.block(body, frame)
        except (_Return, _Exit):
            return

    def do_With(self, node: ast.With, frame: Frame) -> None:
        opened: list[Node] = []
        for item in node.items:
            target = item.context_expr
            value = self.value(target, frame)
            if isinstance(target, ast.Call) and _last(target.func) == "open_dict" and target.args:
                node_value = self.value(target.args[0], frame)
                opened += [node_value] if isinstance(node_value, Node) else []
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, frame)
        before = [n.flag.struct for n in opened]
        for inner in opened:
            inner.flag.struct = False
        try:
            self.block(node.body, frame)
        finally:
            for inner, struct in zip(opened, before, strict=True):
                inner.flag.struct = struct

    def do_Try(self, node: ast.Try, frame: Frame) -> None:
        with self.guard(any(_catches(h) for h in node.handlers)):
            self.once(node.body, frame) if node.handlers else self.block(node.body, frame)
        for handler in node.handlers:
            with self.guard(True):
                self.maybe(handler.body, frame)
        self.block([*node.orelse, *node.finalbody], frame)

    @contextmanager
    def guard(self, on: bool) -> Iterator[None]:
        """Silence events while a handler would catch what they stand for."""
        self.guarded += on
        try:
            yield
        finally:
            self.guarded -= on

    # assignment

    def assign(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Bind a value to a name, a config path or a pattern."""
        if isinstance(target, ast.Name):
            frame.variables[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            for inner in target.elts:
                self.assign(inner, UNKNOWN, frame)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self.assign_into(target, value, frame)

    def assign_into(self, target: ast.Attribute | ast.Subscript, value: Value, frame: Frame) -> None:
        """`cfg.a.b = value` and `cfg["a"] = value`."""
        owner, key = self.value(target.value, frame), self.key_of(target, frame)
        if not isinstance(owner, Node):
            return
        if key is None:
            owner.complete = False
            return
        if key not in owner.data and owner.flag.struct and owner.complete:
            path = f"{owner.path}.{key}" if owner.path else key
            self.event("struct-assign", target, frame, path)
        owner.data[key] = _plain(value)

    def key_of(self, node: ast.Attribute | ast.Subscript, frame: Frame) -> str | None:
        """The key an access names, when it is a literal."""
        if isinstance(node, ast.Attribute):
            return node.attr
        key = self.value(node.slice, frame)
        return key.value if isinstance(key, Constant) and isinstance(key.value, str) else None

    # expressions

    def value(self, node: ast.expr, frame: Frame) -> Value:
        """The abstract value of an expression; records what goes wrong on the way."""
        handler = getattr(self, f"of_{type(node).__name__}", None)
        if handler is not None:
            result: Value = handler(node, frame)
            return result
        self.visit_children(node, frame)
        return UNKNOWN

    def of_Constant(self, node: ast.Constant, frame: Frame) -> Value:
        return Constant(node.value)

    def of_Name(self, node: ast.Name, frame: Frame) -> Value:
        if node.id in frame.variables:
            return frame.variables[node.id]
        return local_functions(self.subject, frame.module).get(node.id, UNKNOWN)

    def of_Lambda(self, node: ast.Lambda, frame: Frame) -> Value:
        return Function(frame.module, node, frame.variables)

    def of_Attribute(self, node: ast.Attribute, frame: Frame) -> Value:
        owner = self.value(node.value, frame)
        if isinstance(owner, Node) and node.attr in NODE_METHODS and node.attr not in owner.data:
            return Method(owner, node.attr)
        return self.read(owner, node.attr, node, frame)

    def of_Subscript(self, node: ast.Subscript, frame: Frame) -> Value:
        owner, key = self.value(node.value, frame), self.key_of(node, frame)
        return self.read(owner, key, node, frame) if key is not None else UNKNOWN

    def read(self, owner: Value, key: str, node: ast.expr, frame: Frame) -> Value:
        """`owner.key`; a key that is surely missing is an event."""
        if isinstance(owner, Node):
            if key in owner.data:
                return owner.child(key)
            if owner.complete and not key.startswith("_"):
                path = f"{owner.path}.{key}" if owner.path else key
                self.event("missing-key", node, frame, path, has_run=owner.flag.has_run)
        elif isinstance(owner, Constant) and isinstance(node, ast.Attribute):
            source = dotted_name(node.value)
            if isinstance(owner.value, str) and source and not hasattr(owner.value, key):
                self.event("not-a-node", node, frame, f"{source}.{key}", repr(owner.value))
        return UNKNOWN

    def of_BoolOp(self, node: ast.BoolOp, frame: Frame) -> Value:
        is_and = isinstance(node.op, ast.And)
        result: Value = UNKNOWN
        unknown = False
        for part in node.values:
            result = self.value(part, frame)
            truth = _truth(result)
            if truth is None:
                unknown = True
            elif truth is not is_and:
                return UNKNOWN if unknown and not isinstance(result, Constant) else result
        return UNKNOWN if unknown else result

    def of_UnaryOp(self, node: ast.UnaryOp, frame: Frame) -> Value:
        truth = _truth(self.value(node.operand, frame))
        if isinstance(node.op, ast.Not) and truth is not None:
            return Constant(not truth)
        return UNKNOWN

    def of_IfExp(self, node: ast.IfExp, frame: Frame) -> Value:
        truth = _truth(self.value(node.test, frame))
        if truth is not None:
            return self.value(node.body if truth else node.orelse, frame)
        with self.guard(True):
            self.value(node.body, frame)
            self.value(node.orelse, frame)
        return UNKNOWN

    def of_Compare(self, node: ast.Compare, frame: Frame) -> Value:
        left = self.value(node.left, frame)
        rights = [self.value(c, frame) for c in node.comparators]
        if len(rights) != 1:
            return UNKNOWN
        return _compare(left, node.ops[0], rights[0])

    def of_Tuple(self, node: ast.Tuple | ast.List | ast.Set, frame: Frame) -> Value:
        parts = [self.value(e, frame) for e in node.elts]
        if parts and all(isinstance(p, Constant) for p in parts):
            return Constant(tuple(p.value for p in parts if isinstance(p, Constant)))
        return UNKNOWN

    of_List = of_Tuple
    of_Set = of_Tuple

    def of_Dict(self, node: ast.Dict, frame: Frame) -> Value:
        values = [self.value(v, frame) for v in node.values]
        data: dict[str, Any] = {}
        for key, value in zip(node.keys, values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                return UNKNOWN
            data[key.value] = _plain(value)
        return Node(data, Flag(False), origin="made")

    def of_JoinedStr(self, node: ast.JoinedStr, frame: Frame) -> Value:
        text: str | None = ""
        from_run = False
        for part in node.values:
            if isinstance(part, ast.Constant):
                text = None if text is None else text + str(part.value)
                continue
            assert isinstance(part, ast.FormattedValue)
            inner = self.value(part.value, frame)
            if (
                isinstance(inner, Node)
                and inner.origin == "config"
                and inner.path
                and dotted_name(part.value)
            ):
                self.event("node-as-text", part, frame, inner.path)
            from_run |= isinstance(inner, Constant) and inner.value == self.run_id
            known = isinstance(inner, Constant) and text is not None
            text = f"{text}{inner.value}" if known and isinstance(inner, Constant) else None
        if text is not None:
            return Constant(text)
        return Opaque(run_file=from_run)

    def of_BinOp(self, node: ast.BinOp, frame: Frame) -> Value:
        sides = self.value(node.left, frame), self.value(node.right, frame)
        return Opaque(run_file=any(self.names_run_file(s) for s in sides))

    def names_run_file(self, value: Value) -> bool:
        """Whether a path value ends in this run's YAML file."""
        if isinstance(value, Opaque):
            return value.run_file
        return isinstance(value, Constant) and str(value.value).endswith(f"{self.run_id}.yaml")

    def of_Call(self, node: ast.Call, frame: Frame) -> Value:
        plain = call_constant(self, node, frame)
        if plain is not None:
            return plain
        target = self.value(node.func, frame)
        arguments = [self.value(a, frame) for a in node.args]
        keywords = {k.arg: self.value(k.value, frame) for k in node.keywords}
        if _last(node.func) in LOADERS:
            certain = not self.guarded and not self.unsure
            self.loads.append(Load(frame.module, node, self.run_id, tuple(arguments), keywords, certain))
        if isinstance(target, Method):
            return call_node_method(self, target, node, arguments, frame)
        if isinstance(target, Function):
            return self.call(target, arguments, keywords)
        known = call_omegaconf(self, node, arguments, keywords, frame)
        if known is not None:
            return known
        for value in (*arguments, *keywords.values()):
            if isinstance(value, Function):
                with self.guard(True):
                    self.call(value, [], {})
        return Opaque(run_file=any(self.names_run_file(v) for v in arguments))

    def defaults(self, args: ast.arguments, frame: Frame) -> dict[str, Value]:
        """What every parameter holds when the caller gives nothing."""
        names = [a.arg for a in (*args.posonlyargs, *args.args)]
        known = [*names, *(a.arg for a in args.kwonlyargs)]
        given: dict[str, Value] = dict.fromkeys(known, UNKNOWN)
        given |= {extra.arg: UNKNOWN for extra in (args.vararg, args.kwarg) if extra is not None}
        tail = names[len(names) - len(args.defaults) :]
        given |= {n: self.value(d, frame) for n, d in zip(tail, args.defaults, strict=True)}
        pairs = zip(args.kwonlyargs, args.kw_defaults, strict=True)
        return given | {a.arg: self.value(d, frame) for a, d in pairs if d is not None}

    def call(self, target: Function, arguments: list[Value], keywords: dict[str | None, Value]) -> Value:
        """Interpret one of the bundle's own functions."""
        if self.depth >= MAX_DEPTH or target.node in self.active:
            return UNKNOWN
        frame = Frame(target.module, dict(target.closure), getattr(target.node, "name", "<lambda>"))
        frame.variables |= self.defaults(target.node.args, frame)
        frame.variables |= _bind(target.node.args, arguments, keywords)
        self.depth += 1
        self.active.append(target.node)
        try:
            if isinstance(target.node, ast.Lambda):
                return self.value(target.node.body, frame)
            self.block(target.node.body, frame)
        except _Return as returned:
            return returned.value
        finally:
            self.depth -= 1
            self.active.pop()
        return UNKNOWN


def _bind(args: ast.arguments, values: list[Value], keywords: dict[str | None, Value]) -> dict[str, Value]:
    names = [a.arg for a in (*args.posonlyargs, *args.args)]
    known = {*names, *(a.arg for a in args.kwonlyargs)}
    bound: dict[str, Value] = dict(zip(names, values, strict=False))
    return bound | {k: v for k, v in keywords.items() if k in known}


def _root(frame: Frame) -> str:
    names = (
        n for n, v in frame.variables.items() if isinstance(v, Node) and not v.path and v.origin == "config"
    )
    return next(names, "")


def _plain(value: Value) -> Any:
    """What is stored under a key: plain data where it is known, the abstract value otherwise."""
    if isinstance(value, Node):
        return value.data if value.complete else UNKNOWN
    return value.value if isinstance(value, Constant) else UNKNOWN


def _truth(value: Value) -> bool | None:
    if isinstance(value, Constant):
        return bool(value.value)
    if isinstance(value, Node) and value.complete:
        return bool(value.data)
    return None


def _compare(left: Value, op: ast.cmpop, right: Value) -> Value:
    if isinstance(op, ast.In | ast.NotIn) and isinstance(right, Node) and isinstance(left, Constant):
        if not right.complete and left.value not in right.data:
            return UNKNOWN
        return Constant((left.value in right.data) is isinstance(op, ast.In))
    if isinstance(op, ast.Is | ast.IsNot) and isinstance(left, Node) and isinstance(right, Constant):
        return Constant(isinstance(op, ast.IsNot))
    if not (isinstance(left, Constant) and isinstance(right, Constant)):
        return UNKNOWN
    try:
        return Constant(_COMPARE[type(op)](left.value, right.value))
    except (TypeError, KeyError):
        return UNKNOWN


_COMPARE: dict[type[ast.cmpop], Any] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
}


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(_last(kind) in CATCHES_MISSING for kind in kinds)
