"""Which class the objects of a module surely have: followed from constructors and calls to names and `self`.

A type is the home name of a class, several joined by `|`, or empty when it is not certain.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from policies.api_library import Known, Library
from policies.api_usage import bindings, full_name
from policies.own_classes import OwnClasses
from policies.parsed import Module
from policies.tree import walk

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
TRIAL = "optuna.trial._trial.Trial"
STUDY = "optuna.study.study.Study"
ANNOTATIONS = frozenset({TRIAL, STUDY, "torch._tensor.Tensor"})
"""Classes that a parameter's annotation is believed for: nothing else is passed in their place."""
MAX_STEPS = 12
"""Bindings followed from one expression."""
SELF_ENTERED = frozenset({"wandb.sdk.wandb_run.Run"})
"""Classes whose `with ... as name` gives the object itself."""
_BINDERS = (
    ast.stmt,
    ast.NamedExpr,
    ast.arg,
    ast.ExceptHandler,
    ast.pattern,
    ast.comprehension,
    ast.withitem,
)
_UNSURE = ast.Pass()
"""Stands for a binding whose value is not known."""


@dataclass
class Types:
    """The types of one module's expressions."""

    module: Module
    library: Library
    own: OwnClasses
    known: dict[int, str] = field(default_factory=dict)
    """Results by the identity of the node, which the module keeps alive."""

    def __post_init__(self) -> None:
        self.bound = bindings(self.module)
        self.searches: dict[str, list[ast.Call]] = {}
        self.scopes: dict[ast.AST, dict[str, list[ast.AST]]] = {}
        for node in self.module.nodes:
            for name, value in _bindings_of(node) if isinstance(node, _BINDERS) else ():
                scope = self._scope(node)
                self.scopes.setdefault(scope, {}).setdefault(name, []).append(value)
            match node:
                case ast.Call(func=ast.Attribute(attr="optimize"), args=[ast.Name(id=name), *_]):
                    self.searches.setdefault(name, []).append(node)
                case _:
                    pass

    def of(self, node: ast.AST, steps: int = 0) -> str:
        """The type of an expression."""
        if steps > MAX_STEPS:
            return ""
        if id(node) not in self.known:
            self.known[id(node)] = ""
            self.known[id(node)] = self._of(node, steps + 1)
        return self.known[id(node)]

    def _of(self, node: ast.AST, steps: int) -> str:
        match node:
            case ast.Call():
                return self._called(node, steps)
            case ast.Name(id=name, ctx=ast.Load()):
                return self._named(node, name, steps)
            case ast.Attribute(value=value, attr=attr, ctx=ast.Load()):
                if isinstance(value, ast.Name) and value.id == "self":
                    return self._stored(attr, steps)
                return self._each(self.of(value, steps), f".{attr}")
            case _:
                return ""

    def _called(self, node: ast.Call, steps: int) -> str:
        if isinstance(node.func, ast.Name) and (own := self.own.named(self.module, node.func.id)):
            return own if self._is_global(node, node.func.id) else ""
        dotted = full_name(node.func, self.bound)
        if dotted:
            return self._made(self.library.find(dotted))
        match node.func:
            case ast.Attribute(value=value, attr=attr):
                return self._each(self.of(value, steps), f".{attr}()")
            case _:
                return ""

    def _made(self, found: object) -> str:
        """What calling something known gives."""
        if not isinstance(found, Known):
            return ""
        return found.home if self.library.is_class(found.home) else self.library.returned(f"{found.home}()")

    def _each(self, kinds: str, part: str) -> str:
        """What an attribute or method gives, when it is the same for every possible class."""
        found = {self.library.returned(f"{kind}{part}") for kind in kinds.split("|")} if kinds else set()
        return found.pop() if len(found) == 1 else ""

    def _named(self, node: ast.AST, name: str, steps: int) -> str:
        """The type that every binding of a name in its scope agrees on."""
        scope: ast.AST | None = self._scope(node)
        while scope is not None:
            values = self.scopes.get(scope, {}).get(name)
            if values and not isinstance(scope, ast.ClassDef):
                return self._agreed(values, steps)
            scope = self._scope(scope) if not isinstance(scope, ast.Module) else None
        return ""

    def _stored(self, attr: str, steps: int) -> str:
        """The type that every assignment to an attribute of this name in the whole bundle agrees on."""
        values = self.own.stores.get(attr, ())
        if not values or any(path != self.module.path for path, _ in values):
            return ""
        return self._agreed([value or _UNSURE for _, value in values], steps)

    def _agreed(self, values: list[ast.AST], steps: int) -> str:
        kinds = {self._value(value, steps) for value in values if not _is_none(value)}
        return kinds.pop() if len(kinds) == 1 else ""

    def _value(self, value: ast.AST, steps: int) -> str:
        if isinstance(value, ast.withitem):
            kind = self.of(value.context_expr, steps)
            return kind if kind in SELF_ENTERED else ""
        return self._parameter(value) if isinstance(value, ast.arg) else self.of(value, steps)

    def _parameter(self, node: ast.arg) -> str:
        """The type of a parameter: of an objective's first one, or by an annotation that is believed."""
        function = self.module.parents.get(self.module.parents[node])
        if isinstance(function, Function) and _first(function) is node and self._is_objective(function):
            return TRIAL
        if node.annotation is None:
            return ""
        found = self.library.find(full_name(node.annotation, self.bound))
        return found.home if isinstance(found, Known) and found.home in ANNOTATIONS else ""

    def _is_objective(self, function: Function) -> bool:
        """Whether a function is given to `study.optimize`."""
        if isinstance(function, ast.Lambda):
            call = self.module.parents.get(function)
            return isinstance(call, ast.Call) and self._optimizes(call) and call.args[:1] == [function]
        return any(self._optimizes(call) for call in self.searches.get(function.name, ()))

    def _optimizes(self, call: ast.Call) -> bool:
        func = call.func
        return isinstance(func, ast.Attribute) and func.attr == "optimize" and self.of(func.value) == STUDY

    def _scope(self, node: ast.AST) -> ast.AST:
        """The function, class, comprehension or module whose names a node sees first."""
        parent = self.module.parents.get(node)
        child = node
        while parent is not None:
            if isinstance(parent, Function | ast.ClassDef) and not _is_outside(parent, child):
                return parent
            child, parent = parent, self.module.parents.get(parent)
        assert self.module.tree is not None, "only a parsed module has nodes"
        return self.module.tree

    def _is_global(self, node: ast.AST, name: str) -> bool:
        """Whether no scope around a node but the module binds a name."""
        scope = self._scope(node)
        while not isinstance(scope, ast.Module):
            if name in self.scopes.get(scope, {}):
                return False
            scope = self._scope(scope)
        return len(self.scopes.get(scope, {}).get(name, ())) <= 1


