"""Which texts an expression may be, and which keys a dictionary may have, followed through the bundle.

A text is a pattern: `*` stands for what cannot be read. Everything that may happen is included, so a key
that no pattern matches is certainly absent.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from policies.call_sites import argument, arguments_for, callee, parameters
from policies.gates import Function
from policies.parsed import Module, ParsedBundle, per_module
from policies.tree import walk

ANY = frozenset({"*"})
NONE: frozenset[str] = frozenset()
MAX_TEXTS = 60
MAX_DEPTH = 14
MAX_STEPS = 5000
EMPTY_MAKERS = frozenset({"defaultdict", "OrderedDict", "Counter"})
COPIES = frozenset({"copy", "deepcopy", "dict"})


@lru_cache(maxsize=4096)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))) + r"(?:\..*)?", re.DOTALL)


def matches(patterns: Iterable[str], key: str) -> bool:
    """Whether a key, or one that a pattern with `*` stands for, may be among the patterns."""
    return any(_regex(p).fullmatch(key) or ("*" in key and _regex(key).fullmatch(p)) for p in patterns)


def _is_text(node: ast.expr) -> bool:
    """Whether an operand is certainly text."""
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


@dataclass
class Reader:
    """Follows names within one bundle; `seen` ends loops."""

    subject: ParsedBundle
    seen: set[tuple[str, int, str, str]] = field(default_factory=set)
    depth: int = 0
    steps: int = 0
    """How many names were followed; past a limit nothing is told any more."""

    def texts(self, module: Module, node: ast.AST | None) -> frozenset[str]:
        """Every text that an expression may be."""
        match node:
            case ast.Constant(value=str(text)):
                return frozenset({text.replace("*", "")})
            case ast.Constant(value=value):
                return frozenset({str(value)})
            case ast.JoinedStr(values=parts):
                return self._joined([self._part(module, part) for part in parts])
            case ast.BinOp(left=left, op=ast.Add(), right=right) if _is_text(left) or _is_text(right):
                return self._joined([self.texts(module, left), self.texts(module, right)])
            case ast.IfExp(body=body, orelse=orelse):
                return self.texts(module, body) | self.texts(module, orelse)
            case ast.BoolOp(values=values):
                return frozenset().union(*(self.texts(module, value) for value in values))
            case ast.Name(id=name):
                return self._of_name(module, node, name, "text")
            case ast.Subscript(value=owner, slice=ast.Constant(value=int())):
                items = literal_items(module, owner)
                return self._union(self.texts(module, item) for item in items) if items else ANY
            case ast.Call(func=ast.Name(id="next"), args=[ast.GeneratorExp(elt=first), *rest]):
                return self._union(self.texts(module, value) for value in (first, *rest))
            case _:
                return ANY

    def _part(self, module: Module, part: ast.expr) -> frozenset[str]:
        if isinstance(part, ast.FormattedValue):
            plain = part.format_spec is None and part.conversion == -1
            return self.texts(module, part.value) if plain else ANY
        return self.texts(module, part)

    def _joined(self, parts: list[frozenset[str]]) -> frozenset[str]:
        total = 1
        for part in parts:
            total *= max(len(part), 1)
        parts = parts if total <= MAX_TEXTS else [p if len(p) == 1 else ANY for p in parts]
        return frozenset(re.sub(r"\*+", "*", "".join(c)) for c in itertools.product(*parts))

    def keys(self, module: Module, node: ast.AST | None) -> frozenset[str]:
        """Every key that a dictionary may have."""
        match node:
            case ast.Constant(value=None):
                return NONE
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return self._union(self.texts(module, k) if k else self.keys(module, v) for k, v in pairs)
            case ast.DictComp(key=key):
                return self.texts(module, key)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.keys(module, left) | self.keys(module, right)
            case ast.IfExp(body=body, orelse=orelse):
                return self.keys(module, body) | self.keys(module, orelse)
            case ast.BoolOp(values=values):
                return self._union(self.keys(module, value) for value in values)
            case ast.Name(id=name):
                return self._of_name(module, node, name, "keys")
            case ast.Call():
                return self._keys_of_call(module, node, None)
            case _:
                return ANY

    def _keys_of_call(self, module: Module, call: ast.Call, item: int | None) -> frozenset[str]:
        """Keys of what a call returns; `item` picks one of a returned tuple."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if item is None and name in EMPTY_MAKERS:
            return NONE
        if item is None and name in COPIES:
            if name == "copy" and isinstance(call.func, ast.Attribute) and not call.args:
                return self.keys(module, call.func.value)
            return self._put(module, call, "update")
        target = callee(self.subject, module, call)
        return self._returned(*target, item) if target is not None else ANY

    def _returned(self, module: Module, function: Function, item: int | None) -> frozenset[str]:
        mark = (module.path, function.lineno, function.name, f"return {item}")
        self.steps += 1
        if mark in self.seen or self.depth > MAX_DEPTH or self.steps > MAX_STEPS:
            return NONE if mark in self.seen else ANY
        self.seen.add(mark)
        self.depth += 1
        found: list[frozenset[str]] = []
        for node in walk(function):
            if isinstance(node, ast.Return) and module.enclosing_function(node) is function and node.value:
                found.append(self._picked(module, node.value, item))
        self.depth -= 1
        self.seen.discard(mark)
        return self._union(found) if found else ANY

    def _picked(self, module: Module, value: ast.expr, item: int | None) -> frozenset[str]:
        if item is None:
            return self.keys(module, value)
        if isinstance(value, ast.Tuple) and item < len(value.elts):
            return self.keys(module, value.elts[item])
        if isinstance(value, ast.Call):
            return self._keys_of_call(module, value, item)
        return ANY

    def _of_name(self, module: Module, node: ast.AST, name: str, what: str) -> frozenset[str]:
        """What all bindings of a name in its scope amount to."""
        scope = scope_of(module, node, name)
        if scope is None:
            return ANY
        mark = (module.path, getattr(scope, "lineno", 0), name, what)
        if mark in self.seen:
            return NONE
        self.steps += 1
        if self.depth > MAX_DEPTH or self.steps > MAX_STEPS:
            return ANY
        self.seen.add(mark)
        self.depth += 1
        bound = bindings_of(module, scope, name)
        found = [self._bound(module, scope, binding, name, what) for binding in bound]
        if what == "keys":
            found.append(self._added(module, scope, name))
        self.depth -= 1
        self.seen.discard(mark)
        return self._union(found)

    def _bound(
        self, module: Module, scope: ast.AST, binding: ast.AST, name: str, what: str
    ) -> frozenset[str]:
        read = self.texts if what == "text" else self.keys
        match binding:
            case ast.Assign(targets=targets, value=value):
                if any(isinstance(t, ast.Name) and t.id == name for t in targets):
                    return read(module, value)
                return self._unpacked(module, targets[0], value, name, what)
            case ast.AnnAssign(value=None):
                return NONE
            case ast.AnnAssign(value=value) | ast.NamedExpr(value=value):
                return read(module, value)
            case ast.AugAssign(op=ast.BitOr(), value=value) if what == "keys":
                return read(module, value)
            case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
                return self._looped(module, target, source, name) if what == "text" else ANY
            case ast.arg() if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
                return self._given(scope, name, what)
            case _:
                return ANY

    def _unpacked(
        self, module: Module, target: ast.expr, value: ast.expr, name: str, what: str
    ) -> frozenset[str]:
        """One name of `a, b = f()`."""
        names = [getattr(e, "id", "") for e in target.elts] if isinstance(target, ast.Tuple) else []
        if what == "text" or name not in names:
            return ANY
        return self._picked(module, value, names.index(name))

    def _looped(self, module: Module, target: ast.expr, source: ast.expr, name: str) -> frozenset[str]:
        """Texts that a loop over a literal list, a dictionary or its items gives a name."""
        match source:
            case ast.Call(func=ast.Attribute(value=owner, attr="items")) if isinstance(target, ast.Tuple):
                first = isinstance(target.elts[0], ast.Name) and target.elts[0].id == name
                return self.keys(module, owner) if first else ANY
            case ast.Call(func=ast.Attribute(value=owner, attr="keys")):
                return self.keys(module, owner)
        items = literal_items(module, source)
        if items is None:
            return ANY
        if isinstance(target, ast.Name):
            return self._union(self.texts(module, item) for item in items)
        names = [getattr(e, "id", "") for e in getattr(target, "elts", [])]
        rows = [item for item in items if isinstance(item, ast.Tuple | ast.List)]
        if name not in names or len(rows) != len(items) or any(len(r.elts) != len(names) for r in rows):
            return ANY
        return self._union(self.texts(module, row.elts[names.index(name)]) for row in rows)

    def _given(self, function: Function, name: str, what: str) -> frozenset[str]:
        """What all callers give for a parameter."""
        read = self.texts if what == "text" else self.keys
        calls = list(arguments_for(self.subject, function, name))
        return self._union(read(m, value) if value else ANY for m, _, value in calls) if calls else ANY

    def _added(self, module: Module, scope: ast.AST, name: str) -> frozenset[str]:
        """Keys that statements of the scope put into a dictionary after it was made."""
        found: list[frozenset[str]] = []
        for node in nodes_of(module, scope):
            match node:
                case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store(), slice=index) if owner == name:
                    found.append(self.texts(module, index))
                case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=verb)) if owner == name:
                    found.append(self._put(module, node, verb))
                case ast.Call() if any(isinstance(a, ast.Name) and a.id == name for a in node.args):
                    found.append(self._added_by(module, node, name))
        return self._union(found)

    def _put(self, module: Module, call: ast.Call, verb: str) -> frozenset[str]:
        """Keys that `d.setdefault(...)` or `d.update(...)` adds."""
        if verb == "setdefault" and call.args:
            return self.texts(module, call.args[0])
        if verb != "update":
            return NONE
        given = [self.keys(module, arg) for arg in call.args]
        given += [frozenset({k.arg}) if k.arg else self.keys(module, k.value) for k in call.keywords]
        return self._union(given)

    def _added_by(self, module: Module, call: ast.Call, name: str) -> frozenset[str]:
        """Keys that a function of the bundle puts into a dictionary it is given."""
        target = callee(self.subject, module, call)
        if target is None or self.depth > MAX_DEPTH:
            return NONE
        other, function = target
        self.depth += 1
        found = [
            self._added(other, function, parameter)
            for parameter in parameters(function)
            if isinstance(given := argument(function, call, parameter), ast.Name) and given.id == name
        ]
        self.depth -= 1
        return self._union(found)

    def _union(self, parts: Iterable[frozenset[str]]) -> frozenset[str]:
        return frozenset(itertools.chain.from_iterable(parts))


