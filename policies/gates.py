"""Which conditions stand between the start of the program and a statement."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache

from policies.contract import ModeSwitch
from policies.parsed import Module, ParsedBundle

MAX_CALLERS = 4
"""Levels of calls that are followed upwards."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
QUIET_EXITS = ("sys.exit()", "sys.exit(0)", "exit()", "exit(0)")
SWITCH_WORDS = ("trial_mode", "is_trial", "dry_run", "smoke", "debug", "fast_dev")


def gates(subject: ParsedBundle, module: Module, node: ast.AST, depth: int = 0) -> Iterator[ast.expr]:
    """Every test that decides whether `node` runs, in its function and in the functions that call it.

    Local variables in a test are replaced by what was assigned to them, one level deep.
    """
    function = module.enclosing_function(node)
    for test in _tests(module, node, function):
        yield test
        yield from _meanings(function or module.tree, test)
    outer = function
    while outer is not None:
        if depth < MAX_CALLERS:
            for caller, call in _calls(subject, outer):
                yield from gates(subject, caller, call, depth + 1)
        outer = module.enclosing_function(outer)


def _tests(module: Module, node: ast.AST, function: Function | None) -> Iterator[ast.expr]:
    """Tests of the blocks around `node`, and of earlier statements that leave the function."""
    child = node
    while (parent := module.parents.get(child)) is not None:
        if isinstance(parent, ast.If | ast.IfExp | ast.While) and child is not parent.test:
            yield parent.test
        elif isinstance(parent, ast.BoolOp):
            yield from parent.values[: parent.values.index(child)] if child in parent.values else ()
        child = parent
    line = getattr(node, "lineno", 0)
    for other in _leaving(function) if function is not None else ():
        if other.lineno < line:
            yield other.test


@lru_cache(maxsize=1024)
def _leaving(function: Function) -> tuple[ast.If, ...]:
    """The tests of a function that may leave it quietly."""
    return tuple(n for n in ast.walk(function) if isinstance(n, ast.If) and _leaves(n))


def _leaves(node: ast.If) -> bool:
    """Whether a branch ends by leaving quietly; one that raises only refuses bad values."""
    ends = [branch[-1] for branch in (node.body, node.orelse) if branch]
    return any(isinstance(end, ast.Return | ast.Continue) or ast.unparse(end) in QUIET_EXITS for end in ends)


def _meanings(scope: ast.AST | None, test: ast.expr) -> Iterator[ast.expr]:
    """What the scope assigns to the names in a test."""
    names = {n.id for n in ast.walk(test) if isinstance(n, ast.Name)}
    for name, value in _assigned(scope) if scope is not None else ():
        if name in names:
            yield value


@lru_cache(maxsize=1024)
def _assigned(scope: ast.AST) -> tuple[tuple[str, ast.expr], ...]:
    """Every plain assignment to a name below `scope`."""
    found: list[tuple[str, ast.expr]] = []
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.append((name, value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found.append((name, value))
            case _:
                pass
    return tuple(found)


def _calls(subject: ParsedBundle, function: Function) -> Iterator[tuple[Module, ast.AST]]:
    """Places that call a function by name, or hand it on."""
    yield from subject.memo("gates.uses", _uses).get(function.name, ())


def _uses(subject: ParsedBundle) -> dict[str, list[tuple[Module, ast.AST]]]:
    """Every load of a name or attribute, by its name."""
    found: dict[str, list[tuple[Module, ast.AST]]] = {}
    for module, node in subject.walk():
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = node.id if isinstance(node, ast.Name) else node.attr
            found.setdefault(name, []).append((module, node))
    return found


def tests_mode(tests: Iterator[ast.expr] | list[ast.expr], mode: ModeSwitch) -> bool:
    """Whether one of the tests asks for the contract's mode."""
    return any(_asks_mode(node, mode) for test in tests for node in ast.walk(test))


def _asks_mode(node: ast.AST, mode: ModeSwitch) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return text in {mode.trial, mode.full, mode.key} - {"true", "false", "mode"}
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return any(word in name for word in SWITCH_WORDS) or (name == mode.key and not _of_wandb(node))
        case _:
            return False


def _of_wandb(node: ast.AST) -> bool:
    """Whether a `mode` is W&B's own."""
    return "wandb" in ast.unparse(node).lower()


def chains(tests: list[ast.expr], last: str, word: str = "") -> Iterator[str]:
    """Attribute chains such as `cfg.wandb.mode` in the tests that end in `last` and contain `word`."""
    for test in tests:
        for node in ast.walk(test):
            if isinstance(node, ast.Attribute) and node.attr == last:
                text = ast.unparse(node)
                if word in text and all(part.isidentifier() for part in text.split(".")):
                    yield text
