"""Which code of a project a test is about: the definitions that it uses, read from its imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from policies.first_party import is_own, lookup, resolve
from policies.parsed import Module, ParsedBundle, parse_module
from policies.python_tests import is_test_file
from policies.tree import walk

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
MAX_DEPTH = 5
"""Re-exports that are followed, and helpers of the tests that are looked into."""


@dataclass(frozen=True)
class Tested:
    """A definition of the project that a test uses."""

    path: str
    name: str
    """Qualified name, e.g. `Stack.pop`."""
    line: int
    direct: bool
    """Whether the statement that failed uses it."""


def function_of(subject: ParsedBundle, test: str) -> tuple[Module, Definition] | None:
    """The test file and function that a node id such as `tests/test_a.py::TestA::test_b[1]` names."""
    path, *names = test.partition("[")[0].split("::")
    module = given_module(subject, path)
    if module is None or module.tree is None or not names:
        return None
    body: list[ast.stmt] = module.tree.body
    found: Definition | None = None
    for name in names:
        found = next((n for n in body if isinstance(n, Definition) and n.name == name), None)
        if found is None:
            return None
        body = found.body
    return (module, found) if found is not None else None


def given_module(subject: ParsedBundle, path: str) -> Module | None:
    """A Python file that was given with the project."""
    text = subject.bundle.given.get(path)
    return None if text is None or not path.endswith(".py") else parse_module(path, text)


def used_by(subject: ParsedBundle, test: str, line: int) -> list[Tested]:
    """What a test uses of the project, in order of use; what the statement at `line` uses comes first."""
    located = function_of(subject, test)
    if located is None:
        return []
    module, function = located
    statement = _statement(function, line)
    direct = set(_names(statement)) if statement is not None else set()
    found: dict[tuple[str, str], Tested] = {}
    for name in _reached(module, function):
        for path, qualified, at in _definitions(subject, module, name):
            key = (path, qualified)
            found.setdefault(key, Tested(path, qualified, at, name in direct))
    return sorted(found.values(), key=lambda item: not item.direct)


def _statement(function: Definition, line: int) -> ast.stmt | None:
    """The innermost statement of the function that covers a line."""
    around = [
        n for n in walk(function) if isinstance(n, ast.stmt) and n.lineno <= line <= (n.end_lineno or 0)
    ]
    return max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0)), default=None)


def _names(node: ast.AST) -> Iterator[str]:
    """Dotted names that a node reads, e.g. `stack.pop`, outermost attribute first."""
    for child in walk(node):
        if isinstance(child, ast.Attribute | ast.Name):
            text = _dotted(child)
            if text:
                yield text


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


def _reached(module: Module, function: Definition, depth: int = 0) -> list[str]:
    """Names that a test reads itself, in its helpers and in the fixtures that it asks for."""
    assert module.tree is not None, "only parsed tests are looked into"
    named = sorted(
        (n for n in walk(function) if isinstance(n, ast.Name | ast.Attribute)),
        key=lambda n: (n.lineno, n.col_offset),
    )
    found = [text for node in named if (text := _dotted(node))]
    asked = {a.arg for a in walk(function) if isinstance(a, ast.arg)} | set(found)
    if depth < MAX_DEPTH:
        for helper in module.tree.body:
            if isinstance(helper, Definition) and helper is not function and helper.name in asked:
                found += _reached(module, helper, depth + 1)
    return list(dict.fromkeys(found))


def _definitions(subject: ParsedBundle, module: Module, name: str) -> Iterator[tuple[str, str, int]]:
    """Where the project defines a name that a test file reads: path, qualified name, line."""
    head, *rest = name.split(".")
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == head:
                    yield from _imported(subject, module, node, [alias.name, *rest])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if alias.asname == head:
                    yield from _in_module(subject, alias.name, rest)
                elif not alias.asname and parts == [head, *rest][: len(parts)]:
                    yield from _in_module(subject, alias.name, [head, *rest][len(parts) :])


def _imported(
    subject: ParsedBundle, module: Module, node: ast.ImportFrom, names: list[str], depth: int = 0
) -> Iterator[tuple[str, str, int]]:
    target = resolve(subject, module, node)
    if target is None or not target.exists:
        return
    inner = lookup(subject, f"{target.dotted}.{names[0]}")
    if inner.module is not None:
        yield from _within(subject, inner.module, names[1:], depth)
    elif target.module is not None:
        yield from _within(subject, target.module, names, depth)


def _in_module(subject: ParsedBundle, dotted: str, names: list[str]) -> Iterator[tuple[str, str, int]]:
    if not is_own(subject, dotted):
        return
    while names and lookup(subject, f"{dotted}.{names[0]}").module is not None:
        dotted, names = f"{dotted}.{names[0]}", names[1:]
    if (module := lookup(subject, dotted).module) is not None:
        yield from _within(subject, module, names, 0)


def _within(
    subject: ParsedBundle, module: Module, names: list[str], depth: int
) -> Iterator[tuple[str, str, int]]:
    """The definition that a dotted path inside a module leads to, as deep as it can be followed."""
    if module.tree is None or not names or depth > MAX_DEPTH or is_test_file(module.path):
        return
    body: list[ast.stmt] = module.tree.body
    qualified: list[str] = []
    line = 0
    for name in names:
        found = next((n for n in body if isinstance(n, Definition) and n.name == name), None)
        if found is None:
            break
        qualified.append(name)
        line, body = found.lineno, found.body
    if qualified:
        yield module.path, ".".join(qualified), line
        return
    for node in module.tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == "*":
                    yield from _imported(subject, module, node, names, depth + 1)
                elif (alias.asname or alias.name) == names[0]:
                    yield from _imported(subject, module, node, [alias.name, *names[1:]], depth + 1)
