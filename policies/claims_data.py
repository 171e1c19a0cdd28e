"""Tests claims about columns: dropped by `map`, never written, read where they are not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import Case, Outcome
from policies.row_functions import MapCall, is_tokenizing, map_calls, returned

_LABEL = r"\b(?:labels?|supervision|targets?)\b"
_DROPS = (
    r"\b(?:drops?|removes?|discards?|loses?|strips?)\b"
    r"|\b(?:never|not) (?:\w+ )?(?:writes?|adds?|creates?|keeps?|contain)"
    r"|\bcontains? no\b|\bha(?:s|ve) no\b"
)
_READS = re.compile(
    r"(?:expects?|access(?:es)?|reads?|uses?|looks? up|needs?)\s+`?(\w+)\[\s*[\"'](\w+)[\"']\s*\]`?"
)
_NEVER_MADE = re.compile(
    r"\b(?:never|not) (?:creates?|makes?|sets|adds?|produces?|generates?|returns?|writes?)\s+"
    r"[`\"“](\w+)[`\"”]"
)
LACKS, READS = "lacks", "reads"
"""Facts that a later claim may rest on: a batch lacks a key, code reads it."""


def drops_label(case: Case) -> Iterator[Outcome]:
    """`preprocessing drops the label column`: a `map` that removes all columns and makes no label."""
    if not case.says(_LABEL) or not case.says(_DROPS) or case.says(_READS.pattern):
        return
    if not case.says(r"\bcolumns?\b|\bfields?\b|\bkeys?\b|\bbranch\b"):
        return
    for module in case.subject.parsable if not case.names_module else case.modules:
        for call in map_calls(case.subject):
            if call.module is module and call.removes_all() and not _speaks_of_label(call):
                line, name = call.node.lineno, getattr(call.function, "name", "lambda")
                told = f"{module.path}:{line} removes every column and `{name}` makes none with a label"
                yield Outcome("confirmed", told, 3, fact=f"{LACKS} labels")
                return


def reads_key(case: Case) -> Iterator[Outcome]:
    """`f expects batch["labels"]`, and says no more: confirmed where the code does."""
    match = _READS.search(case.body)
    said = case.body[match.end() :].strip(" .`") if match else "?"
    before = case.body[: match.start()] if match else ""
    if match is None or said or len(before.split()) > 3:
        return
    if told := _reading(case, match[1], match[2]):
        yield Outcome("confirmed", told, fact=f"{READS} {match[2]}")


def _reading(case: Case, owner: str, key: str) -> str:
    """The first place that reads a key; empty when none does."""
    for module in case.subject.parsable:
        for node in module.nodes:
            if _takes(node, owner, key):
                line = getattr(node, "lineno", 0)
                return f"{module.path}:{line} `{module.line(line)}`"
    return ""


def never_made(case: Case) -> Iterator[Outcome]:
    """`x.py never creates key k`: confirmed when no text and no name of the file is k."""
    match = _NEVER_MADE.search(case.body)
    if match is None or not case.names_module or not case.all_parse:
        return
    key = match[1]
    if not any(re.search(rf"\b{re.escape(key)}\b", m.text) for m in case.modules):
        told = f"{', '.join(m.path for m in case.modules)} nowhere mentions `{key}`"
        yield Outcome("confirmed", told, fact=f"{LACKS} {key}")


def missing_key_raises(case: Case) -> Iterator[Outcome]:
    """`so it will raise a KeyError`: one earlier claim showed the key missing, another that it is read."""
    facts = {o.fact: o.evidence for t in case.mates for o in t.outcomes if o.status == "confirmed" and o.fact}
    if not case.follows or not case.says(r"\bKeyError\b|\bfails? when\b[^.;]*\baccess"):
        return
    for match in _READS.finditer(case.text):
        if told := _reading(case, match[1], match[2]):
            facts[f"{READS} {match[2]}"] = told
    for fact, told in facts.items():
        lacks, _, key = fact.partition(" ")
        if lacks == LACKS and (read := facts.get(f"{READS} {key}")):
            yield Outcome("confirmed", f"{told}; {read}: KeyError where that branch is taken", 3)


def _speaks_of_label(call: MapCall) -> bool:
    """Whether the function may make a label: it names one, or returns something else than tokens."""
    if re.search(r"label|target|\by\b", ast.unparse(call.function), re.IGNORECASE):
        return True
    values = list(returned(call.function))
    return not values or not all(is_tokenizing(call.owner, value) for value in values)


def _takes(node: ast.AST, owner: str, key: str) -> bool:
    """Whether code reads `owner["key"]` or takes it out with `get` or `pop`."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=text), ctx=ast.Load()):
            return name == owner and text == key
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="pop"), args=[ast.Constant(value=text)]
        ):
            return name == owner and text == key
    return False
