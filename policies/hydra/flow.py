"""Follows the config through the code of one entry point, for one run id and mode.

A small abstract interpreter: it knows what is in the config, whether struct mode is on, and follows calls
into the bundle's own functions. Where it cannot know, it stays silent. Errors are events, in execution order.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

from policies.hydra.entry import Entry
from policies.hydra.machine import Event, EventKind, Exit, Frame, Return
from policies.hydra.statements import Statements
from policies.hydra.values import UNKNOWN, Bound, Flag, Function, Node, Value

__all__ = ["Event", "EventKind", "Flow"]
MAX_DEPTH = 8


class Flow(Statements):
    """One interpretation. `events` holds the outcome after `run`."""

    def run(self, entry: Entry, data: dict[str, Any], *, merged: bool = False) -> None:
        """Interpret the entry function on a freshly composed config in struct mode, or on a merged one."""
        frame = Frame(entry.module, {}, entry.function.name)
        if entry.parameter:
            frame.variables[entry.parameter] = Node(copy.deepcopy(data), Flag(not merged, merged))
        try:
            self.block(entry.function.body, frame)
        except (Return, Exit):
            return

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

    def call(
        self, target: Function | Bound, arguments: list[Value], keywords: dict[str | None, Value]
    ) -> Value:
        """Interpret one of the bundle's own functions."""
        bound: Bound | None = None
        if isinstance(target, Bound):
            bound, arguments, target = target, [target.owner, *arguments], target.function
        if self.depth >= MAX_DEPTH or target.node in self.active:
            for value in (*arguments, *keywords.values()):
                self.trace.use(value)
            return UNKNOWN
        frame = Frame(target.module, dict(target.closure), getattr(target.node, "name", "<lambda>"), bound)
        frame.variables |= self.defaults(target.node.args, frame)
        frame.variables |= _bind(target.node.args, arguments, keywords)
        self.depth += 1
        self.active.append(target.node)
        try:
            if isinstance(target.node, ast.Lambda):
                return self.value(target.node.body, frame)
            self.block(target.node.body, frame)
        except Return as returned:
            return returned.value
        finally:
            self.depth -= 1
            self.unsure -= frame.left
            self.active.pop()
        return UNKNOWN


def _bind(args: ast.arguments, values: list[Value], keywords: dict[str | None, Value]) -> dict[str, Value]:
    names = [a.arg for a in (*args.posonlyargs, *args.args)]
    known = {*names, *(a.arg for a in args.kwonlyargs)}
    bound: dict[str, Value] = dict(zip(names, values, strict=False))
    return bound | {k: v for k, v in keywords.items() if k in known}
