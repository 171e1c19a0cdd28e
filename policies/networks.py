"""The networks a bundle defines: classes over `torch.nn.Module`, and what their instances are used for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.hydra.names import origin
from policies.kinds import each
from policies.parsed import Module, ParsedBundle
from policies.tree import walk

_ROOTS = {"torch.nn.Module", "torch.nn.modules.Module", "torch.nn.modules.module.Module"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Network:
    """A class of the bundle that derives from `nn.Module` and from nothing else unknown."""

    module: Module
    node: ast.ClassDef
    members: frozenset[str]
    """Names of its methods and class attributes, inherited ones included, those of torch left out."""


def networks(subject: ParsedBundle) -> Mapping[str, Network]:
    """Name -> network; names that two classes share are left out."""
    return subject.memo("networks", _networks)


def _networks(subject: ParsedBundle) -> dict[str, Network]:
    found: dict[str, list[tuple[Module, ast.ClassDef]]] = {}
    for module, node in each(subject, ast.ClassDef):
        found.setdefault(node.name, []).append((module, node))
    unique = {name: places[0] for name, places in found.items() if len(places) == 1}
    known: dict[str, Network] = {}
    while grown := {n: net for n in unique if n not in known and (net := _network(*unique[n], known))}:
        known |= grown
    return known


def _network(module: Module, node: ast.ClassDef, known: Mapping[str, Network]) -> Network | None:
    """The class as a network, once all its bases are known to be some."""
    if not node.bases or node.keywords or node.decorator_list:
        return None
    inherited: set[str] = set()
    for base in node.bases:
        name = origin(module, base)
        parent = known.get(name.rpartition(".")[2])
        if name in _ROOTS:
            continue
        if parent is None:
            return None
        inherited |= parent.members
    return Network(module, node, frozenset(inherited | _own_members(node)))


def _own_members(node: ast.ClassDef) -> set[str]:
    """What the class body binds, and what its methods assign to `self`."""
    found: set[str] = set()
    for child in walk(node):
        match child:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Call(func=ast.Name(id="setattr")):
                found.update(str(c.value) for c in child.args if isinstance(c, ast.Constant))
    return found


def calls_of_instances(module: Module) -> Iterator[tuple[str, ast.Call]]:
    """Class name and call, wherever an instance that the same scope has just made is called.

    Followed are `x = C(...)` with `x(...)` in one function, `self.x = C(...)` with `self.x(...)` in one
    class, and `C(...)(...)`; a name that is bound twice is not.
    """
    for node in module.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Call):
            yield _last(node.func.func), node
        elif isinstance(node, Function):
            yield from _called(node, _made(node, "Name"))
        elif isinstance(node, ast.ClassDef):
            yield from _called(node, _made(node, "Attribute"))


def _made(scope: ast.AST, kind: str) -> dict[str, str]:
    """Target -> class for what is bound once in the scope, to a call of a bare name."""
    bound: dict[str, list[str]] = {}
    for node in walk(scope):
        if isinstance(node, ast.Assign):
            made = _instance(node.value)
            for target in node.targets:
                bound.setdefault(ast.unparse(target), []).append(made)
        elif isinstance(node, ast.For | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            bound.setdefault(ast.unparse(node.target), []).append("")
    wanted = "self." if kind == "Attribute" else ""
    return {
        target: classes[0]
        for target, classes in bound.items()
        if len(classes) == 1 and classes[0] and target.startswith(wanted) and ("." in target) == bool(wanted)
    }


def _instance(node: ast.expr) -> str:
    """The class behind `C(...)` and `C(...).to(...)`."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr not in {"to", "cuda", "cpu", "eval", "train", "half", "float", "bfloat16"}:
            return ""
        node = node.func.value
    return _last(node.func) if isinstance(node, ast.Call) else ""


def _called(scope: ast.AST, made: Mapping[str, str]) -> Iterator[tuple[str, ast.Call]]:
    for node in walk(scope):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = made.get(ast.unparse(node.func))
            if name:
                yield name, node


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
