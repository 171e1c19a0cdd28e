"""Definitions of a bundle, and which of the base is which of the attempt."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from policies.gate.base import Side
from policies.gate.syntax import Definition, definitions, docless, leaf, names_in, span
from policies.parsed import Module
from policies.tree import walk

METHOD_WORDS = frozenset(
    (
        "torch",
        "nn",
        "F",
        "np",
        "numpy",
        "jax",
        "tf",
        "sklearn",
        "optim",
        "optimizer",
        "scheduler",
        "loss",
        "criterion",
        "logits",
        "backward",
        "tensor",
        "labels",
        "preds",
        "predictions",
        "model",
        "tokenizer",
        "dataset",
        "loader",
        "dataloader",
        "batch",
        "metric",
        "metrics",
        "accuracy",
        "score",
        "trainer",
        "wandb",
        "load_dataset",
        "from_pretrained",
    )
)
"""Names that mark code as part of the method, not as plumbing around it."""


@dataclass(frozen=True)
class Defined:
    """One definition."""

    module: Module
    name: str
    """Qualified name."""
    node: Definition

    @cached_property
    def body(self) -> str:
        """What it does, without its name: equal for a definition that was renamed or moved."""
        return "".join(ast.dump(statement) for statement in docless(self.node.body))

    @property
    def lines(self) -> range:
        """Its lines, 1-based."""
        return span(self.node)

    @property
    def short(self) -> str:
        """Its own name."""
        return self.node.name

    def does_method_work(self) -> bool:
        """Whether it computes something, as opposed to passing configuration around."""
        if isinstance(self.node, ast.ClassDef):
            return any(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) for n in self.node.body)
        return not names_in(self.node).isdisjoint(METHOD_WORDS)


def inventory(side: Side) -> list[Defined]:
    """Every definition of every parsable module."""
    return [Defined(m, name, node) for m in side.modules if m.tree for name, node in definitions(m.tree)]


def successors(base: Side, attempt: Side) -> list[tuple[Defined, Defined | None]]:
    """For each definition of the base the one that took its place: same file, moved, or the same body."""
    theirs = inventory(attempt)
    at = {(d.module.path, d.name): d for d in theirs}
    mine = inventory(base)
    taken = {(d.module.path, d.name) for d in mine}
    return [(d, at.get((d.module.path, d.name)) or _elsewhere(d, theirs, taken)) for d in mine]


def _elsewhere(wanted: Defined, there: Sequence[Defined], taken: set[tuple[str, str]]) -> Defined | None:
    moved = [d for d in there if d.name == wanted.name and (d.module.path, d.name) not in taken]
    same = [d for d in there if d.body == wanted.body and wanted.body]
    return next(iter([*moved, *same]), None)


def references(side: Side, name: str, but: Definition | None = None) -> int:
    """How often a name is used outside its own definition."""
    own = (n for n in walk(but) if isinstance(n, ast.Name | ast.Attribute)) if but is not None else ()
    return side.uses[name] - sum(leaf(n) == name and isinstance(n.ctx, ast.Load) for n in own)
