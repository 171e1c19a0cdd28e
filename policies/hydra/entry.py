"""Finds the functions that `@hydra.main` turns into entry points, and reads their decorator."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from policies.hydra.places import place_of
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle

ABSENT = object()
"""Marks a decorator argument that is not given, which differs from None."""


@dataclass(frozen=True)
class Entry:
    """One decorated function."""

    module: Module
    function: ast.FunctionDef
    decorator: ast.expr
    config_path: object
    """The literal, None, or ABSENT; an `ast.expr` when it is computed."""
    config_name: object
    version_base: object

    @property
    def line(self) -> int:
        """1-based line of the decorator."""
        return self.decorator.lineno

    @property
    def parameter(self) -> str:
        """Name of the function's config parameter; empty when it takes none."""
        args = [*self.function.args.posonlyargs, *self.function.args.args]
        return args[0].arg if args else ""

    @property
    def config_dir(self) -> str | None:
        """The config folder relative to the bundle's root; None when it is not a literal path."""
        if not isinstance(self.config_path, str):
            return None
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.module.path), self.config_path))

    @property
    def config_file(self) -> str | None:
        """Path of the primary config inside the bundle; None when unknown or not named."""
        if self.config_dir is None or not isinstance(self.config_name, str):
            return None
        return posixpath.join(self.config_dir, self.config_name.removesuffix(".yaml") + ".yaml")

    @property
    def changes_directory(self) -> bool:
        """Whether this Hydra version base changes the working directory unless the config forbids it."""
        if self.version_base is ABSENT:
            return True
        return isinstance(self.version_base, str) and self.version_base < "1.2"


def entries(subject: ParsedBundle) -> tuple[Entry, ...]:
    """Every Hydra entry point of the bundle, in path and line order."""
    return tuple(entry for module in subject.parsable for entry in _entries_of(module))


def _entries_of(module: Module) -> Iterator[Entry]:
    names = main_names(module)
    for node in of_kind(module, ast.FunctionDef):
        for decorator in node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            if ast.unparse(target) in names:
                yield _entry(module, node, decorator)


def main_names(module: Module) -> set[str]:
    """How the module spells `hydra.main`."""
    names: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.Import):
            names |= {f"{a.asname or a.name}.main" for a in node.names if a.name == "hydra"}
        elif isinstance(node, ast.ImportFrom) and node.module == "hydra" and not node.level:
            names |= {a.asname or a.name for a in node.names if a.name == "main"}
    return names


def _entry(module: Module, function: ast.FunctionDef, decorator: ast.expr) -> Entry:
    given: dict[str, object] = {"config_path": ABSENT, "config_name": ABSENT, "version_base": ABSENT}
    if isinstance(decorator, ast.Call):
        for name, value in zip(("config_path", "config_name", "version_base"), decorator.args, strict=False):
            given[name] = _literal(value, module)
        for keyword in decorator.keywords:
            if keyword.arg in given:
                given[keyword.arg] = _literal(keyword.value, module)
    if isinstance(given["config_path"], ast.expr):
        given["config_path"] = _computed(given["config_path"], module)
    return Entry(module, function, decorator, **given)


def _computed(node: ast.expr, module: Module) -> object:
    """A folder that is found from `__file__`, as it reads from the module's own; else the expression."""
    place = place_of(module, node)
    return node if place is None else posixpath.relpath(place or ".", posixpath.dirname(module.path) or ".")


def _literal(node: ast.expr, module: Module) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    if not isinstance(node, ast.Name) or module.tree is None:
        return node
    constants = [
        s for s in module.tree.body if isinstance(s, ast.Assign) and isinstance(s.value, ast.Constant)
    ]
    for statement in constants:
        if any(isinstance(t, ast.Name) and t.id == node.id for t in statement.targets):
            return cast(ast.Constant, statement.value).value
    return node
