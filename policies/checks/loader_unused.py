"""Check `loader-unused`: a loader of validation or test data is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain

from policies.base import Bad, Check, Evidence, Good
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.tree import walk
from policies.trial_mode import training_modules

_HELD_OUT = re.compile(
    r"(val|valid|validation|eval|evaluation|dev|test)\w*_?(loader|loaders|dl|dataloader)", re.IGNORECASE
)
TRAIN = "def train(cfg, model):\n    train_dl, val_dl = loaders(cfg)\n    for batch in train_dl:\n"
STEP = "        model(**batch).loss.backward()\n"


class LoaderUnused(Check):
    """A run that builds a validation loader and never reads it measures nothing on data it has not seen.

    No validation curve, no best epoch, no metric that can be compared. Judged for the training code as a
    whole: one place that reads such a loader is enough.
    """

    ID = "loader-unused"
    CRITERION = 3
    SEVERITY = Severity.ADVISORY
    GOOD = (
        Good(f"{TRAIN}{STEP}    return check(model, val_dl)\n"),
        Good(
            f"{TRAIN}{STEP}\n\ndef check(val_loader):\n    for batch in val_loader:\n        print(batch)\n"
        ),
        Good("def train(cfg):\n    train_dl, val_dl = loaders(cfg)\n    return train_dl\n"),
        Good(f"{TRAIN.replace('val_dl', '_')}{STEP}"),
    )
    BAD = (Bad(f"{TRAIN}{STEP}", lines=(2,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first loader of held-out data in training code that uses none."""
        modules = [module for module in training_modules(subject) if _HELD_OUT.search(module.text)]
        built = [(module, node) for module in modules for node in _unpacked(module)]
        if not built or any(map(_uses, modules)) or not any(map(_trains, training_modules(subject))):
            return
        module, node = min(built, key=lambda found: (found[0].path, found[1].lineno, found[1].col_offset))
        yield self.finding(
            module.path,
            node.lineno,
            f"`{node.id}` is built and never read: nothing is measured on held-out data",
            f"line {node.lineno}: {module.line(node.lineno)} — no other line of the training code "
            "reads a validation or test loader",
        )


def _trains(module: Module) -> bool:
    return any(node.attr == "backward" for node in of_kind(module, ast.Attribute))


def _uses(module: Module) -> bool:
    """Whether something other than handing it out is done with such a loader."""
    kinds = (of_kind(module, kind) for kind in (ast.Name, ast.Attribute, ast.Constant))
    for node in chain.from_iterable(kinds):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                used = _HELD_OUT.fullmatch(name)
            case ast.Constant(value=str(name)):
                used = _HELD_OUT.fullmatch(name)
            case _:
                continue
        if used and not _handed_out(module, node):
            return True
    return False


def _handed_out(module: Module, node: ast.AST) -> bool:
    parent = module.parents.get(node)
    while isinstance(parent, ast.Tuple | ast.Dict | ast.List):
        parent = module.parents.get(parent)
    return isinstance(parent, ast.Return)


def _unpacked(module: Module) -> Iterator[ast.Name]:
    """Names of such loaders where a function that trains gets them from a call."""
    for node in of_kind(module, ast.Assign):
        if not isinstance(node.value, ast.Call):
            continue
        function = module.enclosing_function(node)
        if function is None or not any(isinstance(t, ast.Tuple) for t in node.targets):
            continue
        for target in walk(node.targets[0]):
            if isinstance(target, ast.Name) and _HELD_OUT.fullmatch(target.id):
                yield target
