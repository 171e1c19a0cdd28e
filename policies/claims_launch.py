"""Tests claims about child processes: who launches whom, and whether the contract allows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import Case, Outcome
from policies.hydra.entry import entries
from policies.kinds import of_kind
from policies.parsed import Module

_LAUNCHES = r"\b(?:launch(?:es)?|start(?:s)?|spawn(?:s)?|call(?:s)?|invoke(?:s)?|run(?:s)?)\b"
_CHILD = r"\bsubprocess|\bchild process|\bseparate process"
_NESTED = _CHILD + r"|\bnested\b|\bsecond hydra\b"
_OUTSIDE = re.compile(
    r"\b(?:not (?:a )?(?:part of|covered by|allowed|permitted|specified|foreseen)|outside|forbidden)\b",
    re.IGNORECASE,
)
_ABOUT = r"\b(?:evaluat\w*|pass\w*|overrid\w*|arguments?|environment|mode|not|without|with)\b"
"""Words that make a statement one about how or what is launched, not about launching."""
_RULES = r"\bcontract\b|\bcli\b|\bspecif\w+|\brequirements?\b|\bcriteri\w+|\brules?\b|\binterface\b"
_STARTERS = frozenset({"run", "Popen", "call", "check_call", "check_output", "system"})


def launches(case: Case) -> Iterator[Outcome]:
    """`main launches train in a subprocess`; refuted when no file starts any process."""
    if (
        not case.says(_LAUNCHES)
        or not case.says(_CHILD)
        or case.says(r"\bnot\b|\bnever\b|\binstead\b|\bwithout\b")
    ):
        return
    calls = [(m, n) for m in case.subject.parsable for n in of_kind(m, ast.Call) if _starts(m, n)]
    named = [(m, n) for m, n in calls if not case.names_module or m in case.modules]
    if named:
        module, node = named[0]
        target = _target(case, module)
        if any(path not in (module.path, target) for path in case.files if path.endswith(".py")):
            return
        told = f"{module.path}:{node.lineno} `{module.line(node.lineno)}`"
        hydra = target and any(e.module.path == target for e in entries(case.subject))
        if target and (hydra or not case.says(r"\bhydra\b")):
            yield Outcome("confirmed", f"{told} starts {target}{', a Hydra program' if hydra else ''}")
    elif not calls and not any(
        "subprocess" in m.text or "Popen" in m.text for m in case.subject.modules.values()
    ):
        yield Outcome("refuted", "no file of the bundle starts a process")


def outside_contract(case: Case) -> Iterator[Outcome]:
    """`a nested launch is not part of the contract`: refuted when no criterion speaks of it."""
    about = case.says(_NESTED) or (case.base is not None and case.base.case.says(_NESTED))
    criteria = case.subject.contract.criteria
    told = _OUTSIDE.search(case.body)
    if not about or not criteria or told is None or not case.says(_RULES):
        return
    if re.search(_ABOUT, case.body[: told.start()], re.IGNORECASE):
        return
    if case.files and case.subject.contract.entry_file not in case.files:
        return
    sentences = [s for c in criteria for s in c.sentences]
    if any(re.search(_NESTED + r"|\bin-process\b|\bone process\b", s, re.IGNORECASE) for s in sentences):
        return
    command = " ".join(case.subject.contract.trial)
    fixed = (
        f"the contract fixes the command `{command}`, not how {case.subject.contract.entry_module} does it"
    )
    yield Outcome("refuted", f"{fixed}: no sentence of the criteria speaks of child processes")


def _starts(module: Module, node: ast.Call) -> bool:
    """Whether a call starts another process."""
    spelled = ast.unparse(node.func)
    first, _, last = spelled.rpartition(".")
    imported = "subprocess" in module.text
    return last in _STARTERS and (
        first in ("subprocess", "os", "sp") or (not first and imported and last != "run")
    )


def _target(case: Case, module: Module) -> str:
    """The module of the bundle that a file names as the program to start; empty when none."""
    names = {m.name: path for path, m in case.subject.modules.items() if path != module.path}
    texts = [n.value for n in of_kind(module, ast.Constant) if isinstance(n.value, str)]
    return next((names[t] for t in texts if t in names), "")
