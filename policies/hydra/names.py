"""Name look-ups that the data-flow pass needs: dotted names, imports, the bundle's own functions."""

from __future__ import annotations

import ast
from collections import Counter
from contextlib import suppress

from policies.hydra.values import Class, Function
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle, per_module


def dotted_name(node: ast.AST) -> str:
    """`a.b.c` for a chain of attributes on a name; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


@per_module
def imported_names(module: Module) -> dict[str, str]:
    """Local name -> dotted origin, for every import of a module; relative ones are resolved."""
    names: dict[str, str] = {}
    for node in module.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            names |= {a.asname or a.name: f"{base}.{a.name}".strip(".") for a in node.names}
    return names


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parents = module.name.split(".")[: -node.level]
    return ".".join([*parents, *([node.module] if node.module else [])])


def origin(module: Module, node: ast.AST) -> str:
    """The dotted origin of a name or attribute chain, e.g. `omegaconf.OmegaConf.merge`."""
    known: dict[ast.AST, str] = module.memo("origins", _nothing)
    full = known.get(node)
    if full is None:
        head, _, rest = dotted_name(node).partition(".")
        start = imported_names(module).get(head, head)
        full = known[node] = f"{start}.{rest}" if rest else start
    return full


def _nothing(module: Module) -> dict[ast.AST, str]:
    """Nodes with their origin; none at first."""
    return {}


def local_functions(subject: ParsedBundle, module: Module) -> dict[str, Function]:
    """Functions that a module's global names mean: its own, and those imported from the bundle."""
    found: dict[str, Function] = {}
    for name, full in imported_names(module).items():
        parent, _, attribute = full.rpartition(".")
        other = subject.modules.get(parent.replace(".", "/") + ".py")
        function = own_functions(other).get(attribute) if other is not None else None
        if function is not None:
            found[name] = function
    return found | own_functions(module)


def local_names(subject: ParsedBundle, module: Module) -> dict[str, Function | Class]:
    """Functions and classes of the bundle that a module's global names mean."""
    return subject.memo(
        f"hydra.names.{module.path}",
        lambda s: {**local_functions(s, module), **local_classes(s, module)},
    )


def member(subject: ParsedBundle, module: Module, node: ast.Attribute) -> Function | Class | None:
    """The function or class of the bundle that `preprocess.build` means, where a module was imported."""
    parent, _, attribute = origin(module, node).rpartition(".")
    other = subject.modules.get(parent.replace(".", "/") + ".py")
    if other is None or other is module:
        return None
    return own_functions(other).get(attribute) or own_classes(other).get(attribute)


def local_classes(subject: ParsedBundle, module: Module) -> dict[str, Class]:
    """Classes that a module's global names mean: its own, and those imported from the bundle."""
    found: dict[str, Class] = {}
    for name, full in imported_names(module).items():
        parent, _, attribute = full.rpartition(".")
        other = subject.modules.get(parent.replace(".", "/") + ".py")
        if other is not None and attribute in own_classes(other):
            found[name] = own_classes(other)[attribute]
    return found | own_classes(module)


@per_module
def own_classes(module: Module) -> dict[str, Class]:
    """Module-level classes by name."""
    body = module.tree.body if module.tree else []
    return {n.name: Class(module, n) for n in body if isinstance(n, ast.ClassDef)}


@per_module
def own_functions(module: Module) -> dict[str, Function]:
    """Module-level functions by name."""
    body = module.tree.body if module.tree else []
    return {
        n.name: Function(module, n) for n in body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@per_module
def literal_tables(module: Module) -> dict[str, dict[object, object]]:
    """Dictionaries of literals that a module binds once, at its top, and never writes to."""
    body = module.tree.body if module.tree else []
    written = Counter(
        dotted_name(node.value) if isinstance(node, ast.Subscript) else getattr(node, "id", "")
        for node in of_kind(module, ast.Name, ast.Subscript)
        if not isinstance(node.ctx, ast.Load)
    )
    found: dict[str, dict[object, object]] = {}
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict) and len(node.targets) == 1:
            name = dotted_name(node.targets[0])
            with suppress(ValueError, TypeError):  # computed values; keys that cannot be keys
                found |= {name: ast.literal_eval(node.value)} if written[name] == 1 else {}
    return found
