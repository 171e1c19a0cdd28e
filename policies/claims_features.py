"""Tests claims that whole parts of an experiment are absent: `no data pipeline`, `no Hydra integration`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from policies.claims_base import Case, Outcome, joined
from policies.evaluate_args import evaluate_path
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle

_OPENS = re.compile(r"\s*(?:no|neither|without(?: any)?)\b", re.IGNORECASE)
_ABSENT = re.compile(
    r"\b(?:is|are)\s+(?:\w+\s+)?"
    r"(?:absent|missing|not (?:present|there|implemented|provided)|lacking|nowhere)\b",
    re.IGNORECASE,
)
_LACKS = r"\b(?:no|missing|lacks?|lacking|without|absent)\b"
_SAFEGUARDS: tuple[tuple[str, str, tuple[type[ast.AST], ...]], ...] = (
    ("error handling", r"\berror[- ]handling\b", (ast.Try, ast.Raise, ast.Assert)),
    ("trial limit", r"\btrial (?:\w+ )?limit\w*\b", ()),
)
"""What it is, how a claim names it, and the nodes that would be it."""
_LIMITS = (
    r"trial|limit|^mode$|debug|max_(?:batches|steps|samples|examples)|num_(?:batches|samples)|islice|^select$"
)
_LOADERS = frozenset({"load_dataset", "DataLoader", "IterableDataset", "Dataset", "read_csv", "ImageFolder"})
_MODELS = frozenset({"from_pretrained", "get_peft_model", "Module"})
_STEPS = frozenset({"backward", "Trainer"})


def features(case: Case) -> Iterator[Outcome]:
    """Every part that the claim calls absent is looked for in the code of all files."""
    listed = _listed(case.body)
    named = [f for f in _FEATURES if listed and re.search(f.named, listed, re.IGNORECASE)]
    if not named or not all(m.tree is not None for m in case.subject.modules.values()):
        return
    found = {f.what: f.find(case.subject) for f in named}
    held = [what for what, place in found.items() if not place]
    there = [f"{what} at {place}" for what, place in found.items() if place]
    if held and there:
        yield Outcome("partly", f"no file has {', '.join(held)}; but {joined(there)}")
    elif held:
        yield Outcome("confirmed", f"no file of the bundle has {', '.join(held)}")
    elif len(named) > 1:
        yield Outcome("refuted", f"the bundle has {joined(there)}")


def safeguards(case: Case) -> Iterator[Outcome]:
    """`x.py has no error handling, no trial limit`: confirmed when the file has no trace of it."""
    if not case.names_module or not case.all_parse or not case.says(_LACKS):
        return
    held: list[str] = []
    there: list[str] = []
    for what, named, kinds in _SAFEGUARDS:
        if case.says(named):
            found = [n for m in case.modules for n in m.nodes if _is_safeguard(n, kinds)]
            (there if found else held).append(what)
    if held and not there:
        yield Outcome(
            "confirmed", f"{', '.join(m.path for m in case.modules)} has no {' and no '.join(held)}"
        )


def _is_safeguard(node: ast.AST, kinds: tuple[type[ast.AST], ...]) -> bool:
    """Whether a node is one of some kinds; without kinds, whether it speaks of a trial or a limit."""
    if kinds:
        return isinstance(node, kinds)
    told = [getattr(node, field, None) for field in ("id", "attr", "arg", "value", "name")]
    return any(isinstance(t, str) and re.search(_LIMITS, t) for t in told)


def _listed(body: str) -> str:
    """The list of absent parts in a claim that states nothing else; empty when it is no such claim."""
    if _OPENS.match(body):
        rest = body.strip(" .")
        return (
            rest if len(rest.split()) <= 6 and not re.search(r"\b(?:for|in|on|to|with|when)\b", rest) else ""
        )
    match = _ABSENT.search(body)
    before = body[: match.start()] if match else ""
    return before if before.count(",") > 1 else ""


def _mentions(*names: str) -> Callable[[ParsedBundle], str]:
    """A search for any of some names as attribute or plain name."""
    wanted = frozenset(names)

    def find(subject: ParsedBundle) -> str:
        for module, node in subject.walk():
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
            if name in wanted:
                return f"{module.path}:{getattr(node, 'lineno', 0)}"
        return ""

    return find


def _imports(package: str) -> Callable[[ParsedBundle], str]:
    def find(subject: ParsedBundle) -> str:
        for module, node in subject.walk():
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            if any(name.partition(".")[0] == package for name in names):
                return f"{module.path}:{getattr(node, 'lineno', 0)}"
        return ""

    return find


def _mode(subject: ParsedBundle) -> str:
    """Where code compares something with the name of the trial mode, or reads a switch of that name."""
    switch = subject.contract.mode
    for module, node in subject.walk():
        told = node.value if isinstance(node, ast.Constant) else getattr(node, "attr", None)
        if told in (switch.trial, switch.key) and isinstance(told, str):
            return f"{module.path}:{getattr(node, 'lineno', 0)}"
    return ""


def _entry(subject: ParsedBundle) -> str:
    """Where a script of the contract can be started."""
    for module in subject.parsable:
        for node in of_kind(module, ast.Constant):
            if node.value == "__main__":
                return f"{module.path}:{node.lineno}"
    return ""


def _evaluation(subject: ParsedBundle) -> str:
    module: Module | None = subject.modules.get(evaluate_path(subject.contract))
    return f"{module.path}:1" if module is not None and not module.empty else ""


class _Feature(NamedTuple):
    """A part of an experiment: its name, how a claim names it, and where code has it."""

    what: str
    named: str
    find: Callable[[ParsedBundle], str]


_FEATURES = (
    _Feature("a Hydra program", r"\bhydra\b", _imports("hydra")),
    _Feature("data loading", r"\bdata (?:pipeline|loading|loaders?)\b", _mentions(*_LOADERS)),
    _Feature(
        "a model",
        r"\bmodel (?:implementation|definitions?|architecture|construction|code)\b",
        _mentions(*_MODELS),
    ),
    _Feature("training steps", r"\btraining (?:loop|code|logic)\b", _mentions(*_STEPS)),
    _Feature("wandb", r"\bwandb\b|\bw&b\b|\bweights & biases\b", _imports("wandb")),
    _Feature("Optuna", r"\boptuna\b", _imports("optuna")),
    _Feature("an evaluation script", r"\bevaluation (?:logic|script|code)\b", _evaluation),
    _Feature("a mode switch", r"\bmode (?:switch\w*|handling|logic)\b", _mode),
    _Feature("a script that can be started", r"\b(?:cli )?entry[- ]?points?\b", _entry),
)
