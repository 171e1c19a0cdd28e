"""The classes of a bundle: what their objects surely have, and which attributes are set on anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from policies.api_library import Known, Library, plain_members
from policies.api_usage import bindings, full_name
from policies.class_body import body_of, decorators
from policies.first_party import resolve
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle

ROOTS = frozenset({"object", "Generic", "ABC", "Protocol"})


@dataclass(frozen=True)
class OwnClass:
    """A class statement of the bundle."""

    module: Module
    node: ast.ClassDef

    @property
    def key(self) -> str:
        """What stands for it among types."""
        return f"{self.module.path}::{self.node.name}"


@dataclass
class OwnClasses:
    """Every class of a bundle, with what other code may add to its objects."""

    subject: ParsedBundle
    library: Library
    top: dict[str, OwnClass] = field(default_factory=dict)
    """Key -> class at the top level of a module, when its module binds the name once."""
    stores: dict[str, list[tuple[str, ast.AST | None]]] = field(default_factory=dict)
    """Attribute -> path and value of every assignment to it, on any object; the value of a plain one only."""
    asked: set[str] = field(default_factory=set)
    """Attributes that code asks for with hasattr or getattr, or sets by name."""
    called: set[str] = field(default_factory=set)
    """Last parts of the names of everything that is called."""
    imported: dict[tuple[str, str], str] = field(default_factory=dict)
    """Path and local name -> key of the class that an import gives it."""

    def __post_init__(self) -> None:
        for module in self.subject.parsable:
            for node in module.nodes:
                if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                    self._store(module, node)
                elif isinstance(node, ast.Call):
                    self._ask(node)
                    self.called.add(_last(node.func))
                elif isinstance(node, ast.ClassDef) and module.parents.get(node) is module.tree:
                    own = OwnClass(module, node)
                    self.top[own.key] = own
        for module in self.subject.parsable:
            self._follow_imports(module)
        self._members: dict[int, frozenset[str] | None] = {}

    def _store(self, module: Module, node: ast.Attribute) -> None:
        parent = module.parents.get(node)
        plain = isinstance(parent, ast.Assign) and len(parent.targets) == 1 and parent.targets[0] is node
        value = parent.value if plain and isinstance(parent, ast.Assign) else None
        self.stores.setdefault(node.attr, []).append((module.path, value))

    def _ask(self, node: ast.Call) -> None:
        match node:
            case ast.Call(
                func=ast.Name(id="hasattr" | "getattr" | "setattr" | "delattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ):
                self.asked.add(name)
            case _:
                pass

    def _follow_imports(self, module: Module) -> None:
        for node in of_kind(module, ast.ImportFrom):
            target = resolve(self.subject, module, node)
            path = target.module.path if target is not None and target.module is not None else ""
            for alias in node.names:
                if f"{path}::{alias.name}" in self.top:
                    self.imported[module.path, alias.asname or alias.name] = f"{path}::{alias.name}"

    def named(self, module: Module, name: str) -> str:
        """The key of the class that a global name of a module means; empty when it means none."""
        key = f"{module.path}::{name}"
        return key if key in self.top else self.imported.get((module.path, name), "")

    def members(self, own: OwnClass) -> frozenset[str] | None:
        """Every name that objects of the class may have; None when that cannot be listed."""
        if id(own.node) not in self._members:
            self._members[id(own.node)] = None  # a circle of bases tells nothing
            self._members[id(own.node)] = self._members_of(own)
        return self._members[id(own.node)]

    def _members_of(self, own: OwnClass) -> frozenset[str] | None:
        body = body_of(own.node)
        if not body.complete or "dataclass_transform" in decorators(own.node):
            return None
        found = set(body.names)
        for base in own.node.bases:
            inherited = self._inherited(own.module, base)
            if inherited is None:
                return None
            found |= inherited
        return frozenset(found)

    def _inherited(self, module: Module, base: ast.expr) -> frozenset[str] | None:
        bare = base.value if isinstance(base, ast.Subscript) else base
        if isinstance(bare, ast.Name) and (key := self.named(module, bare.id)):
            return self.members(self.top[key])
        if isinstance(bare, ast.Name) and bare.id not in bindings(module):
            return plain_members(bare.id) if not self._binds(module, bare.id) else None
        dotted = full_name(bare, bindings(module))
        if dotted.rpartition(".")[2] in ROOTS and dotted.partition(".")[0] in ("abc", "typing"):
            return plain_members("object")
        found = self.library.find(dotted) if dotted else None
        return self.library.members(found.home) if isinstance(found, Known) else None

    def _binds(self, module: Module, name: str) -> bool:
        return any(n.name == name for n in of_kind(module, ast.ClassDef, ast.FunctionDef))

    def below(self, own: OwnClass) -> frozenset[str]:
        """What classes that may extend this one add: any class of the bundle that names it as a base."""
        found: set[str] = set()
        for other in self.top.values():
            names = {
                b.attr if isinstance(b, ast.Attribute) else getattr(b, "id", "") for b in other.node.bases
            }
            if own.node.name in names and other.node is not own.node:
                found |= body_of(other.node).names | self.below(other)
        return frozenset(found)

    def lacks(self, own: OwnClass, name: str) -> bool:
        """Whether objects of a class surely have no attribute of this name."""
        if name.startswith("__") or name in self.stores or name in self.asked or not self.is_made(own):
            return False
        if name.startswith("_") and self.hides(own):
            return False
        members = self.members(own)
        return members is not None and name not in members and name not in self.below(own)

    def hides(self, own: OwnClass, depth: int = 0) -> bool:
        """Whether a base comes from a package, whose private names are not listed."""
        bases = [b.value if isinstance(b, ast.Subscript) else b for b in own.node.bases]
        keys = [self.named(own.module, b.id) if isinstance(b, ast.Name) else "" for b in bases]
        above = [self.top[key] for key in keys if key]
        return not all(keys) or depth > len(self.top) or any(self.hides(base, depth + 1) for base in above)

    def is_made(self, own: OwnClass) -> bool:
        """Whether code calls the class by its name: one that nothing makes may be part of others."""
        return own.node.name in self.called


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def self_reads(module: Module) -> Iterator[tuple[ast.ClassDef, ast.Attribute]]:
    """Every `self.name` that is read in a method, with the class of the method."""
    for node in module.nodes:
        match node:
            case ast.Attribute(value=ast.Name(id="self"), ctx=ast.Load()):
                owner = _class_of(module, node)
                if owner is not None:
                    yield owner, node
            case _:
                pass


def _class_of(module: Module, node: ast.AST) -> ast.ClassDef | None:
    """The class whose method gave `self` its meaning; None when something else did."""
    at: ast.AST | None = node
    while (at := module.parents.get(at)) is not None:  # type: ignore[arg-type]  # at is set in the loop
        if isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            names = [*at.args.posonlyargs, *at.args.args, *at.args.kwonlyargs]
            if any(argument.arg == "self" for argument in names):
                parent = module.parents.get(at)
                plain = isinstance(at, ast.FunctionDef | ast.AsyncFunctionDef) and names[0].arg == "self"
                return parent if plain and isinstance(parent, ast.ClassDef) else None
        elif isinstance(at, ast.ClassDef):
            return None
    return None
