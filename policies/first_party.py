"""How the modules of a bundle find each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from policies.bindings import bindings
from policies.kinds import each, of_kind
from policies.parsed import Module, ParsedBundle, parse_module

GENERATED = re.compile(r"_*(?:version|build|generated)_*(?:info)?|.+_pb2(?:_grpc)?")
"""Names of modules that are usually written by a build, and then are in no repository."""


@dataclass(frozen=True)
class Target:
    """What an import of the bundle's own code points to."""

    dotted: str
    """Absolute name, e.g. `src.model`; empty when a relative import leaves the top package."""
    exists: bool
    """A module file or a folder."""
    module: Module | None
    """None for a folder without `__init__.py`."""


def resolve(subject: ParsedBundle, module: Module, node: ast.ImportFrom) -> Target | None:
    """The bundle's module that `from ... import` names; None when the import goes elsewhere."""
    dotted = node.module or ""
    if node.level:
        package = module.name.split(".")[: -node.level]
        if not package:
            return Target("", False, None)
        dotted = ".".join([*package, *([node.module] if node.module else [])])
    return lookup(subject, dotted) if node.level or is_own(subject, dotted) else None


def is_own(subject: ParsedBundle, dotted: str) -> bool:
    """Whether the top of a dotted name is a folder of the bundle with code, or a module beside it."""
    tops = [root + dotted.partition(".")[0] for root in subject.import_roots]
    return any(path.startswith(f"{top}/") or path == f"{top}.py" for path in subject.modules for top in tops)


def lookup(subject: ParsedBundle, dotted: str) -> Target:
    """The module or folder of this name."""
    paths = [root + dotted.replace(".", "/") for root in subject.import_roots]
    for file in (file for path in paths for file in (f"{path}.py", f"{path}/__init__.py")):
        if (module := _module(subject, file)) is not None:
            return Target(dotted, True, module)
    if _made_elsewhere(subject, paths):
        return Target(dotted, True, Module(f"{paths[0]}.py", "", None, "it is not a Python file"))
    folder = any(name.startswith(f"{path}/") for name in subject.bundle.tree for path in paths)
    return Target(dotted, folder, None)


def _module(subject: ParsedBundle, file: str) -> Module | None:
    text = subject.bundle.given.get(file)
    return subject.modules.get(file) or (None if text is None else parse_module(file, text))


def _made_elsewhere(subject: ParsedBundle, paths: Sequence[str]) -> bool:
    """Whether a module is compiled, or of a kind that a project's build generates."""
    if subject.contract.kind == "experiment":
        return False
    if any(GENERATED.fullmatch(path.rpartition("/")[2]) for path in paths):
        return True
    others = (*subject.bundle.given, *subject.bundle.binaries)
    return any(name.startswith(f"{path}.") for name in others for path in paths)


def provides(subject: ParsedBundle, target: Target, name: str) -> bool | None:
    """Whether `from target import name` works; None when that cannot be known."""
    if lookup(subject, f"{target.dotted}.{name}").exists:
        return True
    if target.module is None:
        return False
    if target.module.tree is None:
        return None
    known = bindings(target.module)
    if name in known.names:
        return True
    if known.dynamic or _through_star(subject, target.module, name):
        return None
    return name in {"__file__", "__name__", "__doc__"}


def _through_star(subject: ParsedBundle, module: Module, name: str) -> bool:
    """Whether a star import may bring the name: one from outside always may."""
    for star in bindings(module).stars:
        target = resolve(subject, module, star)
        if target is None or target.module is None or target.module.tree is None:
            return True
        source = bindings(target.module)
        if source.dynamic or source.stars or (name in source.names and not name.startswith("_")):
            return True
    return False


def definer(subject: ParsedBundle, name: str, *, besides: Module) -> Module | None:
    """The one other module that defines `name` itself and can be imported from `besides` without a cycle."""
    found = [m for m in subject.parsable if m is not besides and name in bindings(m).defined]
    if len(found) != 1 or _reaches(subject, found[0], besides):
        return None
    return found[0]


def _reaches(subject: ParsedBundle, start: Module, goal: Module) -> bool:
    """Whether importing `start` imports `goal`."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        module = todo.pop()
        if module.path == goal.path:
            return True
        if module.path in seen or module.tree is None:
            continue
        seen.add(module.path)
        for node in module.tree.body:
            if isinstance(node, ast.ImportFrom):
                todo += _imported_modules(subject, module, node)
    return False


def _imported_modules(subject: ParsedBundle, module: Module, node: ast.ImportFrom) -> list[Module]:
    target = resolve(subject, module, node)
    if target is None:
        return []
    members = [lookup(subject, f"{target.dotted}.{alias.name}").module for alias in node.names]
    return [found for found in (target.module, *members) if found is not None]


def prefers_relative(subject: ParsedBundle, module: Module) -> bool:
    """Whether the module, or else the bundle, writes `from .model` rather than `from src.model`."""
    for modules in ((module,), subject.parsable):
        nodes = [n for m in modules for n in of_kind(m, ast.ImportFrom)]
        relative = sum(1 for node in nodes if node.level)
        absolute = sum(1 for node in nodes if not node.level and (node.module or "").startswith("src."))
        if relative != absolute:
            return relative > absolute
    return False


def import_path(subject: ParsedBundle, module: Module, target: Module) -> str:
    """How `module` would write the module part of `from ... import`."""
    package, _, name = target.name.rpartition(".")
    if module.name.rpartition(".")[0] == package and prefers_relative(subject, module):
        return f".{name}"
    root = next((r for r in reversed(subject.import_roots) if target.path.startswith(r)), "")
    return target.path.removeprefix(root).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def runs_elsewhere(subject: ParsedBundle) -> bool:
    """Whether code changes the import path, or starts a module by its file name, which does the same."""
    return subject.memo("first_party.elsewhere", _runs_elsewhere)


def _runs_elsewhere(subject: ParsedBundle) -> bool:
    texts = (n.value for _, n in each(subject, ast.Constant) if isinstance(n.value, str))
    if any(text == "PYTHONPATH" or (text.endswith(".py") and " " not in text) for text in texts):
        return True
    paths = (n.value for _, n in each(subject, ast.Attribute) if n.attr == "path")
    return any(isinstance(owner, ast.Name) and owner.id == "sys" for owner in paths)
