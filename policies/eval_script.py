"""The evaluation script of a bundle, and what the criteria text demands of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.contract import STANDARD
from policies.contract_reader import standard_number
from policies.evaluate_args import evaluate_path
from policies.hydra.names import imported_names, origin
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle, per_module


def evaluation(subject: ParsedBundle) -> Module | None:
    """The evaluation module, if it parses and does something."""
    module = subject.modules.get(evaluate_path(subject.contract))
    return module if module is not None and module.tree is not None and not module.empty else None


def evaluation_modules(subject: ParsedBundle) -> tuple[Module, ...]:
    """The evaluation module and the bundle's modules that it imports; empty when there is none."""
    start = evaluation(subject)
    if start is None:
        return ()
    found = [start]
    for full in imported_names(start).values():
        for dotted in (full, full.rpartition(".")[0]):
            module = subject.modules.get(dotted.replace(".", "/") + ".py")
            if module is not None and module.tree is not None and module not in found:
                found.append(module)
    return tuple(found)


def demanded(subject: ParsedBundle, number: int) -> str:
    """Everything that the contract's criteria say under a standard number, as one text."""
    criteria = subject.contract.criteria or STANDARD.criteria
    return "\n".join(
        s for c in criteria if standard_number(c.title) == number for s in (c.title, *c.sentences)
    )


def demands(subject: ParsedBundle, pattern: str, number: int = 8) -> bool:
    """Whether the criterion of this number speaks of something."""
    return re.search(pattern, demanded(subject, number), re.IGNORECASE) is not None


@per_module
def code_words(module: Module) -> str:
    """Every name and text of a module on a line of its own; imports, docstrings and comments left out."""
    return "\n".join(_words(module))


def _words(module: Module) -> Iterator[str]:
    for node in module.nodes:
        match node:
            case ast.Constant(value=str(text)) if not isinstance(module.parents.get(node), ast.Expr):
                yield text
            case (
                ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word))
            ):
                yield word
            case ast.FunctionDef(name=word) | ast.ClassDef(name=word):
                yield word


def calls_from(module: Module, *packages: str) -> Iterator[tuple[ast.Call, str]]:
    """Calls of functions of these packages, with their dotted origin."""
    for node in of_kind(module, ast.Call):
        dotted = origin(module, node.func)
        if dotted.startswith(tuple(f"{package}." for package in packages)):
            yield node, dotted


def in_try(module: Module, node: ast.AST) -> bool:
    """Whether a handler around `node`, in its function, would catch what it raises."""
    child = node
    while (parent := module.parents.get(child)) is not None:
        if isinstance(parent, ast.Try) and parent.handlers and child in parent.body:
            return True
        child = parent
    return False