_SHARED = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
"""Nodes that Python makes once and uses everywhere: they have no one place."""


@per_module
def _nodes_by_scope(module: Module) -> dict[ast.AST | None, tuple[ast.AST, ...]]:
    """Function (None: the module) -> the nodes in it, those of nested functions left out."""
    found: dict[ast.AST | None, list[ast.AST]] = {}
    scopes: dict[ast.AST, ast.AST | None] = {}
    parents = module.parents
    for node in module.nodes:
        if isinstance(node, _SHARED):
            continue
        parent = parents.get(node)
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            scope: ast.AST | None = parent
        else:
            scope = scopes[parent] if parent is not None else None
        scopes[node] = scope
        found.setdefault(scope, []).append(node)
    return {scope: tuple(nodes) for scope, nodes in found.items()}


def nodes_of(module: Module, scope: ast.AST | None) -> tuple[ast.AST, ...]:
    """The nodes of a function, its arguments included, or of the module's top level, outer ones first."""
    return _nodes_by_scope(module).get(None if isinstance(scope, ast.Module) else scope, ())


@per_module
def _bindings(module: Module) -> dict[tuple[ast.AST | None, str], tuple[ast.AST, ...]]:
    found: dict[tuple[ast.AST | None, str], list[ast.AST]] = {}
    for scope, nodes in _nodes_by_scope(module).items():
        for node in nodes:
            for name in _names_bound(node) if isinstance(node, _BINDERS) else ():
                found.setdefault((scope, name), []).append(node)
    return {key: tuple(nodes) for key, nodes in found.items()}


