"""Which conditions stand between the start of the program and a statement."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from policies.contract import ModeSwitch
from policies.kinds import each
from policies.parsed import Module, ParsedBundle
from policies.tree import walk

MAX_CALLERS = 4
"""Levels of calls that are followed upwards."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
QUIET_EXITS = ("sys.exit()", "sys.exit(0)", "exit()", "exit(0)")
SWITCH_WORDS = (
    "trial_mode",
    "is_trial",
    "trial_run",
    "full_run",
    "is_full",
    "dry_run",
    "smoke",
    "debug",
    "fast_dev",
)


@dataclass(frozen=True)
class _Block:
    """What matters of a function, or of a module: found in one walk, asked for often."""

    assigned: tuple[tuple[str, ast.expr], ...]
    """Names that get a value of their own, with the value."""
    exits: tuple[ast.If, ...]
    """Tests with a branch that leaves."""


def gates(subject: ParsedBundle, module: Module, node: ast.AST) -> tuple[ast.expr, ...]:
    """Every test that decides whether `node` runs, in its function and in the functions that call it.

    Local variables in a test are replaced by what was assigned to them, two levels deep.
    """
    return tuple(dict.fromkeys(_gates(subject, module, node, 0)))


def _gates(subject: ParsedBundle, module: Module, node: ast.AST, depth: int) -> Iterator[ast.expr]:
    function = module.enclosing_function(node)
    block = _block(subject, function or module.tree)
    for test in _tests(module, node, block.exits if function is not None else ()):
        yield test
        behind = _behind(block, (test,))
        yield from behind
        yield from _behind(block, behind)
    outer = function
    while outer is not None:
        if depth < MAX_CALLERS:
            yield from _above(subject, outer, depth)
        outer = module.enclosing_function(outer)


def _behind(block: _Block, nodes: Sequence[ast.expr]) -> list[ast.expr]:
    """What was assigned to the local names in expressions."""
    names = {n.id for node in nodes for n in walk(node) if isinstance(n, ast.Name)}
    return [value for name, value in block.assigned if name in names]


def _above(subject: ParsedBundle, function: Function, depth: int) -> tuple[ast.expr, ...]:
    """The tests before the calls of a function, each once."""
    known = subject.memo("gates: above", _empty)
    if (function, depth) not in known:
        calls = subject.memo("gates: uses", _uses).get(function.name, ())
        found = (test for caller, call in calls for test in _gates(subject, caller, call, depth + 1))
        known[function, depth] = tuple(dict.fromkeys(found))
    found_before: tuple[ast.expr, ...] = known[function, depth]
    return found_before


def _tests(module: Module, node: ast.AST, exits: Sequence[ast.If]) -> Iterator[ast.expr]:
    """Tests of the blocks around `node`, and of earlier statements that leave the function."""
    child = node
    while (parent := module.parents.get(child)) is not None:
        if isinstance(parent, ast.If | ast.IfExp | ast.While) and child is not parent.test:
            yield parent.test
        elif isinstance(parent, ast.BoolOp):
            yield from parent.values[: parent.values.index(child)] if child in parent.values else ()
        child = parent
    line = getattr(node, "lineno", 0)
    yield from (other.test for other in exits if other.lineno < line)


def _block(subject: ParsedBundle, scope: ast.AST | None) -> _Block:
    known = subject.memo("gates: blocks", _empty)
    if scope not in known:
        nodes = walk(scope) if scope is not None else []
        exits = tuple(n for n in nodes if isinstance(n, ast.If) and _leaves(n))
        known[scope] = _Block(tuple(_assigned(nodes)), exits)
    block: _Block = known[scope]
    return block


def _leaves(node: ast.If) -> bool:
    """Whether a branch ends by leaving quietly; one that raises only refuses bad values."""
    ends = [branch[-1] for branch in (node.body, node.orelse) if branch]
    return any(isinstance(end, ast.Return | ast.Continue) or _quits(end) for end in ends)


def _quits(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and ast.unparse(node) in QUIET_EXITS


def _assigned(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case _:
                pass


def _uses(subject: ParsedBundle) -> dict[str, list[tuple[Module, ast.AST]]]:
    """Name -> places that call what bears it, or hand it on."""
    found: dict[str, list[tuple[Module, ast.AST]]] = {}
    for module, node in each(subject, ast.Name, ast.Attribute):
        if isinstance(node.ctx, ast.Load):
            name = node.id if isinstance(node, ast.Name) else node.attr
            found.setdefault(name, []).append((module, node))
    return found


def _empty(subject: ParsedBundle) -> dict[Any, Any]:
    """A table to fill on demand."""
    return {}


def tests_mode(tests: Iterable[ast.expr], mode: ModeSwitch) -> bool:
    """Whether one of the tests asks for the contract's mode."""
    return any(_asks_mode(node, mode) for test in tests for node in walk(test))


def _asks_mode(node: ast.AST, mode: ModeSwitch) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return text in {mode.trial, mode.full, mode.key} - {"true", "false", "mode"}
        case ast.Attribute(attr=name) if name == mode.trial:
            return True  # `cfg.trial`; the plain name is Optuna's
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return any(word in name for word in SWITCH_WORDS) or (name == mode.key and not _of_wandb(node))
        case _:
            return False


def _of_wandb(node: ast.AST) -> bool:
    """Whether a `mode` is W&B's own."""
    return "wandb" in ast.unparse(node).lower()


def chains(tests: Iterable[ast.expr], last: str, word: str = "") -> Iterator[str]:
    """Attribute chains such as `cfg.wandb.mode` in the tests that end in `last` and contain `word`."""
    for test in tests:
        for node in walk(test):
            if isinstance(node, ast.Attribute) and node.attr == last:
                text = ast.unparse(node)
                if word in text and all(part.isidentifier() for part in text.split(".")):
                    yield text
