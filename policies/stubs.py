"""Telling a definition that is left out from one that is meant to be empty."""

from __future__ import annotations

import ast
import re

from policies.kinds import each
from policies.parsed import ParsedBundle

_NOOP = re.compile(
    r"(?i)(?:^|_)(?:no_?op|null|dummy|mock|fake|do_?nothing|ignore|silent)|(?-i:NoOp|Null|Dummy|Mock|Fake)"
)
_REFUSAL = re.compile(r"(?i)support|cannot|can't|can only|not applicable|must|instead|should not|unavailable")
_ABSTRACT = {"ABC", "abc.ABC", "Protocol", "typing.Protocol", "ABCMeta", "NamedTuple", "TypedDict"}


def is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether the body holds nothing but a docstring, `pass`, `...` or `raise NotImplementedError`."""
    return all(says_nothing(statement) for statement in node.body)


def says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, `pass`, `...` or `raise NotImplementedError`."""
    if isinstance(node, ast.Raise) and node.exc is not None:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        # A reason turns the statement into a refusal, which is complete.
        return ast.unparse(raised) == "NotImplementedError" and not _REFUSAL.search(ast.unparse(node.exc))
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def is_noop_by_name(name: str) -> bool:
    """Whether a name says that nothing happens."""
    return bool(_NOOP.search(name))


def abstract_classes(subject: ParsedBundle) -> frozenset[str]:
    """Classes that state an interface: by their bases, or because a class of the bundle inherits them."""
    found: set[str] = set()
    for _, node in each(subject, ast.ClassDef):
        bases = {ast.unparse(base).partition("[")[0] for base in node.bases}
        metas = {ast.unparse(keyword.value) for keyword in node.keywords}
        if bases & _ABSTRACT or any("ABCMeta" in meta for meta in metas):
            found.add(node.name)
        found.update(base.rpartition(".")[2] for base in bases)
    return frozenset(found)


def optional_steps(subject: ParsedBundle) -> frozenset[str]:
    """Methods that one class fills and whose result nobody uses: another may have nothing to do there."""
    return subject.memo("stubs.optional_steps", _optional_steps)


def _optional_steps(subject: ParsedBundle) -> frozenset[str]:
    filled = {
        node.name
        for module, node in each(subject, ast.FunctionDef)
        if isinstance(module.parents.get(node), ast.ClassDef) and not is_stub(node)
    }
    called: set[str] = set()
    used: set[str] = set()
    for module, node in each(subject, ast.Attribute):
        call = module.parents.get(node)
        alone = isinstance(call, ast.Call) and isinstance(module.parents.get(call), ast.Expr)
        (called if alone else used).add(node.attr)
    return frozenset(filled & called - used)
