"""Tests statements that follow from another claim: `this breaks x`, `violating requirement n`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import Case, Outcome
from policies.contract_reader import standard_number
from policies.records import Finding, Severity

_VIOLATES = (
    r"\b(?:violat\w+|contradict\w*|break(?:s|ing)|contraven\w+)\b[^.;]*"
    r"\b(?:requirement|criteri\w+|rule|req\.?)\b"
    r"|\b(?:requirement|criteri(?:on|a))\s*\d+ (?:is |are )?(?:therefore )?not (?:satisfied|met|fulfilled)"
)
_PLACEHOLDERS = r"\bplaceholders?\b|\bomissions?\b|\bbrevity\b|\bstubs?\b"
_NUMBER = re.compile(
    r"\b(?:requirements?|criteri(?:on|a)|req\.?|rule)\s*(?:no\.? ?|#)?\(?(\d{1,2})\b", re.IGNORECASE
)
_IMPORT_ERRORS = r"\b(?:ImportError|ModuleNotFoundError)\b"
_FAILS = r"\b(?:crash(?:es)?|fails?|raises?|breaks?|cannot (?:run|be (?:imported|executed)))\b"
_PARTS: tuple[tuple[str, str], ...] = (
    (r"\btraining\b", "training"),
    (r"\boptuna\b|\bobjective\b", "search"),
    (r"\bevaluation\b", "evaluation"),
)
"""What a claim may say is broken."""
_STARTS = re.compile(
    r"unknown-api-name|unresolved-import|undefined-name|sibling-import|syntax-error|struct-|hydra-config"
)
"""Checks whose findings can stop a program before its work begins."""
_RESULTS = re.compile(
    r"(?:so )?(?:this|that|these|attribute access)\b(?: [\w-]+){0,3}? "
    r"(?:causes?|breaks?|violates?|contradicts?|prevents?|means|makes|leads?|results?|raises?|crash(?:es)?|fails?)\b",
    re.IGNORECASE,
)
_FIRST = r"\bexecution\b|\bimmediate(?:ly)?\b|\bat once\b|\bfirst\b"


def violates(case: Case) -> Iterator[Outcome]:
    """`this violates requirement 9`: as sure as the defect it rests on, when that is of this criterion."""
    base = case.base
    if base is None or not case.follows or not case.says(_VIOLATES) or base.claim.status != "confirmed":
        return
    wanted = _criterion(case)
    backed = next((o for o in base.outcomes if o.status == "confirmed" and o.criterion == wanted), None)
    if wanted and backed:
        title = next(
            (c.title for c in case.subject.contract.criteria if standard_number(c.title) == wanted), ""
        )
        yield Outcome(
            "confirmed", f"{backed.evidence}; that is criterion {wanted} ({title or 'as numbered here'})"
        )


def breaks(case: Case) -> Iterator[Outcome]:
    """`this breaks training`: a module that cannot be imported takes with it all that needs it."""
    found = _killer(case)
    if found is None or not case.says(r"\b(?:breaks?|prevents?|stops?|blocks?)\b"):
        return
    wanted = [name for pattern, name in _PARTS if case.says(pattern)]
    parts = {name: _part(case, name) for name in wanted}
    if wanted and all(found.kills in needed for needed in parts.values()):
        yield Outcome(
            "confirmed",
            f"{found.evidence}: line {found.line} runs when {found.kills} is imported, so nothing in it does",
        )


def raises(case: Case) -> Iterator[Outcome]:
    """`this causes an ImportError`, `so the module crashes on import`."""
    found = _killer(case)
    missing = found is not None and "the bundle has no" in found.evidence
    at_import = case.says(r"\bon import\b|\bwhen (?:it|the module) is imported\b|\bat import\b")
    if found is None or not ((missing and case.says(_IMPORT_ERRORS)) or (at_import and case.says(_FAILS))):
        return
    sooner = _sooner(case, found) if case.says(_FIRST) else None
    if sooner is not None:
        place = f"{sooner.file}:{sooner.line}" if sooner.line else sooner.file
        yield Outcome(
            "partly",
            f"line {found.line} does fail, but not first: {place} stops the program: {sooner.message}",
        )
    else:
        yield Outcome("confirmed", f"{found.evidence}; line {found.line} runs when {found.kills} is imported")


def bound_too_late(case: Case) -> Iterator[Outcome]:
    """`causing an UnboundLocalError`: the claim it rests on showed a local name that is read too early."""
    base = case.base
    if base is None or not case.follows or not case.says(r"\b(?:UnboundLocalError|NameError)\b"):
        return
    early = next((o.evidence for o in base.outcomes if ", first bound in line" in o.evidence), "")
    if early:
        yield Outcome("confirmed", f"{early}: UnboundLocalError, which is a NameError")


def rests_on_nothing(case: Case) -> Iterator[Outcome]:
    """`this causes x`, where testing refuted what `this` is."""
    base = case.base
    if base is not None and _RESULTS.match(case.body) and base.claim.status == "refuted":
        yield Outcome("refuted", f"it rests on a claim that does not hold: {base.claim.evidence}")


def _criterion(case: Case) -> int:
    """The standard number of the criterion that a claim names, by number or title; 0 when it names none."""
    number = _NUMBER.search(case.text)
    if number is None:
        topic = re.search(_VIOLATES + r".*", case.body, re.IGNORECASE)
        if topic and re.search(_PLACEHOLDERS, topic[0], re.IGNORECASE):
            return 1
        return (standard_number(topic[0]) or 0) if topic else 0
    titles = {c.number: c.title for c in case.subject.contract.criteria}
    title = titles.get(int(number[1]))
    return (standard_number(title) or 0) if title else int(number[1]) if not titles else 0


def _killer(case: Case) -> Outcome | None:
    """The outcome of an earlier claim of the same item that shows a module that cannot be imported."""
    if not case.follows:
        return None
    for mate in reversed(case.mates):
        if mate.claim.status == "confirmed" and (not case.names_module or case.files == mate.case.files):
            for outcome in mate.outcomes:
                if outcome.kills and outcome.status == "confirmed":
                    return outcome
    return None


def _part(case: Case, name: str) -> set[str]:
    """The modules that a part of the experiment needs."""
    subject = case.subject
    evaluate = subject.contract.evaluate
    script = evaluate[evaluate.index("-m") + 1].replace(".", "/") + ".py"
    if name == "evaluation":
        return {script}
    trains = {m.path for m in subject.parsable if m.path != script}
    searches = {m.path for m in subject.parsable if any(map(_samples, m.nodes))}
    return searches if name == "search" else trains & reached(case)


def _samples(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and (
        node.attr.startswith("suggest_") or node.attr == "create_study"
    )


def reached(case: Case) -> set[str]:
    """Modules that the training command starts or imports, by their names in the code."""
    subject = case.subject
    seen: set[str] = set()
    todo = [subject.contract.entry_file]
    while todo:
        path = todo.pop()
        module = subject.modules.get(path)
        if module is None or path in seen:
            continue
        seen.add(path)
        for node in module.nodes:
            if isinstance(node, ast.ImportFrom) and node.module:
                todo.append(f"src/{node.module.rpartition('.')[2]}.py")
            elif (
                isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(".") == 1
            ):
                todo.append(node.value.replace(".", "/") + ".py")
    return seen


def _sooner(case: Case, found: Outcome) -> Finding | None:
    """A blocking finding that stops the program before the given line does."""
    for finding in case.findings:
        if finding.severity is Severity.BLOCKING and _STARTS.search(finding.check):
            above = finding.file == found.kills and 0 < finding.line < found.line
            at_start = finding.file == case.subject.contract.entry_file and finding.file != found.kills
            if above or at_start:
                return finding
    return None
