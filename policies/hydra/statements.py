"""The rules for statements: assignments, branches, loops, handlers."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from policies.hydra.expressions import Expressions, last_name
from policies.hydra.loops import Loop, measure
from policies.hydra.machine import Exit, Frame, Leave, Return
from policies.hydra.search import parts_of, spec_in, spread
from policies.hydra.trace import Refusal
from policies.hydra.truth import comes_true, matches, truth
from policies.hydra.values import UNKNOWN, Class, Constant, Function, Instance, Node, Value

CATCHES_MISSING = {"Exception", "BaseException", "AttributeError", "KeyError", "ConfigAttributeError"}
CATCHES_MISSING |= {"ConfigKeyError", "OmegaConfBaseException", "MissingMandatoryValue"}


class Statements(Expressions):
    """Every `do_X` interprets one kind of statement."""

    def block(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        """Interpret statements in order."""
        for statement in body:
            self.tick()
            handler = getattr(self, f"do_{type(statement).__name__}", None)
            if handler is not None:
                handler(statement, frame)
            else:
                self.visit_children(statement, frame)

    def do_Return(self, node: ast.Return, frame: Frame) -> None:  # named after the AST class
        raise Return(self.value(node.value, frame) if node.value else Constant(None))

    def do_Raise(self, node: ast.Raise, frame: Frame) -> None:
        spec = spec_in(frame)
        if spec and not self.guarded and not self.unsure:
            self.trace.refusals.append(Refusal(frame.module, node.lineno, frame.function, spec))
        raise Exit

    def do_FunctionDef(self, node: ast.FunctionDef, frame: Frame) -> None:
        frame.variables[node.name] = Function(frame.module, node, frame.variables)

    def do_ClassDef(self, node: ast.ClassDef, frame: Frame) -> None:
        frame.variables[node.name] = Class(frame.module, node, frame.variables)

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
        if comes_true(node.test):
            with suppress(Leave):
                self.once(node.body, frame)
            self.maybe(node.orelse, frame)
            return
        for branch in (node.body, node.orelse):
            self.maybe(branch, frame)

    def do_Match(self, node: ast.Match, frame: Frame) -> None:
        value = self.value(node.subject, frame)
        for case in node.cases:
            taken = matches(case.pattern, value)
            if taken is False:
                continue
            for name in captured(case.pattern):
                frame.variables[name] = value if isinstance(case.pattern, ast.MatchAs) else UNKNOWN
            test = truth(self.value(case.guard, frame)) if case.guard else True
            if taken and test:
                self.block(case.body, frame)
                return
            if test is not False:
                self.maybe(case.body, frame)

    def do_For(self, node: ast.For, frame: Frame) -> None:
        loop = self.measured(node, frame)
        parts = parts_of(self.value(node.iter, frame), self.trace)
        self.rounds.append(loop.rounds if loop and loop.rounds is not None else 1)
        for part in [UNKNOWN] if parts is None else parts:
            self.assign(node.target, part, frame)
            if self.round(node.body, frame):
                break
        self.rounds.pop()
        self.once(node.orelse, frame)

    def measured(self, node: ast.For | ast.While, frame: Frame) -> Loop | None:
        """Count the rounds of a loop in a trial; note one that is surely reached."""
        if not self.trial:
            return None
        with self.guard(True):
            found = measure(frame.module, node, frame.function, partial(self.value, frame=frame), self.rounds)
        if found is not None and not self.unsure and not self.guarded and found not in self.trace.loops:
            self.trace.loops.append(found)
        return found

    def do_While(self, node: ast.While, frame: Frame) -> None:
        self.measured(node, frame)
        test = self.value(node.test, frame)
        if not (isinstance(test, Constant) and not test.value):
            self.round(node.body, frame)

    def do_Continue(self, node: ast.Continue, frame: Frame) -> None:
        raise Leave(ends=False)

    def do_Break(self, node: ast.Break, frame: Frame) -> None:
        raise Leave(ends=True)

    def round(self, body: Sequence[ast.stmt], frame: Frame) -> bool:
        """One round of a loop; whether it surely is the last."""
        try:
            self.once(body, frame)
        except Leave as leave:
            return leave.ends
        return False

    def do_With(self, node: ast.With, frame: Frame) -> None:
        opened: list[Node] = []
        for item in node.items:
            target = item.context_expr
            value = self.value(target, frame)
            if isinstance(target, ast.Call) and last_name(target.func) == "open_dict" and target.args:
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

    def assign(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Bind a value to a name, a config path or a pattern."""
        if isinstance(target, ast.Name):
            frame.variables[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = parts_of(value, None)
            for inner, part in zip(target.elts, spread(target.elts, parts), strict=True):
                self.assign(inner.value if isinstance(inner, ast.Starred) else inner, part, frame)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self.assign_into(target, value, frame)

    def assign_into(self, target: ast.Attribute | ast.Subscript, value: Value, frame: Frame) -> None:
        """`cfg.a.b = value` and `cfg["a"] = value`."""
        owner, key = self.value(target.value, frame), self.key_of(target, frame)
        if isinstance(owner, Instance) and key is not None:
            owner.attributes[key] = value
        if not isinstance(owner, Node):
            return
        if key is None:
            owner.complete = False
            return
        self.store(owner, key, value, target, frame)


def captured(pattern: ast.pattern) -> list[str]:
    """The names that a `case` binds."""
    kinds = ast.MatchAs | ast.MatchStar
    found = [n.name for n in ast.walk(pattern) if isinstance(n, kinds) and n.name]
    return found + [n.rest for n in ast.walk(pattern) if isinstance(n, ast.MatchMapping) and n.rest]


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(kind) in CATCHES_MISSING for kind in kinds)
