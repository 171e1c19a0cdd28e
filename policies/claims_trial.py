"""Tests claims about runs as wholes: loops that a trial does not shorten, programs that do not start."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from policies.claims_base import Case, Outcome, joined
from policies.claims_follow import reached
from policies.gates import gates, tests_mode
from policies.parsed import Module, ParsedBundle
from policies.records import Phase, Rehearsal, Severity

_UNLIMITED = (
    r"\bstill\b|\bfull\b|\bexecutes?\b|\bunbounded\b"
    r"|\bnot (?:limited|reduced|shorten|bounded|respected|capped)"
)
_KEY = re.compile(r"\b(?:cfg|config)((?:\.\w+)+)")
_WHOLE = (
    r"(?=\s*(?:[.,;:)]|$|at all\b|as[- ](?:is|it is)\b|successfully\b|in (?:its|the) current\b|immediately\b"
    r"|out of the box\b))"
)
"""What may follow, so that `does not run validation` is not read as `does not run`."""
_SUBJECT = (
    r"\b(?:code|codebase|package|experiments?|project|program|pipeline|training|repository|bundle|scripts?)\b"
)
_NOT = r"\b(?:cannot|can't|will not|won't|does not|doesn't)"
_NO_START = (
    rf"{_SUBJECT}[^.;]*{_NOT} (?:be )?(?:run|executed?|start(?:ed)?|launch(?:ed)?){_WHOLE}"
    rf"|\bexecution will fail{_WHOLE}|\b(?:code|package|project|bundle) is not (?:executable|runnable)\b"
    r"|\bbefore (?:any )?training (?:even )?starts\b"
)
_EXCEPTION = re.compile(r"\b([A-Z]\w*(?:Error|Exception))\b")
_CONDITION = (
    r"\bif\b|\bwhen\b|\bonce\b|\bunless\b|\bwhenever\b|\bgpu\b|\bcuda\b|\bany other\b|\bon python\b"
    r"|\bas soon as\b"
)
_PHASES: tuple[tuple[str, Phase], ...] = (
    (r"\bevaluat\w*", "evaluate"),
    (r"\boptuna\b|\bfull\b|\bsearch\b|\bsweep\b", "full"),
)
_STOPPERS = frozenset({"syntax-error", "unresolved-import", "struct-merge", "hydra-config-name"})
_FEW = 2
"""Batches that a trial may take."""


def unshortened(case: Case) -> Iterator[Outcome]:
    """`in trial mode x still runs cfg.a.steps times`: no trial sets or guards the key."""
    if not case.says(r"\btrial\b") or not case.says(_UNLIMITED):
        return
    for path in dict.fromkeys(match.strip(".") for match in _KEY.findall(case.text)):
        key = path.rpartition(".")[2]
        values = {v for v in _values(case.subject, path.split(".")) if isinstance(v, int)}
        reads = [(m, n) for m, n in case.subject.walk() if _reads(n, key)]
        if not reads or not values or min(values) <= _FEW or _set_somewhere(case.subject, key):
            continue
        if counted := _counted(case, min(values)):
            yield Outcome("refuted", counted)
            return
        mode = case.subject.contract.mode
        if any(_assigned_again(module, node) for module, node in reads):
            continue
        if not any(tests_mode(gates(case.subject, module, node), mode) for module, node in reads):
            module, node = reads[0]
            told = f"{module.path}:{node.lineno} reads `{path}` ({', '.join(map(str, sorted(values)))})"
            yield Outcome(
                "confirmed", f"{told}; nothing sets it in a trial and no test of the mode guards it", 9
            )
            return


def _counted(case: Case, steps: int) -> str:
    """What the trials did, when all runs were seen to do less than `steps`; else empty."""
    trials = [r for r in case.evidence.rehearsals if r.phase == "trial"]
    batches = [r.proof.batches for r in trials if r.status == "passed" and r.proof is not None]
    if len(batches) < max(len(trials), 1) or set(case.subject.run_documents) - {r.run_id for r in trials}:
        return ""
    if max(batches) >= steps:
        return ""
    return f"the trials were rehearsed and passed with {max(batches)} batches at most, not {steps}"


def _assigned_again(module: Module, node: ast.expr) -> bool:
    """Whether a value goes to a name that has other values, too: which one counts, the text does not say."""
    statement = module.parents.get(node)
    if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
        return False
    name, scope = statement.targets[0].id, module.enclosing_function(statement)
    stores = [n for n in module.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return sum(n.id == name and module.enclosing_function(n) is scope for n in stores) > 1


def starts(case: Case) -> Iterator[Outcome]:
    """`the code does not run`: as the rehearsals of that phase show for every run."""
    if not case.says(_NO_START) or case.says(_CONDITION):
        return
    phase: Phase = next((p for words, p in _PHASES if case.says(words)), "trial")
    named = _EXCEPTION.findall(case.text)
    mine = [r for r in case.evidence.rehearsals if r.phase == phase and r.status != "skipped"]
    failed = [r for r in mine if r.status == "failed"]
    told = [r for r in failed if not named or (r.failure and r.failure.exception.rpartition(".")[2] in named)]
    if told:
        yield Outcome("confirmed", joined([_failure(r) for r in told], limit=2))
    elif not mine and phase == "trial" and not named:
        yield from _stopper(case)
    elif not failed and _all_passed(case, phase):
        yield Outcome("refuted", _passed(phase, mine))


def _stopper(case: Case) -> Iterator[Outcome]:
    """A finding that stops the training command before its work begins."""
    needed = reached(case)
    for found in case.findings:
        if found.severity is Severity.BLOCKING and found.check in _STOPPERS and found.file in needed:
            yield Outcome("confirmed", f"finding {found.check} at {found.file}:{found.line}: {found.message}")
            return


def _all_passed(case: Case, phase: Phase) -> bool:
    """Whether every run was rehearsed and worked; what fails only in a full run must be seen in one."""
    phases = ("evaluate",) if phase == "evaluate" else ("trial", "full")
    for wanted in phases:
        mine = [r for r in case.evidence.rehearsals if r.phase == wanted and r.status != "skipped"]
        runs = set(case.subject.run_documents) if wanted != "evaluate" else set[str]()
        if not mine or not runs <= {r.run_id for r in mine} or not all(map(_worked, mine)):
            return False
    return True


def _worked(record: Rehearsal) -> bool:
    """Whether a rehearsal did what its phase is for."""
    trained = record.proof is not None and record.proof.trained
    return record.status == "passed" and (record.phase != "trial" or trained)


def _passed(phase: Phase, records: Sequence[Rehearsal]) -> str:
    runs = ", ".join(r.run_id for r in records if r.run_id) or "the bundle"
    steps = [r.proof.optimizer_steps for r in records if r.proof]
    return f"{phase} of {runs} was rehearsed and passed" + (
        f": {sum(steps)} optimizer steps" if any(steps) else ""
    )


def _failure(record: Rehearsal) -> str:
    failure = record.failure
    run = f" of {record.run_id}" if record.run_id else ""
    if failure is None:
        return f"{record.phase}{run} failed: {record.note}"
    place = f" at {failure.file}:{failure.line}" if failure.file else ""
    return f"{record.phase}{run}: {failure.exception}: {failure.message}{place}"


def _reads(node: ast.AST, key: str) -> TypeGuard[ast.expr]:
    """Whether a node reads a config key as an attribute or by subscript."""
    match node:
        case ast.Attribute(attr=attr, ctx=ast.Load()):
            return attr == key
        case ast.Subscript(slice=ast.Constant(value=value), ctx=ast.Load()):
            return value == key
    return False


def _set_somewhere(subject: ParsedBundle, key: str) -> bool:
    """Whether code gives the key a value, by assignment or in an override."""
    for _, node in subject.walk():
        match node:
            case ast.Attribute(attr=attr, ctx=ast.Store()) if attr == key:
                return True
            case ast.Constant(value=str(text)) if re.search(rf"\b{re.escape(key)}\b", text):
                return True
    return False


def _values(subject: ParsedBundle, path: list[str]) -> Iterator[object]:
    """Values that the run configs give to a path."""
    for document in subject.run_documents.values():
        value: object = document.data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield value
