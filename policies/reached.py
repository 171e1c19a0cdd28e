"""Which modules a bundle's commands can import at all."""

from __future__ import annotations

import ast

from policies.evaluate_args import evaluate_path
from policies.first_party import lookup, resolve
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.trial_mode import launched


def is_reached(subject: ParsedBundle, module: Module) -> bool:
    """Whether some command of the contract may import the module."""
    return module.path in subject.memo("reached.paths", _reached)


def _reached(subject: ParsedBundle) -> frozenset[str]:
    starts = {subject.contract.entry_file, launched(subject), evaluate_path(subject.contract), "src/train.py"}
    todo = [subject.modules[path] for path in starts if path in subject.modules]
    seen: set[str] = set()
    while todo:
        module = todo.pop()
        if module.path in seen:
            continue
        seen.add(module.path)
        todo += [
            found for node in of_kind(module, ast.ImportFrom) for found in _targets(subject, module, node)
        ]
        for alias in (alias for node in of_kind(module, ast.Import) for alias in node.names):
            named = lookup(subject, alias.name).module
            todo += [named] if named is not None else []
    return frozenset(seen)


def _targets(subject: ParsedBundle, module: Module, node: ast.ImportFrom) -> list[Module]:
    target = resolve(subject, module, node)
    if target is None:
        return []
    members = [lookup(subject, f"{target.dotted}.{alias.name}").module for alias in node.names]
    return [found for found in (target.module, *members) if found is not None]
