"""Names that are read where nothing can have bound them.

A name counts as bound when any statement of a scope around it binds it; in its own scope only when one may
have run before the read. Branches are not told apart, so what is reported fails whenever its line is reached.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.bindings import captured, is_dynamic
from policies.kinds import of_kind
from policies.parsed import Module
from policies.tree import children, walk

BUILTINS = frozenset(dir(builtins)) | {
    "__file__",
    "__path__",
    "__builtins__",
    "__annotations__",
    "__module__",
    "__qualname__",
    "__class__",
    "WindowsError",
    "exit",
    "quit",
    "copyright",
    "credits",
    "license",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(frozen=True)
class Bind:
    """The binding of a name, with its place in the order of evaluation."""

    order: int
    loops: tuple[ast.AST, ...]
    """The loops around it in its scope: what a loop binds late, its next round may read early."""


@dataclass(frozen=True)
class Read(Bind):
    """The same for a name that is read."""

    name: ast.Name


@dataclass
class Scope:
    """One name space while the module is read."""

    kind: Literal["module", "class", "function", "comprehension"]
    parent: Scope | None
    bound: set[str] = field(default_factory=set)
    global_names: set[str] = field(default_factory=set)
    reads: list[Read] = field(default_factory=list)
    binds: dict[str, list[Bind]] = field(default_factory=dict)

    early: set[str] = field(default_factory=set)
    """Names that are bound before the first statement, or by other scopes."""
    lazy: bool = False
    """A generator expression: its body runs later."""

    @property
    def binder(self) -> Scope:
        """Where `:=` binds: the nearest scope that is not a comprehension."""
        return self.parent.binder if self.kind == "comprehension" and self.parent else self


def undefined(module: Module) -> tuple[ast.Name, ...]:
    """Reads of names that no scope around them binds, in file order; none in code that hides names."""
    reads, top = module.memo("scopes", _reads)
    return _in_order(event for event, scope in reads if not _known(event.name.id, scope, top))


def unbound(module: Module) -> tuple[ast.Name, ...]:
    """Reads of names that their own scope binds, but only later, in file order."""
    return _in_order(event for event, scope in module.memo("scopes", _reads)[0] if _too_early(event, scope))


def grouped(uses: Iterable[ast.Name]) -> list[tuple[str, list[ast.Name]]]:
    """Each name with its uses, in order of the first use."""
    found: dict[str, list[ast.Name]] = {}
    for use in uses:
        found.setdefault(use.id, []).append(use)
    return list(found.items())


def _reads(module: Module) -> tuple[list[tuple[Read, Scope]], Scope]:
    """Every read with its scope, and the scope of the module."""
    if module.tree is None or is_dynamic(module) or _has_star(module):
        return [], Scope("module", None)
    reader = _Reader(module)
    reader.visit_all(module.tree.body, reader.top)
    return [(event, scope) for scope in reader.scopes for event in scope.reads], reader.top


def _in_order(reads: Iterable[Read]) -> tuple[ast.Name, ...]:
    return tuple(sorted((read.name for read in reads), key=lambda name: (name.lineno, name.col_offset)))


def _too_early(read: Read, scope: Scope) -> bool:
    """Whether every binding of the name in its scope comes after the read."""
    name, own = read.name.id, scope
    while own.kind == "comprehension" and name not in own.bound and own.parent:
        if own.lazy:
            return False
        own = own.parent
    if own.kind not in ("module", "function") or name in own.early or name not in own.binds:
        return False
    if own.kind == "module" and name in BUILTINS:
        return False
    return all(bind.order > read.order and not set(bind.loops) & set(read.loops) for bind in own.binds[name])


def _has_star(module: Module) -> bool:
    return any(n.names[0].name == "*" for n in of_kind(module, ast.ImportFrom))


def _known(name: str, scope: Scope, top: Scope) -> bool:
    """Whether a read in `scope` finds the name; a class hides its names from the functions in it."""
    if name in BUILTINS or name in top.bound:
        return True
    if name in scope.global_names:
        return False
    at: Scope | None = scope
    while at is not None:
        if name in at.bound and (at.kind != "class" or at is scope):
            return True
        at = at.parent
    return False


class _Reader:
    """Walks a module once, filling scopes."""

    def __init__(self, module: Module) -> None:
        self.top = Scope("module", None)
        self.scopes = [self.top]
        self.order = 0
        self.loops: tuple[ast.AST, ...] = ()
        self.deferred = any(
            node.module == "__future__" and "annotations" in ast.unparse(node)
            for node in of_kind(module, ast.ImportFrom)
        )

    def visit_all(self, nodes: Iterable[ast.AST | None], scope: Scope) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node, scope)

    def visit(self, node: ast.AST, scope: Scope) -> None:
        """Dispatch by kind; anything without a rule is walked through."""
        rule = _RULES.get(type(node))
        if rule is not None:
            rule(self, node, scope)
        else:
            self.visit_all(children(node), scope)

    def _name(self, node: ast.Name, scope: Scope) -> None:
        if isinstance(node.ctx, ast.Load):
            scope.reads.append(Read(self._next(), self.loops, node))
        else:
            self._bind(node.id, scope)

    def _lambda(self, node: ast.Lambda, scope: Scope) -> None:
        self._arguments(node.args, scope)
        self._body(node, [node.body], scope)

    def _named(self, node: ast.NamedExpr, scope: Scope) -> None:
        self.visit(node.value, scope)
        self._bind(node.target.id, scope.binder)

    def _assign(self, node: ast.Assign, scope: Scope) -> None:
        self.visit_all([node.value, *node.targets], scope)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0], scope)

    def _global(self, node: ast.Global, scope: Scope) -> None:
        scope.global_names.update(node.names)
        self.top.bound.update(node.names)
        self.top.early.update(node.names)

    def _nonlocal(self, node: ast.Nonlocal, scope: Scope) -> None:
        scope.early.update(node.names)

    def _captures(self, node: ast.AST, scope: Scope) -> None:
        for name in captured(node):
            self._bind(name, scope)
        self.visit_all(children(node), scope)

    def _next(self) -> int:
        self.order += 1
        return self.order

    def _bind(self, name: str, scope: Scope) -> None:
        if name in scope.global_names:
            self.top.bound.add(name)
        else:
            scope.bound.add(name)
            scope.binds.setdefault(name, []).append(Bind(self._next(), self.loops))

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, scope: Scope) -> None:
        """The iterable is evaluated before the loop, its condition in every round."""
        if not isinstance(node, ast.While):
            self.visit(node.iter, scope)
        outside, self.loops = self.loops, (*self.loops, node)
        self.visit_all([node.test] if isinstance(node, ast.While) else [node.target], scope)
        self.visit_all(node.body, scope)
        self.loops = outside
        self.visit_all(node.orelse, scope)

    def _open(self, kind: Literal["class", "function", "comprehension"], parent: Scope) -> Scope:
        scope = Scope(kind, parent)
        self.scopes.append(scope)
        return scope

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        self.visit_all(node.decorator_list, scope)
        self._arguments(node.args, scope)
        if not self.deferred:
            self._annotation(node.returns, scope)
        self._bind(node.name, scope)
        self._body(node, node.body, scope)

    def _arguments(self, arguments: ast.arguments, scope: Scope) -> None:
        """What is evaluated where the function is defined."""
        self.visit_all([*arguments.defaults, *arguments.kw_defaults], scope)
        if not self.deferred:
            for argument in _all_arguments(arguments):
                self._annotation(argument.annotation, scope)

    def _annotation(self, node: ast.expr | None, scope: Scope) -> None:
        if node is not None:
            self.visit(node, scope)

    def _body(self, node: Function, body: Iterable[ast.AST], scope: Scope) -> None:
        inner = self._open("function", scope)
        inner.early.update(argument.arg for argument in _all_arguments(node.args))
        inner.early.update(_type_parameters(node))
        inner.bound.update(inner.early)
        outside, self.loops = self.loops, ()
        self.visit_all(body, inner)
        self.loops = outside

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        self.visit_all([*node.decorator_list, *node.bases, *node.keywords], scope)
        inner = self._open("class", scope)
        inner.bound.update(_type_parameters(node))
        self.visit_all(node.body, inner)
        self._bind(node.name, scope)

    def _comprehension(self, node: Comprehension, scope: Scope) -> None:
        """The first iterable is evaluated outside, everything else inside."""
        self.visit(node.generators[0].iter, scope)
        inner = self._open("comprehension", scope)
        inner.lazy = isinstance(node, ast.GeneratorExp)
        for index, generator in enumerate(node.generators):
            self.visit(generator.target, inner)
            self.visit_all([*([generator.iter] if index else []), *generator.ifs], inner)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.visit_all(parts, inner)

    def _annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        """An annotation in a function is never evaluated."""
        if not self.deferred and scope.kind in ("module", "class"):
            self.visit(node.annotation, scope)
        self.visit_all([node.value, node.target], scope)

    def _try(self, node: ast.Try | ast.TryStar, scope: Scope) -> None:
        """A body whose `NameError` is handled asks on purpose whether a name exists."""
        asks = any(h.type is not None and "NameError" in ast.unparse(h.type) for h in node.handlers)
        self.visit_all(node.body, scope)
        if asks:
            questioned = {id(n) for statement in node.body for n in walk(statement)}
            scope.reads = [read for read in scope.reads if id(read.name) not in questioned]
        self.visit_all([*node.handlers, *node.orelse, *node.finalbody], scope)


def _all_arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (argument for argument in (arguments.vararg, arguments.kwarg) if argument)


def _type_parameters(node: ast.AST) -> Iterator[str]:
    """Names of `def f[T]`, where the running Python knows them."""
    return (parameter.name for parameter in getattr(node, "type_params", ()))


_RULES: Mapping[type[ast.AST], Callable[[_Reader, Any, Scope], None]] = {
    ast.AnnAssign: _Reader._annotated,
    ast.Assign: _Reader._assign,
    ast.AsyncFor: _Reader._loop,
    ast.AsyncFunctionDef: _Reader._function,
    ast.ClassDef: _Reader._class,
    ast.DictComp: _Reader._comprehension,
    ast.ExceptHandler: _Reader._captures,
    ast.For: _Reader._loop,
    ast.FunctionDef: _Reader._function,
    ast.GeneratorExp: _Reader._comprehension,
    ast.Global: _Reader._global,
    ast.Import: _Reader._import,
    ast.ImportFrom: _Reader._import,
    ast.Lambda: _Reader._lambda,
    ast.ListComp: _Reader._comprehension,
    ast.MatchAs: _Reader._captures,
    ast.MatchMapping: _Reader._captures,
    ast.MatchStar: _Reader._captures,
    ast.Name: _Reader._name,
    ast.NamedExpr: _Reader._named,
    ast.Nonlocal: _Reader._nonlocal,
    ast.SetComp: _Reader._comprehension,
    ast.Try: _Reader._try,
    ast.TryStar: _Reader._try,
    ast.While: _Reader._loop,
}
