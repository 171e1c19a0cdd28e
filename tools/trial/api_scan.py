"""Reads one module's source: which names it binds, and where they come from. Nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from policies.class_body import dotted

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_STRUCTURE = re.compile(r"^_?import_structure$")


_UNUSUAL = re.compile(r"\bglobal\b|globals\(|vars\(|setattr\(|:=|import_structure")
"""What a module must contain to bind names by other ways than statements at its top level."""


@dataclass(frozen=True)
class Origin:
    """Where a name comes from: `module` (and `name` inside it), a local definition, or an opaque value."""

    module: str = ""
    name: str = ""
    dotted: str = ""
    """`a.b.c` of an assignment `x = a.b.c`."""
    node: Definition | None = None
    others: tuple[Definition, ...] = ()
    """Earlier definitions of the same name in the same module: overloads, or branches of a condition."""

    @property
    def nodes(self) -> tuple[Definition, ...]:
        """Every definition, the last one last."""
        return (*self.others, *((self.node,) if self.node is not None else ()))


def overloaded(origins: Sequence[Origin]) -> Origin:
    """One origin for several definitions of a name."""
    nodes = tuple(origin.node for origin in origins if origin.node is not None)
    return Origin(node=nodes[-1], others=nodes[:-1])


@dataclass
class Scan:
    """What one module binds at its top level, in every branch of its conditions."""

    module: str
    is_package: bool
    names: dict[str, list[Origin]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    """Modules whose public names are star-imported."""
    exports: frozenset[str] | None = None
    """`__all__`, when it is a literal."""
    opaque: bool = False
    """Names may appear that the text does not show."""
    lazy: bool = False
    """Names are served from a literal import structure."""
    scanned_folders: tuple[str, ...] = ()
    """Folders whose files' `__all__` are served lazily; empty string for the module's own."""

    patched: dict[str, set[str]] = field(default_factory=dict)
    """Name -> attributes that the module sets on it; an empty one stands for any."""

    def bind(self, name: str, origin: Origin | None = None) -> None:
        """Record that `name` exists."""
        self.names.setdefault(name, []).append(origin or Origin())

    def origins(self, name: str) -> list[Origin]:
        """The distinct places that `name` comes from; more than one when branches differ."""
        found: list[Origin] = []
        for origin in self.names.get(name, []):
            if origin not in found:
                found.append(origin)
        return found


def scan_module(module: str, text: str, *, is_package: bool) -> Scan | None:
    """Scan source text (`.py` or `.pyi`); None when it does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    scan = Scan(module, is_package)
    for node in _statements(tree.body):
        _statement(scan, node)
    if _UNUSUAL.search(text):
        _globals(scan, tree)
    if scan.lazy:
        scan.opaque = False
    return scan


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Every module-level statement, those inside if, try, with and loops included."""
    for node in body:
        yield node
        for block in ("body", "orelse", "finalbody"):
            if not isinstance(node, Definition):
                yield from _statements(getattr(node, block, []))
        for part in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            yield from _statements(part.body)


def _statement(scan: Scan, node: ast.stmt) -> None:
    """Record what one statement binds."""
    match node:
        case ast.Import(names=aliases):
            for alias in aliases:
                top = alias.name.partition(".")[0]
                scan.bind(alias.asname or top, Origin(module=alias.name if alias.asname else top))
        case ast.ImportFrom():
            _import_from(scan, node)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            scan.opaque |= node.name == "__getattr__"
            scan.bind(node.name, Origin(node=node))
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _assign(scan, target, value)
        case ast.AnnAssign(target=target, value=value):
            _assign(scan, target, value)
        case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
            scan.exports = _joined(scan.exports, _strings(value))
        case ast.For(target=target) | ast.AsyncFor(target=target):
            _assign(scan, target, None)
        case ast.With(items=items):
            for item in items:
                if item.optional_vars is not None:
                    _assign(scan, item.optional_vars, None)
        case _:
            pass


def _import_from(scan: Scan, node: ast.ImportFrom) -> None:
    source = _absolute(scan, node)
    for alias in node.names:
        if alias.name == "*":
            scan.stars.append(source)
        else:
            scan.bind(alias.asname or alias.name, Origin(module=source, name=alias.name))
    if node.level and source.startswith(f"{scan.module}.") and scan.is_package:
        scan.bind(source.removeprefix(f"{scan.module}.").partition(".")[0])


def _absolute(scan: Scan, node: ast.ImportFrom) -> str:
    """The absolute module that a `from` statement reads."""
    if not node.level:
        return node.module or ""
    parts = scan.module.split(".") if scan.is_package else scan.module.split(".")[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _assign(scan: Scan, target: ast.expr, value: ast.expr | None) -> None:
    """Record an assignment target."""
    match target:
        case ast.Name(id="__all__"):
            scan.exports = None if value is None else _joined(frozenset(), _strings(value))
        case ast.Name(id=name):
            scan.bind(name, Origin(dotted=dotted(value)) if value is not None else None)
            if _STRUCTURE.match(name):
                _structure(scan, value)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                _assign(scan, part, None)
        case ast.Starred(value=part):
            _assign(scan, part, None)
        case ast.Attribute(value=ast.Name(id=base), attr=name):
            scan.patched.setdefault(base, set()).add(name)
            if base == scan.module:
                scan.bind(name)
        case ast.Subscript(value=ast.Call(func=ast.Name(id="globals" | "vars"))):
            scan.opaque = True
        case ast.Subscript(value=ast.Name(id=base), slice=ast.Constant(value=str(key))) if _STRUCTURE.match(
            base
        ):
            _serve(scan, key, value)
        case ast.Subscript(value=ast.Attribute(attr="modules"), slice=key):
            scan.opaque |= not (isinstance(key, ast.Constant) and key.value != scan.module)
        case _:
            pass


def _structure(scan: Scan, value: ast.expr | None) -> None:
    """Read `{"module": ["Name", ...]}`, the lazy-import structure of the Hugging Face libraries."""
    if isinstance(value, ast.Dict):
        scan.lazy = True
        for key, names in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                _serve(scan, key.value, names)


def _serve(scan: Scan, submodule: str, names: ast.expr | None) -> None:
    """Record the names that a lazily imported submodule provides."""
    scan.bind(submodule.partition(".")[0])
    for name in _strings(names) or ():
        scan.bind(name, Origin(module=f"{scan.module}.{submodule}", name=name))


def _globals(scan: Scan, tree: ast.Module) -> None:
    """Record what appears by other ways than statements: `global`, `globals()`, lazy structures, walrus."""
    for node in ast.walk(tree):
        match node:
            case ast.Global(names=names):
                for name in names:
                    scan.bind(name)
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="globals" | "vars")), attr=verb)
            ):
                scan.opaque |= verb in ("update", "setdefault", "__setitem__")
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Subscript(value=ast.Name(id=base), slice=key), attr="extend" | "append"
                ),
                args=[names],
            ) if _STRUCTURE.match(base) and isinstance(key, ast.Constant):
                _serve(scan, str(key.value), names)
            case ast.Call(func=ast.Name(id="define_import_structure"), args=[folder, *_]):
                scan.lazy = True
                scan.scanned_folders += tuple(_path_parts(folder)[:1]) or ("",)
            case ast.NamedExpr(target=ast.Name(id=name)):
                scan.bind(name)
            case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=base), key, _]):
                known = isinstance(key, ast.Constant) and isinstance(key.value, str)
                scan.patched.setdefault(base, set()).add(str(key.value) if known else "")  # type: ignore[attr-defined]  # a constant
            case _:
                pass


def _path_parts(node: ast.expr) -> list[str]:
    """The literal right-hand parts of `Path(...) / "a"`."""
    return [
        n.value
        for n in ast.walk(node)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and n.value != "__file__"
    ]


def _strings(node: ast.expr | None) -> frozenset[str] | None:
    """The strings of a literal list, tuple or string; None when something else is in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return frozenset({node.value})
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined(_strings(node.left), _strings(node.right))
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return None
    found = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    return frozenset(found) if len(found) == len(node.elts) else None


def _joined(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """The union, unknown when either part is."""
    return None if one is None or other is None else one | other


_EXPORTS = re.compile(r"^__all__\s*\+?=\s*[\[(]([^\])]*)[\])]", re.MULTILINE)
_REQUIRES = re.compile(
    r"^@(?:requires|export)\b[^\n]*(?:\n[ \t@)][^\n]*)*\n(?:class|def) (\w+)", re.MULTILINE
)


def quick_exports(text: str) -> frozenset[str]:
    """`__all__` and decorated exports of a large file, the way lazy loaders read them: without parsing."""
    names = {n for block in _EXPORTS.findall(text) for n in re.findall(r"[\"'](\w+)[\"']", block)}
    return frozenset(names | set(_REQUIRES.findall(text)))
