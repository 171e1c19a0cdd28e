"""What the modules of a bundle import from outside, and the names that imports give."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.requirements import distributions
from policies.tables import table

IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True)
class Imported:
    """One import of something that is neither in the bundle nor in the standard library."""

    file: str
    line: int
    module: str
    """Dotted name."""


def third_party(subject: ParsedBundle) -> Iterator[Imported]:
    """Every import of a third-party module that must succeed, in file and line order."""
    for module in subject.parsable:
        for node in _statements(module):
            for name in _modules_of(node):
                if not _at_home(subject, node, name):
                    yield Imported(module.path, node.lineno, name)


def _statements(module: Module) -> list[ast.Import | ast.ImportFrom]:
    """Absolute imports that nothing guards, in line order."""
    found = of_kind(module, ast.Import, ast.ImportFrom)
    return sorted((n for n in found if not is_optional(module, n)), key=lambda node: node.lineno)


def _modules_of(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if node.module and not node.level else []


def _at_home(subject: ParsedBundle, node: ast.Import | ast.ImportFrom, name: str) -> bool:
    """Whether a module belongs to the standard library or may be one of the bundle's own."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top in {"__main__", "_typeshed"}:
        return True
    paths = (*subject.bundle.files, *subject.bundle.given, *subject.bundle.binaries)
    tops = [root + top for root in subject.import_roots]
    if any(path.startswith((f"{top}/", f"{top}.py", f"{top}.cpython-")) for path in paths for top in tops):
        return True
    return is_sibling(subject, node, top)


def is_sibling(subject: ParsedBundle, node: ast.Import | ast.ImportFrom, top: str) -> bool:
    """Whether an absolute import means `src/<top>.py`, although packages of that name may exist."""
    own = f"src/{top}.py" in subject.bundle.files
    return own and (top not in table("import_names") or _meant_for_own(subject, node, top))


def _meant_for_own(subject: ParsedBundle, node: ast.Import | ast.ImportFrom, top: str) -> bool:
    """Whether an import that a package could answer, too, asks for names of the bundle's module."""
    own = subject.modules[f"src/{top}.py"]
    if own.tree is None or isinstance(node, ast.Import):
        return False
    defined = {getattr(child, "name", None) for child in own.tree.body}
    return all(alias.name in defined for alias in node.names)


def is_optional(module: Module, node: ast.AST) -> bool:
    """Whether a failing import at `node` is caught, or only a type checker executes it."""
    child, parent = node, module.parents.get(node)
    while parent is not None:
        if isinstance(parent, ast.Try) and child not in parent.finalbody and _catches_import_error(parent):
            return True
        if (
            isinstance(parent, ast.If)
            and child in parent.body
            and "TYPE_CHECKING" in ast.unparse(parent.test)
        ):
            return True
        if isinstance(parent, ast.With) and "suppress" in ast.unparse(parent.items[0]):
            return True
        child, parent = parent, module.parents.get(parent)
    return False


def _catches_import_error(node: ast.Try) -> bool:
    for handler in node.handlers:
        if handler.type is None:
            return True
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if any(ast.unparse(kind).rpartition(".")[2] in IMPORT_ERRORS for kind in kinds):
            return True
    return False


def known(distribution: str) -> bool:
    """Whether the tables know the distribution."""
    names = table("import_names")
    return (
        distribution in table("floors") or distribution in table("brings") or distribution in names.values()
    )


def qualified_names(module: Module) -> Mapping[str, str]:
    """Local name -> dotted name that an import gives it, anywhere in the module."""
    names: dict[str, str] = {}
    for node in module.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def qualified(node: ast.expr, names: Mapping[str, str]) -> str:
    """The dotted name of a callee with its imports resolved; empty when it has none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def module_distributions(module: str) -> tuple[str, ...]:
    """Distributions that provide a dotted module; a longer name in the table wins over a shorter one."""
    parts = module.split(".")
    for end in range(len(parts), 1, -1):
        known = table("import_names").get(".".join(parts[:end]))
        if known:
            return (str(known),)
    return distributions(module)
