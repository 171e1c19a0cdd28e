"""Which expressions of a module hold the history or the summary of a W&B run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from policies.call_sites import argument, callee, calls_by_name, parameters
from policies.gates import Function
from policies.kinds import of_kind
from policies.literal_keys import scope_of
from policies.parsed import Module, ParsedBundle

Kind = Literal["history", "summary"]
Held = tuple[Kind, bool]
"""What it is, and whether it is a collection of such things."""
KEEPS = frozenset(("copy", "dropna", "reset_index", "sort_values", "fillna", "ffill", "bfill", "interpolate"))
KEEPS |= {"head", "tail", "drop_duplicates", "query"}
WRAPPERS = frozenset(("dict", "DataFrame", "deepcopy", "copy"))
MAX_ROUNDS = 6


class RunData:
    """Follows the data from `run.history()` and `run.summary` through names, calls and collections."""

    def __init__(self, subject: ParsedBundle, module: Module) -> None:
        self.subject, self.module = subject, module
        self.flowing = [n for n in module.nodes if isinstance(n, FLOWS)]
        self.mixed: set[tuple[int, str]] = set()
        """Names that hold something else as well: nothing is said of them."""
        for _ in range(MAX_ROUNDS):
            self.names: dict[tuple[int, str], Held] = {}
            self.entries: dict[str, Kind] = {}
            self.returned: dict[str, dict[int | None, Held]] = {}
            self._settle()
            found = {place for place in self.names if self._is_mixed(place)} - self.mixed
            if not found:
                break
            self.mixed |= found

    def _settle(self) -> None:
        """Pass on until nothing new is held."""
        for _ in range(MAX_ROUNDS):
            before = len(self.names) + len(self.entries) + sum(map(len, self.returned.values()))
            for node in self.flowing:
                self._flow(node)
            if len(self.names) + len(self.entries) + sum(map(len, self.returned.values())) == before:
                break

    def _is_mixed(self, place: tuple[int, str]) -> bool:
        """Whether an assignment gives the name something that is not such data."""
        if self.names[place][1]:
            return False
        values = [
            node.value
            for node in self.flowing
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == place[1] for t in node.targets)
            and self._place(node, place[1]) == place
        ]
        return any(self.held(value) is None for value in values)

    def _hold(self, place: tuple[int, str], held: Held) -> None:
        if place not in self.mixed:
            self.names.setdefault(place, held)

    def column_kind(self, node: ast.expr | None) -> Kind | None:
        """What one run's data an expression is, if it is any."""
        held = self.held(node)
        return held[0] if held is not None and not held[1] else None

    def held(self, node: ast.expr | None) -> Held | None:
        """What an expression holds."""
        match node:
            case ast.Name(id=name):
                return self.names.get(self._place(node, name))
            case ast.Attribute(attr="summary" | "_json_dict"):
                return ("summary", False)
            case ast.Call():
                return self._of_call(node)
            case ast.Subscript(value=owner, slice=index):
                return self._of_item(owner, index)
            case ast.IfExp(body=body, orelse=orelse):
                return self.held(body) or self.held(orelse)
            case ast.BoolOp(values=[first, *_]):
                return self.held(first)
            case ast.DictComp(value=value) | ast.ListComp(elt=value):
                inner = self.held(value)
                return (inner[0], True) if inner is not None and not inner[1] else None
        return None

    def _of_call(self, call: ast.Call) -> Held | None:
        match call:
            case ast.Call(func=ast.Attribute(attr="history"), keywords=keywords):
                whole = not any(k.arg in ("keys", "stream") for k in keywords) and not _rows(keywords)
                return ("history", False) if whole else None
            case ast.Call(func=ast.Attribute(value=owner, attr="get" | "pop")):
                inner = self.held(owner)
                return (inner[0], False) if inner is not None and inner[1] else None
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in KEEPS:
                return self.held(owner) or (
                    self.held(call.args[0]) if name in WRAPPERS and call.args else None
                )
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[first], keywords=[]):
                if name in WRAPPERS:
                    return self.held(first)
        return self.returned.get(getattr(call.func, "id", ""), {}).get(None)

    def _of_item(self, owner: ast.expr, index: ast.expr) -> Held | None:
        inner = self.held(owner)
        if inner is not None and inner[1]:
            return (inner[0], False)
        key = index.value if isinstance(index, ast.Constant) else None
        if inner is None and isinstance(key, str) and key in self.entries:
            return (self.entries[key], False)
        return None

    def _place(self, node: ast.AST, name: str) -> tuple[int, str]:
        """A name with the line of the function whose variable it is; 0 for the module."""
        return (getattr(scope_of(self.module, node, name), "lineno", 0), name)

    def _flow(self, node: ast.AST) -> None:
        """Let one statement or call pass on what it holds."""
        match node:
            case ast.Assign(targets=[target], value=value):
                self._assign(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value)
            case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
                self._loop(target, source)
            case ast.Dict(keys=keys, values=values):
                self._entries(keys, values)
            case ast.Return(value=ast.expr() as value):
                self._return(node, value)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as owner, attr="append"), args=[given]):
                if held := self.held(given):
                    self._hold(self._place(owner, name), (held[0], True))
            case ast.Call():
                self._pass_on(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for inner, part in zip(target.elts, value.elts, strict=False):
                self._assign(inner, part)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Call):
            parts = self.returned.get(getattr(value.func, "id", ""), {})
            for place, inner in enumerate(target.elts):
                self._bind(inner, parts.get(place))
        elif isinstance(target, ast.Subscript):
            held = self.held(value)
            if held is not None and not held[1]:
                self._bind(target.value, (held[0], True))
        else:
            self._bind(target, self.held(value))

    def _bind(self, target: ast.expr, held: Held | None) -> None:
        if isinstance(target, ast.Name) and held is not None:
            self._hold(self._place(target, target.id), held)

    def _loop(self, target: ast.expr, source: ast.expr) -> None:
        match source:
            case ast.Call(func=ast.Attribute(value=owner, attr="items")) if isinstance(target, ast.Tuple):
                held, target = self.held(owner), target.elts[-1]
            case ast.Call(func=ast.Attribute(value=owner, attr="values")):
                held = self.held(owner)
            case _:
                held = self.held(source)
                held = None if isinstance(source, ast.Name) and self._is_dict(source) else held
        if held is not None and held[1]:
            self._bind(target, (held[0], False))

    def _is_dict(self, node: ast.Name) -> bool:
        """Whether a collection is filled by key, so that a loop over it gives keys."""
        place = self._place(node, node.id)
        return any(
            isinstance(n.value, ast.Name) and self._place(n.value, n.value.id) == place
            for n in of_kind(self.module, ast.Subscript)
        )

    def _entries(self, keys: list[ast.expr | None], values: list[ast.expr]) -> None:
        for key, value in zip(keys, values, strict=True):
            kind = self.column_kind(value)
            if kind is not None and isinstance(key, ast.Constant) and isinstance(key.value, str):
                self.entries.setdefault(key.value, kind)

    def _return(self, node: ast.Return, value: ast.expr) -> None:
        function = self.module.enclosing_function(node)
        parts = list(enumerate(value.elts)) if isinstance(value, ast.Tuple) else [(None, value)]
        for place, part in parts:
            if function is not None and (held := self.held(part)) is not None:
                self.returned.setdefault(function.name, {}).setdefault(place, held)

    def _pass_on(self, call: ast.Call) -> None:
        """Parameters of the module's own functions hold what their callers give."""
        target = callee(self.subject, self.module, call)
        if target is None or target[0] is not self.module:
            return
        for name in parameters(target[1]):
            held = self.held(argument(target[1], call, name))
            if held is not None and self._always(target[1], name, held):
                self._hold((target[1].lineno, name), held)

    def _always(self, function: Function, name: str, held: Held) -> bool:
        """Whether every call of the function gives the same kind of thing."""
        calls = calls_by_name(self.subject).get(function.name, ())
        return all(self.held(argument(function, call, name)) == held for _, call in calls)


FLOWS = (ast.Assign, ast.AnnAssign, ast.For, ast.comprehension, ast.Dict, ast.Return, ast.Call)


def _rows(keywords: list[ast.keyword]) -> bool:
    """Whether the history is asked for as rows, not as a table."""
    return any(k.arg is None or (k.arg == "pandas" and ast.unparse(k.value) == "False") for k in keywords)


def run_data(subject: ParsedBundle, module: Module) -> RunData:
    """The flow of run data in a module, worked out once."""
    return subject.memo(f"run_data {module.path}", lambda s: RunData(s, module))


def holders(module: Module) -> Iterator[ast.Call]:
    """Calls that fetch a history."""
    for node in module.nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "history"
        ):
            yield node
