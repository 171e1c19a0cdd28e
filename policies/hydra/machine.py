"""The state of one interpretation: events found so far, doubt about the present branch, frames."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.hydra.trace import Sample, Trace, joined
from policies.hydra.truth import plain
from policies.hydra.values import MADE, Bound, Constant, Function, Load, Node, Opaque, Sampled, Value
from policies.parsed import Module, ParsedBundle
from policies.tree import children

EventKind = Literal[
    "struct-merge", "struct-assign", "missing-key", "may-miss-key", "not-a-node", "node-as-text"
]
MAX_STEPS = 20_000


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


class Return(Exception):  # control flow of the interpreted program, not an error
    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Leave(Exception):  # the interpreted program certainly leaves this round of a loop
    """`ends` is True for `break`, False for `continue`."""

    def __init__(self, *, ends: bool) -> None:
        super().__init__()
        self.ends = ends


class Exit(Exception):  # the interpreted program certainly raises or exits here
    """Ends the interpretation of a branch."""


@dataclass
class Frame:
    """One call: its module, its variables, the function's name, and the object it is a method of."""

    module: Module
    variables: dict[str, Value]
    function: str
    method: Bound | None = None
    """The method that is running, with its object; None in a plain function."""
    left: int = 0
    """Branches that may have run and that would have returned: what follows them is in doubt."""


@dataclass
class Machine:
    """What every part of the interpreter shares; the parts below it add the rules for Python's syntax."""

    subject: ParsedBundle
    run_id: str
    trial: bool
    run_data: dict[str, Any]
    """The run config of `run_id`, as plain data."""
    events: list[Event] = field(default_factory=list)
    seen: set[Event] = field(default_factory=set)
    loads: list[Load] = field(default_factory=list)
    depth: int = 0
    steps: int = 0
    guarded: int = 0
    """Handlers around that would catch an error."""
    unsure: int = 0
    """Branches around that may not run at all."""
    active: list[ast.AST] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    """Rounds of the counted loops around the present statement."""
    trace: Trace = field(default_factory=Trace)

    def event(
        self, kind: EventKind, node: ast.AST, frame: Frame, path: str, detail: str = "", has_run: bool = False
    ) -> None:
        """Record something, unless an enclosing handler catches it."""
        if self.unsure and kind == "missing-key":
            kind = "may-miss-key"
        if self.guarded or (self.unsure and kind == "not-a-node"):
            return
        line = getattr(node, "lineno", 0)
        context = (self.run_id, self.trial, frame.function, detail, _root(frame), has_run)
        found = Event(kind, frame.module, line, path, *context)
        if found not in self.seen:
            self.seen.add(found)
            self.events.append(found)

    @contextmanager
    def guard(self, on: bool) -> Iterator[None]:
        """Silence events while a handler would catch what they stand for."""
        self.guarded += on
        try:
            yield
        finally:
            self.guarded -= on

    def tick(self) -> None:
        """Count a statement or an element; too many end the interpretation of the branch."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Exit

    def maybe(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        """A branch that may or may not run: whatever ends it does not end what follows."""
        self.unsure += 1
        try:
            self.block(body, frame)
        except Return:
            frame.left += 1
            self.unsure += 1
        except (Exit, Leave):
            return
        finally:
            self.unsure -= 1

    def once(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        """A body that runs: loops are taken to have work, and are followed once."""
        try:
            self.block(body, frame)
        except (Return, Exit):
            return

    def block(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        """Interpret statements in order."""
        raise NotImplementedError

    def value(self, node: ast.expr, frame: Frame) -> Value:
        """The abstract value of an expression; records what goes wrong on the way."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Bind a value to a name, a config path or a pattern."""
        raise NotImplementedError

    def call(
        self, target: Function | Bound, arguments: list[Value], keywords: dict[str | None, Value]
    ) -> Value:
        """Interpret one of the bundle's own functions."""
        raise NotImplementedError

    def store(self, owner: Node, dotted: str, value: Value, node: ast.AST, frame: Frame) -> None:
        """Write a value below a config node; a key that struct mode refuses is an event."""
        *parents, last = dotted.split(".")
        inner: Any = owner.data
        for part in parents:
            inner = inner.get(part) if isinstance(inner, dict) else None
        exists = isinstance(inner, dict) and last in inner
        if isinstance(value, Sampled) and owner.origin not in MADE:
            place = (frame.module, getattr(node, "lineno", 0), frame.function)
            self.trace.samples.append(Sample(*place, value.name, joined(owner, dotted), exists))
        elif not exists and owner.flag.struct and owner.complete:
            self.event("struct-assign", node, frame, f"{owner.path}.{dotted}" if owner.path else dotted)
        data = owner.data
        for part in parents:
            if not isinstance(data.get(part), dict):
                data[part] = {}
            data = data[part]
        data[last] = plain(value)

    def names_run_file(self, value: Value) -> bool:
        """Whether a path value ends in this run's YAML file."""
        if isinstance(value, Opaque):
            return value.run_file
        return isinstance(value, Constant) and str(value.value).endswith(f"{self.run_id}.yaml")

    def visit_children(self, node: ast.AST, frame: Frame) -> None:
        """Evaluate the expressions of a node that has no rule of its own."""
        for child in children(node):
            if isinstance(child, ast.expr):
                self.value(child, frame)


def _root(frame: Frame) -> str:
    names = (
        n for n, v in frame.variables.items() if isinstance(v, Node) and not v.path and v.origin == "config"
    )
    return next(names, "")
