"""Describes the classes and functions that the modules of a package offer: members, bases, signatures."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from policies.api_signature import Signature
from policies.class_body import Function, body_of, decorators, dotted
from tools.trial.api_plan import CLOSED_CLASSES, LEAVES, RETURNS, SERVED_BY, Family, Scope
from tools.trial.api_scan import Definition, Origin
from tools.trial.api_signatures import of_overloads, signature_in
from tools.trial.api_tree import PackageTree

PROPERTIES = frozenset({"property", "cached_property"})


@dataclass
class Description:
    """What is known of one package; filled by `describe`."""

    tree: PackageTree
    package: str
    scope: Scope
    homes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Public module -> name -> dotted name where it is defined."""
    classes: dict[str, frozenset[str]] = field(default_factory=dict)
    bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)
    signatures: dict[str, Signature] = field(default_factory=dict)
    returns: dict[str, str] = field(default_factory=dict)

    def add_module(self, module: str, names: Iterable[str]) -> None:
        """Describe every class and function among the public names of a module."""
        found: dict[str, str] = {}
        for name in sorted(names):
            if self.skips(self.tree.first_source(module, name)):
                continue
            resolved = self.tree.resolve(module, name)
            if resolved is None or resolved[1].node is None or self.skips(resolved[0]):
                continue
            found[name] = self._add(*resolved)
        if found:
            self.homes[module] = found

    def finish(self) -> None:
        """Add what only the plan knows: families of classes, and returns that no annotation tells."""
        for family in self.scope.families:
            self._add_family(family)
        self.returns |= {key: kind for key, kind in RETURNS.items() if self._has(key.removesuffix("()"))}

    def _has(self, dotted_name: str) -> bool:
        """Whether a function, class or method is described, or at least listed with its class."""
        owner, _, name = dotted_name.rpartition(".")
        return dotted_name in self.signatures or name in self.classes.get(owner, ())

    def _add_family(self, family: Family) -> None:
        """One class that stands for any of many: it has every name that one of them has."""
        found: set[str] = set()
        for module in self.tree.matching(family.modules):
            scan = self.tree.scan(module)
            for origin in (o for origins in scan.names.values() for o in origins) if scan else ():
                if isinstance(origin.node, ast.ClassDef):
                    found |= body_of(origin.node).names
        self.classes[family.name] = frozenset(n for n in found if not n.startswith("_"))
        self.bases[family.name] = family.bases

    def skips(self, home: str) -> bool:
        """Whether a module is listed by name only."""
        inside = any(home.startswith(part) for part in self.scope.undescribed)
        return inside and not any(home.startswith(part) for part in self.scope.described)

    def _add(self, home: str, origin: Origin) -> str:
        """Describe a definition, once; its canonical name."""
        assert origin.node is not None, "only definitions are described"
        canonical = f"{home}.{origin.node.name}"
        known = canonical in self.signatures or canonical in self.classes
        if known or home.partition(".")[0] != self.package:
            return canonical
        if isinstance(origin.node, ast.ClassDef):
            if len(origin.nodes) == 1:
                self._add_class(home, canonical, origin.node)
        else:
            self._add_function(home, canonical, origin.nodes)
        return canonical

    def _add_function(self, home: str, canonical: str, nodes: tuple[Definition, ...]) -> None:
        readable = _one_function(nodes) and not self._is_stub(home)
        overloads = of_overloads(nodes) if readable else None
        if overloads is not None:
            self.signatures[canonical] = overloads
        self._add_return(home, f"{canonical}()", nodes)

    def _add_class(self, home: str, canonical: str, node: ast.ClassDef) -> None:
        body = body_of(node, closed=canonical in CLOSED_CLASSES)
        extra = CLOSED_CLASSES.get(canonical, frozenset())
        self.classes[canonical] = frozenset(n for n in body.names if not n.startswith("_")) | extra
        patched = self._patched(home, node.name)
        self.classes[canonical] |= patched
        shown = canonical in CLOSED_CLASSES or not self._is_stub(home)
        if not body.complete or not shown or "" in patched:
            self.partial.add(canonical)
        self.bases[canonical] = tuple(self._base(home, text) for text in body.bases)
        if SERVED_BY & set(self.bases[canonical]) and canonical not in CLOSED_CLASSES:
            self.partial.add(canonical)
        signature = None if self._is_stub(home) else signature_in(self.tree, home, node)
        if signature is not None:
            self.signatures[canonical] = signature
        for name, nodes in _methods(node):
            self._add_method(home, f"{canonical}.{name}", nodes)
        for inner in node.body:
            if isinstance(inner, ast.ClassDef) and not inner.name.startswith("_"):
                self._add_class(home, f"{canonical}.{inner.name}", inner)

    def _add_method(self, home: str, dotted_name: str, nodes: tuple[Definition, ...]) -> None:
        if PROPERTIES & set(decorators(nodes[0])):
            self._add_return(home, dotted_name, nodes[:1])
            return
        readable = _one_function(nodes) and not self._is_stub(home)
        signature = of_overloads(nodes, method=True) if readable else None
        if signature is not None:
            self.signatures[dotted_name] = signature
        self._add_return(home, f"{dotted_name}()", nodes)

    def _is_stub(self, home: str) -> bool:
        """Whether native code stands behind the text: it takes other names for arguments as well."""
        file = self.tree.file(home)
        return file is None or file.suffix == ".pyi"

    def _patched(self, home: str, name: str) -> frozenset[str]:
        """Attributes that the module gives to a class of its own from outside."""
        scan = self.tree.scan(home)
        return frozenset(scan.patched.get(name, ())) if scan is not None else frozenset()

    def _base(self, home: str, text: str) -> str:
        """The canonical name of a base, described as well; `?` and its text when it is not found."""
        found = self.tree.definition(home, text)
        if found is None or found[1].node is None:
            scan = self.tree.scan(home)
            plain = scan is not None and ("." in text or _is_builtin(scan.origins(text)))
            return f"?{text.rpartition('.')[2]}" if plain or not text else f"??{text}"
        return self._add(*found)

    def _add_return(self, home: str, key: str, nodes: tuple[Definition, ...]) -> None:
        """Record what a callable returns when every definition of it says the same leaf class."""
        kinds = {self._leaf(home, node) for node in nodes if isinstance(node, Function)}
        if len(kinds) == 1 and (kind := kinds.pop()):
            self.returns[key] = kind

    def _leaf(self, home: str, node: Function) -> str:
        annotation = node.returns
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            text = annotation.value
        else:
            text = dotted(annotation)
        last = text.rpartition(".")[2]
        if isinstance(node, ast.AsyncFunctionDef) or last not in {n.rpartition(".")[2] for n in LEAVES}:
            return ""
        found = self.tree.definition(home, text)
        canonical = f"{found[0]}.{found[1].node.name}" if found and found[1].node else ""
        return canonical if canonical in LEAVES else ""


def _is_builtin(origins: list[Origin]) -> bool:
    """Whether a name is a builtin, or comes from the standard library's plain bases."""
    return not origins or origins[0].module in ("abc", "enum", "typing", "collections", "collections.abc")


def _one_function(nodes: tuple[Definition, ...]) -> bool:
    """Whether several definitions are overloads of one function, not branches of a condition."""
    functions = [node for node in nodes if isinstance(node, Function)]
    before = functions[:-1]
    return all({"overload", "typing_overload"} & set(decorators(node)) for node in before)


def _methods(node: ast.ClassDef) -> Iterator[tuple[str, tuple[Definition, ...]]]:
    """Public methods that the class body defines directly, each with all its definitions."""
    found: dict[str, list[Definition]] = {}
    for statement in node.body:
        if isinstance(statement, Function) and not statement.name.startswith("_"):
            found.setdefault(statement.name, []).append(statement)
    yield from ((name, tuple(nodes)) for name, nodes in found.items())
