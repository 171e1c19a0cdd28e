"""The state of one interpretation: events found so far, doubt about the present branch, frames."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.hydra.values import Bound, Constant, Function, Load, Node, Opaque, Value
from policies.parsed import Module, ParsedBundle

EventKind = Literal[
    "struct-merge", "struct-assign", "missing-key", "may-miss-key", "not-a-node", "node-as-text"
]
MAX_STEPS = 60_000


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
    loads: list[Load] = field(default_factory=list)
    depth: int = 0
    steps: int = 0
    guarded: int = 0
    """Handlers around that would catch an error."""
    unsure: int = 0
    """Branches around that may not run at all."""
    active: list[ast.AST] = field(default_factory=list)

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
        if found not in self.events:
            self.events.append(found)

    @contextmanager
    def guard(self, on: bool) -> Iterator[None]:
        """Silence events while a handler would catch what they stand for."""
        self.guarded += on
        try:
            yield
        finally:
            self.guarded -= on

    def maybe(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        """A branch that may or may not run: whatever ends it does not end what follows."""
        self.unsure += 1
        try:
            self.block(body, frame)
        except Return:
            frame.left += 1
            self.unsure += 1
        except Exit:
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

    def call(
        self, target: Function | Bound, arguments: list[Value], keywords: dict[str | None, Value]
    ) -> Value:
        """Interpret one of the bundle's own functions."""
        raise NotImplementedError

    def names_run_file(self, value: Value) -> bool:
        """Whether a path value ends in this run's YAML file."""
        if isinstance(value, Opaque):
            return value.run_file
        return isinstance(value, Constant) and str(value.value).endswith(f"{self.run_id}.yaml")

    def visit_children(self, node: ast.AST, frame: Frame) -> None:
        """Evaluate the expressions of a node that has no rule of its own."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child, frame)


def _root(frame: Frame) -> str:
    names = (
        n for n, v in frame.variables.items() if isinstance(v, Node) and not v.path and v.origin == "config"
    )
    return next(names, "")
