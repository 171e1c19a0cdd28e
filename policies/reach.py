"""Which modules of a bundle its commands reach, and which names anything refers to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.evaluate_args import evaluate_path
from policies.first_party import lookup, resolve
from policies.parsed import Module, ParsedBundle

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
    return any(
        isinstance(node, ast.JoinedStr)
        and any(isinstance(p, ast.Constant) and str(p.value).lstrip().startswith("src.") for p in node.values)
        for node in module.nodes
    ) or any(
        isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2]
        in {"import_module", "__import__", "run_module", "run_path"}
        and not all(isinstance(argument, ast.Constant) for argument in node.args[:1])
        for node in module.nodes
    )


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


def mentions(subject: ParsedBundle) -> dict[str, list[tuple[str, ast.AST]]]:
    """Name -> (file, node) of everything that reads or spells it; a plain import alone does not."""
    return subject.memo("reach.mentions", _mentions)


def _mentions(subject: ParsedBundle) -> dict[str, list[tuple[str, ast.AST]]]:
    found: dict[str, list[tuple[str, ast.AST]]] = {}
    for module, node in subject.walk():
        for name in _names(node):
            found.setdefault(name, []).append((module.path, node))
    for path, text in subject.bundle.tree.items():
        if not path.endswith(".py"):
            for name in set(_WORD.findall(text)):
                found.setdefault(name, []).append((path, ast.Pass()))
    return found


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            return [name]
        case ast.Attribute(attr=name):
            return [name]
        case ast.keyword(arg=str(name)):
            return [name]
        case ast.ImportFrom(names=aliases):
            return [alias.name for alias in aliases if alias.asname]
        case ast.Constant(value=str(text)):
            return _WORD.findall(text) if len(text) < 200 else []
    return []