_BINDERS = (ast.stmt, ast.arg, ast.comprehension, ast.NamedExpr)


def _names_bound(node: ast.AST) -> Iterator[str]:
    """Names that one statement, loop, argument or import binds."""
    match node:
        case ast.Assign(targets=targets):
            for target in targets:
                yield from _stored(target)
        case ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr() | ast.For() | ast.comprehension():
            yield from _stored(node.target)
        case ast.arg(arg=name):
            yield name
        case ast.With(items=items):
            for item in items:
                yield from _stored(item.optional_vars) if item.optional_vars else ()
        case ast.Import() | ast.ImportFrom():
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name


def _stored(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for item in target.elts:
            yield from _stored(item)
    elif isinstance(target, ast.Starred):
        yield from _stored(target.value)


def bindings_of(module: Module, scope: ast.AST, name: str) -> tuple[ast.AST, ...]:
    """The nodes that bind a name in a scope."""
    return _bindings(module).get((None if isinstance(scope, ast.Module) else scope, name), ())


def scope_of(module: Module, node: ast.AST, name: str) -> ast.AST | None:
    """The function, or the module, whose variable a name is at `node`; None when nothing binds it."""
    function: ast.AST | None = module.enclosing_function(node)
    while function is not None:
        if bindings_of(module, function, name):
            return function
        function = module.enclosing_function(function)
    return module.tree if module.tree is not None and bindings_of(module, module.tree, name) else None


def literal_items(module: Module, node: ast.expr) -> list[ast.expr] | None:
    """The items of a literal list, tuple or set, followed through one name; None for anything else."""
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return list(items)
        case ast.ListComp(elt=ast.Name(id=item), generators=[ast.comprehension(target=ast.Name(id=target))]):
            return literal_items(module, node.generators[0].iter) if item == target else None
        case ast.Name(id=name):
            scope = scope_of(module, node, name)
            bound = bindings_of(module, scope, name) if scope is not None else ()
            value = getattr(bound[0], "value", None) if len(bound) == 1 else None
            changed = any(_grows(n, name) for n in module.nodes)
            return literal_items(module, value) if isinstance(value, ast.expr) and not changed else None
    return None


def _grows(node: ast.AST, name: str) -> bool:
    """Whether a call adds to the list of this name."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="append" | "extend" | "insert")):
            return owner == name
    return False