def _is_outside(scope: ast.AST, child: ast.AST) -> bool:
    """Whether part of a definition is evaluated around it: decorators, defaults, bases."""
    body = (
        scope.body
        if isinstance(scope, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        else []
    )
    inside = [body] if isinstance(body, ast.AST) else body
    return child not in inside and not (isinstance(child, ast.arguments))


def _first(function: Function) -> ast.arg | None:
    names = [*function.args.posonlyargs, *function.args.args]
    return names[0] if names else None


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _bindings_of(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Names that a node binds, each with the expression or parameter that says what it is."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.arg(arg=name) | ast.withitem(optional_vars=ast.Name(id=name)):
            yield name, node
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, _UNSURE
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name, _UNSURE
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from ((name, _UNSURE) for name in names)
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from ((a.asname or a.name.partition(".")[0], _UNSURE) for a in aliases)
        case _:
            yield from ((name, _UNSURE) for name in _other_targets(node))


def _other_targets(node: ast.AST) -> Iterator[str]:
    """Names in targets that are unpacked, looped over, deleted or changed in place."""
    targets: list[ast.expr] = []
    match node:
        case ast.Assign(targets=many):
            targets = many
        case ast.AugAssign(target=one) | ast.For(target=one) | ast.AsyncFor(target=one):
            targets = [one]
        case ast.comprehension(target=one):
            targets = [one]
        case ast.withitem(optional_vars=ast.expr() as one):
            targets = [one]
        case ast.Delete(targets=many):
            targets = many
        case _:
            return
    for target in targets:
        for part in walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store | ast.Del):
                yield part.id
