"""Which modules of a bundle its commands reach, and which names anything refers to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.evaluate_args import evaluate_path
from policies.first_party import lookup, resolve
from policies.parsed import Module, ParsedBundle

_IMPORTERS = {"import_module", "__import__", "run_module", "run_path"}
_WORD = re.compile(r"[A-Za-z_]\w*")


def reached(subject: ParsedBundle) -> frozenset[str] | None:
    """Paths that the training and evaluation commands import or start; None when that cannot be known."""
    return subject.memo("reach.reached", _reached)


def _reached(subject: ParsedBundle) -> frozenset[str] | None:
    todo = [
        module
        for path in (subject.contract.entry_file, evaluate_path(subject.contract))
        if (module := subject.modules.get(path)) is not None
    ]
    configured = {name for text in subject.bundle.tree.values() for name in _targets(text)}
    todo += [module for module in subject.modules.values() if module.name in configured]
    seen: set[str] = set()
    while todo:
        module = todo.pop()
        if module.path in seen:
            continue
        if module.tree is None or module.empty or _imports_by_computed_name(module):
            return None
        seen.add(module.path)
        todo += _next(subject, module)
    return frozenset(seen)


def _targets(text: str) -> Iterator[str]:
    """Modules that a config names for Hydra to instantiate from."""
    for dotted in re.findall(r"_target_:\s*['\"]?([\w.]+)", text):
        yield dotted.rpartition(".")[0]


def _imports_by_computed_name(module: Module) -> bool:
    """Whether a module's name is put together while running."""
    return any(map(_computes_name, module.nodes))


def _computes_name(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
            return start.lstrip().startswith("src.")
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]):
            return name in _IMPORTERS and not isinstance(first, ast.Constant)
    return False


def _next(subject: ParsedBundle, module: Module) -> Iterator[Module]:
    """What one module imports, anywhere in it, or names in a text, e.g. for a child process."""
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom):
            target = resolve(subject, module, node)
            names = (
                [lookup(subject, f"{target.dotted}.{a.name}").module for a in node.names] if target else []
            )
            yield from (
                found for found in (target and target.module, *names, *_beside(subject, node)) if found
            )
        elif isinstance(node, ast.Import):
            found = [lookup(subject, alias.name).module for alias in node.names]
            yield from (other for other in (*found, *_beside(subject, node)) if other)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "src" in node.value:
            yield from (m for m in subject.modules.values() if m.name in node.value or m.path in node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(".py"):
            yield from (m for m in subject.modules.values() if m.path.endswith(f"/{node.value}"))


def _beside(subject: ParsedBundle, node: ast.Import | ast.ImportFrom) -> Iterator[Module | None]:
    """Modules that an import by bare name means: `from model import build`."""
    names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    yield from (subject.modules.get(f"src/{name}.py") for name in names)


def mentions(subject: ParsedBundle) -> dict[str, list[tuple[str, int]]]:
    """Name -> (file, line) of everything that reads or spells it; a plain import alone does not."""
    return subject.memo("reach.mentions", _mentions)


def _mentions(subject: ParsedBundle) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for module in subject.parsable:
        for node in module.nodes:
            for name in _names(node):
                found.setdefault(name, []).append((module.path, getattr(node, "lineno", 0)))
    for path, text in subject.bundle.tree.items():
        if not path.endswith(".py"):
            for name in set(_WORD.findall(text)):
                found.setdefault(name, []).append((path, 0))
    return found


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id] if isinstance(node.ctx, ast.Load) else []
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.keyword):
        return [node.arg] if node.arg else []
    if isinstance(node, ast.ImportFrom):
        return [alias.name for alias in node.names if alias.asname]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _WORD.findall(node.value) if len(node.value) < 200 else []
    return []
