"""Whether the value of an expression can carry a gradient: constant, cut off from the graph, or not known."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from policies.assigned import sole_value, values_of
from policies.hub import CONFIG_NAMES
from policies.hydra.names import dotted_name, origin
from policies.kinds import each, of_kind
from policies.parsed import Module, ParsedBundle, per_module
from policies.row_functions import Function, function_of, returned
from policies.run_values import config_path
from policies.tree import walk
from policies.wording import clip

CUTTING = frozenset({"item", "detach", "tolist", "numpy"})
SHAPES = frozenset({"numel", "size", "dim", "nelement"})
NO_GRAD = frozenset({"torch.no_grad", "torch.inference_mode"})
_DEEPEST, _MOST = 24, 1000
"""How far an expression is followed, and through how many others."""


class Grad(IntEnum):
    """What is known of the gradient of a value; of several parts the highest counts."""

    CONSTANT = 0
    """No tensor that is computed from the data or the model."""
    CUT = 1
    """Computed, but no gradient flows back from it."""
    UNKNOWN = 2


@dataclass
class Tracer:
    """One question, with the reasons that were found on the way."""

    subject: ParsedBundle
    reasons: list[str] = field(default_factory=list)
    _depth: int = 0
    _asked: int = 0
    _open: set[int] = field(default_factory=set)

    def grad(self, module: Module, node: ast.expr, known: Mapping[str, Grad] | None = None) -> Grad:
        """What is known of an expression; `known` gives the parameters of the function it is in."""
        self._asked += 1
        if self._depth > _DEEPEST or self._asked > _MOST or id(node) in self._open:
            return Grad.UNKNOWN
        self._depth += 1
        self._open.add(id(node))
        try:
            if _is_without_grad(module, node):
                self._say(module, node, "is computed under `no_grad`")
                return Grad.CONSTANT if isinstance(node, ast.Constant) else Grad.CUT
            return self._grad(module, node, known or {})
        finally:
            self._depth -= 1
            self._open.discard(id(node))

    def _say(self, module: Module, node: ast.expr, what: str) -> None:
        reason = f"{module.path}:{node.lineno} `{clip(ast.unparse(node), 60)}` {what}"
        if reason not in self.reasons:
            self.reasons.append(reason)

    def _all(self, module: Module, nodes: Iterable[ast.expr], known: Mapping[str, Grad]) -> Grad:
        return max((self.grad(module, node, known) for node in nodes), default=Grad.CONSTANT)

    def _grad(self, module: Module, node: ast.expr, known: Mapping[str, Grad]) -> Grad:
        if config_path(module, node):
            return Grad.CONSTANT
        match node:
            case ast.Constant():
                return Grad.CONSTANT
            case ast.Name(id=name):
                return self._name(module, node, name, known)
            case ast.BinOp(left=left, right=right):
                return self._all(module, (left, right), known)
            case ast.Subscript(value=ast.Name() as owner, slice=ast.Constant(value=str(key))):
                return self._from_forward(module, owner, key)
            case ast.Attribute(value=ast.Name() as owner, attr=key):
                return self._from_forward(module, owner, key)
            case ast.UnaryOp(operand=inner) | ast.Subscript(value=inner) | ast.Starred(value=inner):
                return self.grad(module, inner, known)
            case ast.IfExp(body=body, orelse=orelse):
                return self._all(module, (body, orelse), known)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                return self._all(module, parts, known)
            case ast.Call():
                return self._call(module, node, known)
        return Grad.UNKNOWN

    def _from_forward(self, module: Module, owner: ast.Name, key: str) -> Grad:
        """A part of what a model gives, when every `forward` of the bundle that gives it has cut it off."""
        call = sole_value(module, owner)
        made = self.subject.memo("gradient.given", _given_by_forward).get(key, ())
        if not isinstance(call, ast.Call) or "model" not in ast.unparse(call.func).lower() or not made:
            return Grad.UNKNOWN
        found = max(self.grad(other, value) for other, value in made)
        return found if found is Grad.CUT else Grad.UNKNOWN

    def _name(self, module: Module, node: ast.Name, name: str, known: Mapping[str, Grad]) -> Grad:
        if name in known:
            return known[name]
        if name in CONFIG_NAMES - {"self"}:
            return Grad.CONSTANT
        values = values_of(module, name, node)
        if values == (None,):
            return self._parameter_or_unpacked(module, node, name)
        if not values or any(value is None for value in values):
            return self._unpacked(module, node, name)
        return self._all(module, (value for value in values if value is not None), known)

    def _parameter_or_unpacked(self, module: Module, node: ast.Name, name: str) -> Grad:
        """A parameter is what the calls of its function give; all of them must be by name."""
        function = module.enclosing_function(node)
        names = [a.arg for a in function.args.args] if function is not None else []
        if function is None or name not in names:
            return self._unpacked(module, node, name)
        place, grads = names.index(name), []
        for other, call in self.subject.memo("gradient.calls", _calls).get(function.name, ()):
            given = call.args[place : place + 1] + [k.value for k in call.keywords if k.arg == name]
            if len(given) != 1 or any(isinstance(a, ast.Starred) for a in call.args):
                return Grad.UNKNOWN
            grads.append(self.grad(other, given[0]))
        return max(grads, default=Grad.UNKNOWN)

    def _unpacked(self, module: Module, node: ast.Name, name: str) -> Grad:
        """A name that gets a part of a tuple, when every statement that binds it is without gradient."""
        function = module.enclosing_function(node)
        stored = _stores(module).get(name, ()) if function is not None else ()
        bound = [n for n in stored if module.enclosing_function(n) is function]
        statements = [_statement(module, n) for n in bound]
        if not bound or not all(isinstance(s, ast.Assign) for s in statements):
            return Grad.UNKNOWN
        grads = [self.grad(module, s.value) for s in statements if isinstance(s, ast.Assign)]
        return max(grads)

    def _call(self, module: Module, node: ast.Call, known: Mapping[str, Grad]) -> Grad:
        name = origin(module, node.func)
        arguments = [*node.args, *(k.value for k in node.keywords if k.arg not in ("device", "dtype"))]
        if name in ("float", "int", "torch.tensor"):
            return self._copied(module, node, known)
        if isinstance(node.func, ast.Attribute) and not name.startswith("torch."):
            owner = node.func.value
            if node.func.attr in SHAPES:
                self._say(module, node, "tells the shape, not the values")
                return Grad.CUT
            if node.func.attr in CUTTING:
                return self._cut(module, node, owner, known)
            if node.func.attr in ("new_tensor", "new_zeros", "new_ones"):
                return self._all(module, arguments, known)
            if isinstance(owner, ast.Name) and owner.id == "self":
                return Grad.UNKNOWN
            return self._all(module, (owner, *arguments), known)
        if name.startswith(("torch.zeros", "torch.ones", "torch.full")):
            return Grad.CONSTANT
        if name in ("max", "min", "abs", "sum") or name.startswith(("torch.", "math.", "numpy.")):
            return Grad.UNKNOWN if name.startswith("torch.nn.P") else self._all(module, arguments, known)
        return self._own(module, node, known)

    def _copied(self, module: Module, node: ast.Call, known: Mapping[str, Grad]) -> Grad:
        """`float(x)`, `torch.tensor(x)`: a constant of a constant, else cut off."""
        if any(k.arg == "requires_grad" and getattr(k.value, "value", True) for k in node.keywords):
            return Grad.UNKNOWN
        before = len(self.reasons)
        inner = self._all(module, node.args[:1], known)
        if inner is Grad.UNKNOWN:
            del self.reasons[before:]
            self._say(module, node, "copies the value out of the graph")
        return min(inner, Grad.CUT)

    def _cut(self, module: Module, node: ast.Call, owner: ast.expr, known: Mapping[str, Grad]) -> Grad:
        """`x.item()`, `x.detach()`; a difference that is detached corrects a value on purpose."""
        before = len(self.reasons)
        inner = self.grad(module, owner, known)
        if isinstance(owner, ast.BinOp) and isinstance(owner.op, ast.Sub):
            return Grad.UNKNOWN
        del self.reasons[before:]
        if inner is not Grad.CONSTANT:
            self._say(module, node, "is cut off from the graph")
        return min(inner, Grad.CUT)

    def _own(self, module: Module, node: ast.Call, known: Mapping[str, Grad]) -> Grad:
        """A function of the bundle: the highest of what it returns."""
        found = function_of(self.subject, module, node.func) if isinstance(node.func, ast.Name) else None
        if found is None or any(k.arg is None for k in node.keywords):
            return Grad.UNKNOWN
        owner, function = found
        inside = self._given(module, node, function, known)
        values = list(returned(function))
        return self._all(owner, values, inside) if values and inside is not None else Grad.UNKNOWN

    def _given(
        self, module: Module, call: ast.Call, function: Function, known: Mapping[str, Grad]
    ) -> dict[str, Grad] | None:
        """The function's parameters in this call; one that is left out has a constant default."""
        names = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
        if any(isinstance(a, ast.Starred) for a in call.args) or len(call.args) > len(names):
            return None
        pairs = [*zip(names, call.args, strict=False), *((k.arg or "", k.value) for k in call.keywords)]
        return dict.fromkeys(names, Grad.CONSTANT) | {
            name: Grad.UNKNOWN if name not in names else self._quiet(module, value, known)
            for name, value in pairs
        }

    def _quiet(self, module: Module, node: ast.expr, known: Mapping[str, Grad]) -> Grad:
        """What is known of an argument; why is told only where it is used."""
        before = len(self.reasons)
        found = self.grad(module, node, known)
        if found is not Grad.CUT:
            del self.reasons[before:]
        return found


