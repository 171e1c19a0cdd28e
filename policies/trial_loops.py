"""The loops of a trial, by what they do: train, or evaluate; and what limits their data."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.hydra.analysis import launches
from policies.hydra.loops import Loop, own_nodes
from policies.hydra.names import local_functions
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.trial_mode import training_modules

MAX_DEPTH = 3
_LIMITS = frozenset(
    {"select", "take", "head", "shard", "Subset", "islice", "RandomSampler", "SubsetRandomSampler"}
)
_BACKWARD = frozenset({"backward", "manual_backward"})
_FORWARD = frozenset({"model", "net", "network", "forward", "generate", "predict"})


@dataclass(frozen=True)
class TrialLoop:
    """One loop of the trials, with the runs that reach it."""

    loop: Loop
    run_ids: tuple[str, ...]
    trains: bool
    evaluates: bool


def trial_loops(subject: ParsedBundle) -> tuple[TrialLoop, ...]:
    """Every loop that trials surely reach and that trains or evaluates; of several runs, the longest one."""
    return subject.memo("trial.loops", lambda s: tuple(_trial_loops(s)))


def _trial_loops(subject: ParsedBundle) -> Iterator[TrialLoop]:
    grouped: dict[tuple[str, int], list[tuple[str, Loop]]] = {}
    for launch in launches(subject):
        for loop in launch.trace.loops if launch.trial else ():
            grouped.setdefault((loop.module.path, loop.node.lineno), []).append((launch.run_id, loop))
    for _, found in sorted(grouped.items()):
        longest = max((loop for _, loop in found), key=lambda loop: (loop.total is None, loop.total or 0))
        runs = tuple(dict.fromkeys(run for run, loop in found if loop.total == longest.total))
        trains = calls(subject, longest.module, longest.node.body, _BACKWARD)
        evaluates = not trains and calls(subject, longest.module, longest.node.body, _FORWARD)
        if trains or evaluates:
            yield TrialLoop(longest, runs, trains, evaluates)


def calls(
    subject: ParsedBundle, module: Module, body: Sequence[ast.AST], wanted: frozenset[str], depth: int = 0
) -> bool:
    """Whether code calls one of these names once a round, itself or through the bundle's own functions."""
    for node in own_nodes(body):
        if not isinstance(node, ast.Call):
            continue
        name = _last(node.func)
        if name in wanted:
            return True
        for inner, function in _functions(subject, module, node.func) if depth < MAX_DEPTH else ():
            if calls(subject, inner, function.body, wanted, depth + 1):
                return True
    return False


def _functions(
    subject: ParsedBundle, module: Module, node: ast.expr
) -> Iterator[tuple[Module, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The bundle's function of this name, or its methods when it is called on `self`."""
    if isinstance(node, ast.Name):
        found = local_functions(subject, module).get(node.id)
        if found is not None and not isinstance(found.node, ast.Lambda):
            yield found.module, found.node
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        yield from ((module, n) for n in of_kind(module, ast.FunctionDef) if n.name == node.attr)


def data_is_limited(subject: ParsedBundle) -> bool:
    """Whether anything in the code keeps only a part of the data, which may be what bounds a trial."""
    return any(_limits(node) for module in training_modules(subject) for node in module.nodes)


def _limits(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _LIMITS
        case ast.Constant(value=str(text)):
            return "[:" in text
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(upper=ast.expr())):
            return any(
                word in name.lower() for word in ("data", "ds", "train", "val", "rows", "examples", "samples")
            )
        case _:
            return False


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
