"""What one class body offers by itself: names, attributes that its methods set, and its bases."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.tree import children, walk

Function = ast.FunctionDef | ast.AsyncFunctionDef


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


REGISTERS = frozenset({"register_buffer", "register_parameter", "register_module", "add_module"})
"""Methods of `torch.nn.Module` that make an attribute of their first argument."""
PLAIN_METACLASSES = frozenset({"ABCMeta", "EnumMeta", "EnumType", "_TensorMeta", "type"})
PLAIN_DECORATORS = words(
    "dataclass final total_ordering runtime_checkable deprecated add_start_docstrings "
    "add_end_docstrings auto_docstring experimental_class deprecated_class export requires "
    "set_module exposed_in unique disjoint_base compatibility docstring_from _dispatchable "
    "_set_module dataclass_transform"
)
"""Class decorators that add no attribute."""
GETTERS = frozenset({"__getattr__", "__getattribute__"})


def dotted(node: ast.AST | None) -> str:
    """`a.b.c` of a name or attribute chain; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[str]:
    """Last parts of the decorators' names."""
    calls = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    return [dotted(call).rpartition(".")[2] for call in calls]


@dataclass(frozen=True)
class Body:
    """The names of a class body; `complete` is False when others may appear that it does not show."""

    names: frozenset[str]
    bases: tuple[str, ...]
    """As they are written, subscripts dropped."""
    complete: bool


def body_of(node: ast.ClassDef, *, closed: bool = False) -> Body:
    """Read a class body; `closed` says that its `__getattr__` is known to add nothing."""
    inner = tuple(_inner(node))
    names = {*_bound(node.body), *(name for n in inner for name in _set_on_instance(n))}
    plain = all(
        k.arg == "metaclass" and dotted(k.value).rpartition(".")[2] in PLAIN_METACLASSES
        for k in node.keywords
    )
    shown = closed or not (GETTERS & names or any(map(_is_dynamic, inner)))
    known = set(decorators(node)) <= PLAIN_DECORATORS
    bases = tuple(dotted(b.value if isinstance(b, ast.Subscript) else b) for b in node.bases)
    return Body(frozenset(names), bases, complete=plain and shown and known)


def _inner(node: ast.ClassDef) -> Iterator[ast.AST]:
    """Everything in the class but the bodies of the classes inside it."""
    pending: list[ast.AST] = list(node.body)
    while pending:
        at = pending.pop()
        yield at
        if not isinstance(at, ast.ClassDef) and getattr(at, "name", "") not in (
            "__setstate__",
            "__setattr__",
        ):
            pending.extend(children(at))


def _bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that the statements of a class body bind, in every branch."""
    for node in body:
        if isinstance(node, ast.ClassDef | Function):
            yield node.name
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        for block in ("body", "orelse", "finalbody"):
            yield from _bound(getattr(node, block, ()))
        for part in getattr(node, "handlers", ()):
            yield from _bound(part.body)
        if not isinstance(node, ast.If | ast.Try | ast.With):
            for name in walk(node):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                    yield name.id
            if isinstance(node, ast.Assign) and "__slots__" in {dotted(t) for t in node.targets}:
                yield from (n.value for n in walk(node.value) if _is_text(n))  # type: ignore[attr-defined]  # a constant


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _set_on_instance(node: ast.AST) -> Iterator[str]:
    """Attributes that a statement in a method gives to an object; which object is not asked."""
    match node:
        case ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.Call(
            func=ast.Name(id="setattr") | ast.Attribute(attr="__setattr__"),
            args=[*_, ast.Constant(value=str(name)), _],
        ):
            yield name
        case ast.Call(func=ast.Attribute(attr=verb), args=[ast.Constant(value=str(name)), *_]):
            if verb in REGISTERS:
                yield name
        case _:
            pass


def _is_dynamic(node: ast.AST) -> bool:
    """Whether attributes may appear under names that the text does not show."""
    match node:
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(), _]):
            return False
        case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id="self" | "cls"), *_]):
            return True
        case ast.Call(func=ast.Attribute(value=value, attr="__setattr__"), args=[*_, name, _]):
            own = isinstance(value, ast.Call) or dotted(value) in ("object", "self")
            return own and not isinstance(name, ast.Constant)
        case ast.Call(func=ast.Attribute(attr=verb), args=[name, _]) if verb in REGISTERS:
            return not isinstance(name, ast.Constant)
        case ast.Call(func=ast.Attribute(value=ast.Attribute(value=value, attr="__dict__"), attr="update")):
            return dotted(value) in ("self", "cls")
        case ast.Subscript(value=ast.Attribute(value=value, attr="__dict__"), ctx=ast.Store()):
            return dotted(value) in ("self", "cls")
        case ast.Call(func=ast.Name(id="vars"), args=[ast.Name(id="self")]):
            return True
        case _:
            return False
