"""Which names of third-party packages a module uses, followed through import aliases."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.parsed import Module, per_module

CATCHES = frozenset(
    {"ImportError", "ModuleNotFoundError", "AttributeError", "TypeError", "Exception", "BaseException"}
)


_ASKS = re.compile(r"TYPE_CHECKING|hasattr\(|\bis_\w+_available\(")
"""Conditions under which a name may be used that is not there otherwise."""


_BINDERS = (
    ast.Name,
    ast.arg,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
)


@dataclass(frozen=True)
class Use:
    """One place where a dotted name of a package is used."""

    dotted: str
    """Full name through aliases, e.g. `torch.optim.AdamW`."""
    node: ast.ImportFrom | ast.Import | ast.Attribute
    alias: ast.alias | None = None
    """The imported name, for import statements."""

    @property
    def line(self) -> int:
        """1-based."""
        return self.alias.lineno if self.alias is not None else self.node.lineno

    @property
    def bound(self) -> str:
        """The local name that an import statement binds."""
        return (self.alias.asname or self.alias.name) if self.alias is not None else ""


def uses_of(module: Module) -> Iterator[Use]:
    """Every use that is certain to be evaluated and that nothing guards, in source order."""
    yield from (use for use in all_uses(module) if is_needed(module, use))


@per_module
def all_uses(module: Module) -> tuple[Use, ...]:
    """Every use, in source order."""
    bound = bindings(module)
    found: list[Use] = []
    for node in module.nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.extend(_imported(node))
        elif isinstance(node, ast.Attribute) and not isinstance(module.parents.get(node), ast.Attribute):
            dotted = full_name(node, bound)
            if dotted and isinstance(node.ctx, ast.Load):
                found.append(Use(dotted, node))
    return tuple(sorted(found, key=lambda use: (use.line, use.node.col_offset)))


def is_needed(module: Module, use: Use) -> bool:
    """Whether a use is certain to be evaluated and nothing provides for its failure."""
    parts = use.dotted.split(".")[1:]
    return _guarded(module).isdisjoint(parts) and not is_guarded(module, use.node)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[Use]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield Use(alias.name, node, alias)
        elif not node.level and node.module and alias.name != "*":
            yield Use(f"{node.module}.{alias.name}", node, alias)


@per_module
def bindings(module: Module) -> Mapping[str, str]:
    """Local name -> dotted third-party name, for names that the module binds in one way only."""
    found: dict[str, set[str]] = {}
    for node in module.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found.setdefault(alias.asname or top, set()).add(alias.name if alias.asname else top)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                source = "" if node.level else f"{node.module}.{alias.name}"
                found.setdefault(alias.asname or alias.name, set()).add(source)
        elif isinstance(node, _BINDERS):
            for name in _bound_otherwise(node):
                found.setdefault(name, set()).add("")
    return {
        name: next(iter(sources))
        for name, sources in found.items()
        if len(sources) == 1 and "" not in sources
    }


def _bound_otherwise(node: ast.AST) -> Iterator[str]:
    """Names that a node binds by other means than an import."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case _:
            pass


def full_name(node: ast.AST, bound: Mapping[str, str]) -> str:
    """The dotted third-party name that an expression means; empty when it means none for certain."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in bound:
        return ""
    return ".".join([bound[node.id], *reversed(parts)])


def is_guarded(module: Module, node: ast.AST) -> bool:
    """Whether the node may fail harmlessly: in a try, a version test, a type check or an annotation."""
    child = node
    while (parent := module.parents.get(child)) is not None:
        if isinstance(parent, ast.Try) and child in parent.body and any(map(_catches, parent.handlers)):
            return True
        if (
            isinstance(parent, ast.If | ast.IfExp)
            and child is not parent.test
            and _tests_version(parent.test)
        ):
            return True
        if _is_unevaluated(module, parent, child) or _expects_failure(parent):
            return True
        child = parent
    return False


def _expects_failure(node: ast.AST) -> bool:
    """`with pytest.raises(...)`, `with self.assertRaises(...)`, `with suppress(...)`."""
    return isinstance(node, ast.With | ast.AsyncWith) and any(
        isinstance(item.context_expr, ast.Call)
        and ast.unparse(item.context_expr.func).lower().endswith(("raises", "raisesregex", "suppress"))
        for item in node.items
    )


def is_swallowed(module: Module, node: ast.AST) -> bool:
    """Whether the only thing around a node that provides for failure is a handler of every exception.

    Such a handler keeps the run alive, but was not written for a name that does not exist.
    """
    child, swallowed = node, False
    while (parent := module.parents.get(child)) is not None:
        if isinstance(parent, ast.Try) and child in parent.body and any(map(_catches, parent.handlers)):
            if not all(map(_catches_all, parent.handlers)):
                return False
            swallowed = True
        elif (
            isinstance(parent, ast.If | ast.IfExp)
            and child is not parent.test
            and _tests_version(parent.test)
        ) or _is_unevaluated(module, parent, child):
            return False
        child = parent
    return swallowed


def _catches_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException")


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(kind).rpartition(".")[2] in CATCHES for kind in kinds)


def _tests_version(test: ast.expr) -> bool:
    text = ast.unparse(test)
    return "version" in text.lower() or _ASKS.search(text) is not None


def _is_unevaluated(module: Module, parent: ast.AST, child: ast.AST) -> bool:
    """Whether `child` is an annotation that Python does not evaluate."""
    postponed = _postpones(module)
    match parent:
        case ast.AnnAssign(annotation=annotation) if annotation is child:
            return postponed or module.enclosing_function(parent) is not None
        case ast.arg(annotation=annotation) if annotation is child:
            return postponed
        case ast.FunctionDef(returns=returns) | ast.AsyncFunctionDef(returns=returns) if returns is child:
            return postponed
        case _:
            return False


def _postpones(module: Module) -> bool:
    body = module.tree.body if module.tree is not None else []
    return any(
        isinstance(n, ast.ImportFrom)
        and n.module == "__future__"
        and any(a.name == "annotations" for a in n.names)
        for n in body
    )


@per_module
def _guarded(module: Module) -> frozenset[str]:
    """Names that the module asks for with hasattr or getattr, or sets itself: absence is provided for."""
    found: set[str] = set()
    for node in module.nodes:
        match node:
            case ast.Call(
                func=ast.Name(id="hasattr" | "getattr" | "setattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ):
                found.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()):
                found.add(name)
            case _:
                pass
    return frozenset(found)