@per_module
def _stores(module: Module) -> dict[str, list[ast.Name]]:
    """Every name that is bound, with the places."""
    found: dict[str, list[ast.Name]] = {}
    for node in of_kind(module, ast.Name):
        if not isinstance(node.ctx, ast.Load):
            found.setdefault(node.id, []).append(node)
    return found


def _calls(subject: ParsedBundle) -> dict[str, list[tuple[Module, ast.Call]]]:
    """Every call, by the last part of what is called."""
    found: dict[str, list[tuple[Module, ast.Call]]] = {}
    for module, node in each(subject, ast.Call):
        found.setdefault(dotted_name(node.func).rpartition(".")[2], []).append((module, node))
    return found


def _given_by_forward(subject: ParsedBundle) -> dict[str, list[tuple[Module, ast.expr]]]:
    """Key or attribute -> what the `forward` methods of the bundle put there."""
    found: dict[str, list[tuple[Module, ast.expr]]] = {}
    for module, function in each(subject, ast.FunctionDef):
        if function.name != "forward":
            continue
        for node in walk(function):
            pairs: list[tuple[object, ast.expr]] = []
            match node:
                case ast.Dict(keys=keys, values=values):
                    given = zip(keys, values, strict=True)
                    pairs = [(k.value, value) for k, value in given if isinstance(k, ast.Constant)]
                case ast.Assign(targets=[ast.Attribute(attr=name)], value=value):
                    pairs = [(name, value)]
            for key, value in pairs:
                found.setdefault(str(key), []).append((module, value))
    return found


def _is_without_grad(module: Module, node: ast.AST) -> bool:
    """Whether an expression is evaluated where no gradients are recorded."""
    child, parent = node, module.parents.get(node)
    while parent is not None:
        items = parent.items if isinstance(parent, ast.With) and child in parent.body else []
        if any(_is_no_grad(module, item.context_expr) for item in items):
            return True
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            decorators = getattr(parent, "decorator_list", [])
            return any(_is_no_grad(module, each) for each in decorators)
        child, parent = parent, module.parents.get(parent)
    return False


def _is_no_grad(module: Module, node: ast.expr) -> bool:
    target = node.func if isinstance(node, ast.Call) else node
    return origin(module, target) in NO_GRAD and not (isinstance(node, ast.Call) and node.args)


def _statement(module: Module, node: ast.AST) -> ast.AST:
    while not isinstance(node, ast.stmt | ast.comprehension):
        node = module.parents[node]
    return node
