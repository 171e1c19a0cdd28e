"""The rules for expressions: reads of config keys, comparisons, calls, f-strings."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from policies.first_party import is_own, lookup
from policies.hydra.calls import call_constant, call_node_method, call_omegaconf
from policies.hydra.machine import Frame, Machine
from policies.hydra.names import dotted_name, local_names, member, origin
from policies.hydra.objects import attribute_of, construct, super_of
from policies.hydra.overrides import OVERRIDE
from policies.hydra.search import best_values, parts_of, searched
from policies.hydra.truth import comes_true, compare, plain, truth
from policies.hydra.values import (
    LOADERS,
    NODE_METHODS,
    UNKNOWN,
    Bound,
    Class,
    Constant,
    Flag,
    Function,
    Instance,
    Load,
    Many,
    Method,
    Node,
    Opaque,
    Partial,
    Super,
    Trial,
    Value,
)

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
SAME_PARTS = frozenset({"list", "tuple", "sorted", "tqdm", "dict"})
DUMPS = frozenset(
    {"print", "init", "update", "log", "save", "to_yaml", "dump", "dumps", "info", "debug", "warning"}
    | {"pformat", "pprint", "str", "repr", "len", "isinstance", "type", "id", "bool", "vars", "hasattr"}
    | {"save_hyperparameters", "log_hyperparams", "log_params", "is_config"}
)
"""Calls that show or store a config, or only look at it as a whole: its keys have no effect through them."""
LIMITS = frozenset({"select", "take", "head", "shard", "Subset", "islice"})
"""Calls that keep a part of a data set."""
CALLERS = frozenset({"optimize", "map"})
"""Methods of libraries that surely call the function they are given."""


class Expressions(Machine):
    """Every `of_X` gives the abstract value of one kind of expression."""

    def value(self, node: ast.expr, frame: Frame) -> Value:
        """The abstract value of an expression; records what goes wrong on the way."""
        handler = getattr(self, f"of_{type(node).__name__}", None)
        if handler is not None:
            result: Value = handler(node, frame)
            return result
        self.visit_children(node, frame)
        return UNKNOWN

    def of_Constant(self, node: ast.Constant, frame: Frame) -> Value:
        if isinstance(node.value, str):
            self.passed(node, node.value, known=True)
        return Constant(node.value)

    def passed(self, node: ast.expr, text: str, *, known: bool) -> None:
        """Note an override such as `training.epochs=1`, with its value when all of the text is known."""
        match = OVERRIDE.match(text)
        if match is not None:
            value = text[match.end() :] if known and not self.unsure else None
            self.trace.passed[node.lineno, match["key"]] = value

    def of_Name(self, node: ast.Name, frame: Frame) -> Value:
        if node.id in frame.variables:
            return frame.variables[node.id]
        return local_names(self.subject, frame.module).get(node.id, UNKNOWN)

    def of_Lambda(self, node: ast.Lambda, frame: Frame) -> Value:
        return Function(frame.module, node, frame.variables)

    def of_Attribute(self, node: ast.Attribute, frame: Frame) -> Value:
        owner = self.value(node.value, frame)
        if isinstance(owner, Node) and node.attr in NODE_METHODS and node.attr not in owner.data:
            return Method(owner, node.attr)
        if isinstance(owner, Instance | Super):
            return attribute_of(self, owner, node.attr)
        if isinstance(owner, Opaque):
            return best_values(self, node) or self.imported(node, frame) or UNKNOWN
        return self.read(owner, node.attr, node, frame)

    def imported(self, node: ast.Attribute, frame: Frame) -> Value | None:
        """What `module.name` means, for a module of the bundle that was imported whole."""
        root = dotted_name(node.value).partition(".")[0]
        return None if not root or root in frame.variables else member(self.subject, frame.module, node)

    def of_Subscript(self, node: ast.Subscript, frame: Frame) -> Value:
        owner, key = self.value(node.value, frame), self.key_of(node, frame)
        if isinstance(owner, Constant):
            return self.part(owner, node.slice, frame)
        if key is None and isinstance(owner, Node) and isinstance(node.ctx, ast.Load):
            self.trace.use(owner)
        return self.read(owner, key, node, frame) if key is not None else UNKNOWN

    def part(self, owner: Constant, index: ast.expr, frame: Frame) -> Value:
        """`text.split(".")[-1]`, `parts[:-1]` and their kind."""
        bounds = [index.lower, index.upper, index.step] if isinstance(index, ast.Slice) else [index]
        values = [Constant(None) if b is None else self.value(b, frame) for b in bounds]
        numbers = [v.value for v in values if isinstance(v, Constant)]
        if len(numbers) != len(bounds):
            return UNKNOWN
        try:
            return Constant(owner.value[slice(*numbers) if isinstance(index, ast.Slice) else numbers[0]])
        except (TypeError, LookupError, ValueError):
            return UNKNOWN

    def read(self, owner: Value, key: str, node: ast.expr, frame: Frame) -> Value:
        """`owner.key`; a key that is surely missing is an event."""
        if isinstance(owner, Node):
            self.trace.read(owner, key)
            self.trace.seen.add(node)
            if key in owner.data:
                return owner.child(key)
            if owner.complete and owner.origin != "loose" and not key.startswith("_"):
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
        unknown, doubt = False, 0
        for part in node.values:
            result = self.value(part, frame)
            outcome = truth(result)
            if outcome is None:
                unknown = True
                doubt += not comes_true(part)
                self.unsure += not comes_true(part)
            elif outcome is not is_and:
                self.unsure -= doubt
                return UNKNOWN if unknown and not isinstance(result, Constant) else result
        self.unsure -= doubt
        return UNKNOWN if unknown else result

    def of_UnaryOp(self, node: ast.UnaryOp, frame: Frame) -> Value:
        outcome = truth(self.value(node.operand, frame))
        if isinstance(node.op, ast.Not) and outcome is not None:
            return Constant(not outcome)
        plain = node.operand.value if isinstance(node.operand, ast.Constant) else None
        return (
            Constant(-plain) if isinstance(node.op, ast.USub) and isinstance(plain, int | float) else UNKNOWN
        )

    def of_IfExp(self, node: ast.IfExp, frame: Frame) -> Value:
        outcome = truth(self.value(node.test, frame))
        if outcome is not None:
            return self.value(node.body if outcome else node.orelse, frame)
        with self.guard(True):
            self.value(node.body, frame)
            self.value(node.orelse, frame)
        return UNKNOWN

    def of_Compare(self, node: ast.Compare, frame: Frame) -> Value:
        left = self.value(node.left, frame)
        rights = [self.value(c, frame) for c in node.comparators]
        if len(rights) != 1:
            return UNKNOWN
        return compare(left, node.ops[0], rights[0])

    def of_Tuple(self, node: ast.Tuple | ast.List | ast.Set, frame: Frame) -> Value:
        parts = [self.value(e, frame) for e in node.elts]
        if parts and all(isinstance(p, Constant) for p in parts):
            return Constant(tuple(p.value for p in parts if isinstance(p, Constant)))
        return UNKNOWN if any(isinstance(e, ast.Starred) for e in node.elts) else Many(tuple(parts))

    of_List = of_Tuple
    of_Set = of_Tuple

    def of_Dict(self, node: ast.Dict, frame: Frame) -> Value:
        values = [self.value(v, frame) for v in node.values]
        for key, value in zip(node.keys, values, strict=True):
            if key is None:
                self.trace.use(value)
        data: dict[str, Any] = {}
        for key, value in zip(node.keys, values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                return UNKNOWN
            data[key.value] = plain(value)
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
        first = node.values[0] if node.values else None
        if isinstance(first, ast.Constant):
            self.passed(node, text if text is not None else str(first.value), known=text is not None)
        if text is not None:
            return Constant(text)
        return Opaque(run_file=from_run)

    def of_BinOp(self, node: ast.BinOp, frame: Frame) -> Value:
        sides = self.value(node.left, frame), self.value(node.right, frame)
        texts = [s.value for s in sides if isinstance(s, Constant) and isinstance(s.value, str)]
        if isinstance(node.op, ast.Add) and len(texts) == len(sides):
            return Constant("".join(texts))
        return Opaque(run_file=self.run_id in texts or any(self.names_run_file(s) for s in sides))

    def of_Call(self, node: ast.Call, frame: Frame) -> Value:
        computed = super_of(node, frame) or call_constant(self, node, frame)
        if computed is not None:
            return computed
        target = self.value(node.func, frame)
        arguments = [self.value(a, frame) for a in node.args]
        keywords = {k.arg: self.value(k.value, frame) for k in node.keywords}
        self.trace.use(keywords.get(None, UNKNOWN))
        if last_name(node.func) in LOADERS:
            certain = not self.guarded and not self.unsure
            self.loads.append(Load(frame.module, node, self.run_id, tuple(arguments), keywords, certain))
        if isinstance(target, Method):
            return call_node_method(self, target, node, arguments, frame)
        if isinstance(target, Function | Bound):
            return self.call(target, arguments, keywords)
        if isinstance(target, Partial):
            together = [*target.arguments, *arguments], {**target.keywords, **keywords}
            return self.call(target.function, *together)
        if isinstance(target, Class | Instance):
            return construct(self, target, arguments, keywords)
        known = searched(self, node, arguments, keywords, frame) or call_omegaconf(
            self, node, arguments, keywords, frame
        )
        if known is not None:
            return known
        if last_name(node.func) == "partial" and arguments and isinstance(arguments[0], Function | Bound):
            return Partial(arguments[0], tuple(arguments[1:]), keywords)
        return self.outside(node, [*arguments, *keywords.values()], frame)

    def lost(self, function: ast.expr, frame: Frame) -> bool:
        """Whether a call names code of the bundle that is not there, and so uses nothing."""
        name = origin(frame.module, function)
        if not is_own(self.subject, name):
            return False
        found = lookup(self.subject, name.rpartition(".")[0])
        return found.module is None or found.module.tree is not None

    def outside(self, node: ast.Call, arguments: list[Value], frame: Frame) -> Value:
        """A call into a library: it may call the functions and use the sections that it is handed."""
        name = last_name(node.func)
        self.trace.limited |= name in LIMITS
        if name == "map" and not (self.trace.limited or self.unsure or self.guarded):
            self.trace.maps.append((frame.module, node))
        with self.guard(name not in CALLERS):
            for value in arguments:
                if isinstance(value, Function | Bound):
                    self.call(value, [Trial()] if name == "optimize" else [], {})
                elif isinstance(value, Partial):
                    self.call(value.function, list(value.arguments), value.keywords)
        held = [value for value in arguments if isinstance(value, Node)]
        for value in held if held and name not in DUMPS and not self.lost(node.func, frame) else ():
            self.trace.use(value)
        if name in SAME_PARTS and arguments and isinstance(arguments[0], Many | Node):
            return arguments[0]
        return Opaque(run_file=any(self.names_run_file(v) for v in arguments))

    def of_ListComp(self, node: Comprehension, frame: Frame) -> Value:
        """A comprehension is followed like a loop; only a dictionary of known keys gives a known value."""
        inner = replace(frame, variables=dict(frame.variables))
        return self.gather(node, list(node.generators), inner, {}) or UNKNOWN

    of_SetComp = of_ListComp
    of_GeneratorExp = of_ListComp
    of_DictComp = of_ListComp

    def gather(
        self, node: Comprehension, loops: list[ast.comprehension], frame: Frame, data: dict[str, Any]
    ) -> Value | None:
        """Run the comprehension's loops; for a dictionary, what they make."""
        if not loops:
            return self.element(node, frame, data)
        first, *rest = loops
        parts = parts_of(self.value(first.iter, frame), self.trace)
        made: Value | None = None
        for part in [UNKNOWN] if parts is None else parts:
            self.tick()
            self.assign(first.target, part, frame)
            tests = [truth(self.value(test, frame)) for test in first.ifs]
            if False in tests:
                continue
            self.unsure += None in tests
            made = self.gather(node, rest, frame, data)
            self.unsure -= None in tests
        return made if parts is not None and len(loops) == 1 else None

    def element(self, node: Comprehension, frame: Frame, data: dict[str, Any]) -> Value | None:
        """Evaluate the element of a comprehension once; the dictionary so far, when its keys are known."""
        if not isinstance(node, ast.DictComp):
            self.value(node.elt, frame)
            return None
        key, value = self.value(node.key, frame), self.value(node.value, frame)
        if not isinstance(key, Constant) or not isinstance(key.value, str):
            return None
        data[key.value] = plain(value)
        return Node(data, Flag(False), origin="loose")

    def key_of(self, node: ast.Attribute | ast.Subscript, frame: Frame) -> str | None:
        """The key an access names, when it is a literal."""
        if isinstance(node, ast.Attribute):
            return node.attr
        key = self.value(node.slice, frame)
        return key.value if isinstance(key, Constant) and isinstance(key.value, str) else None


def last_name(node: ast.expr) -> str:
    """The name at the end of an attribute chain; empty when there is none."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
