"""Tests claims about the evaluation script: its command line, the figures and tests it makes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import Case, Outcome, joined
from policies.claims_names import is_docstring
from policies.kinds import of_kind
from policies.parsed import Module

_CLI = r"\b(?:CLI|command[- ]line|argparse(?!\.)|positional|key=value)\b|results_dir=|run_ids="
_WRONG = (
    r"\bpositional\b|\bmismatch|\bliteral\b|\bviolat|\bnot (?:accept|pars|match|support)|\bcannot\b"
    r"|\brejects?\b|\bdoes(?: not|n't)\b|\bfails?\b|\bargparse\b"
)
_NEGATED = (
    r"\b(?:no|not|nor|never|missing|lacks?|lacking|omit(?:s|ted|ting)?|absent|without|incomplete|neither)\b"
)
_ARTEFACTS: tuple[tuple[str, str, str], ...] = (
    ("a confusion matrix", r"confusion[- ]matri", r"confusion"),
    ("a box plot", r"box[- ]?plots?", r"box"),
    (
        "a significance test",
        r"significance|statistical[- ]tests?",
        r"ttest|t_test|wilcoxon|mannwhitney|anova|f_oneway|p_?val|bootstrap|signific|ranksums|mcnemar|kruskal"
        r"|permutation",
    ),
)
"""What it is, how a claim names it, and what code that makes it would mention."""


def command_line(case: Case) -> Iterator[Outcome]:
    """`evaluate.py does not take results_dir=... run_ids=...`."""
    module = _evaluate(case)
    about = case.says(r"\bevaluat\w*") or case.says(r"results_dir=|run_ids=|\bresults_dir\b.*\brun_ids\b")
    scripts = [path for path in case.files if path.endswith(".py")]
    if module is None or scripts not in ([], [module.path]):
        return
    if not about or not case.says(_CLI) or not case.says(_WRONG):
        return
    splits = next(_splits(module), 0)
    arguments = [n for n in of_kind(module, ast.Call) if _called(n) == "add_argument"]
    named = [n for n in arguments if n.args and _names_parameter(n.args[0])]
    if named and not splits:
        first = named[0].lineno
        yield Outcome(
            "confirmed", f"{module.path}:{first} `{module.line(first)}` and nothing splits `key=value`", 8
        )
        return
    if not case.says(r"\bpositional\b|\bliteral\b|\bargparse\b|\bmismatch|\bnot accept\b"):
        return
    if any(r.phase == "evaluate" and r.status == "passed" for r in case.evidence.rehearsals):
        yield Outcome("refuted", "the contract's evaluate command was rehearsed and passed")
    elif splits and not arguments and "json.loads" in module.text:
        yield Outcome("refuted", f"{module.path}:{splits} `{module.line(splits)}` takes key=value arguments")


def artefacts(case: Case) -> Iterator[Outcome]:
    """`no confusion matrix, no significance test`: confirmed when no code mentions one, never refuted."""
    module = _evaluate(case)
    if module is None or not case.says(_NEGATED + r"|\bonly\b"):
        return
    if case.files and module.path not in case.files:
        return
    text = _code_text(module)
    held: list[str] = []
    failed: list[str] = []
    for what, claimed, code in _ARTEFACTS:
        if case.says(claimed):
            (failed if re.search(code, text, re.IGNORECASE) else held).append(what)
    if held and not failed:
        yield Outcome("confirmed", f"no code in {module.path} mentions {joined(held)}", 8)
    elif held:
        yield Outcome(
            "partly", f"{module.path} has no code for {joined(held)}, but some for {joined(failed)}"
        )


def _evaluate(case: Case) -> Module | None:
    """The module of the contract's evaluate command, if it parses."""
    command = case.subject.contract.evaluate
    path = command[command.index("-m") + 1].replace(".", "/") + ".py"
    module = case.subject.modules.get(path)
    return module if module is not None and module.tree is not None and module.text.strip() else None


def _splits(module: Module) -> Iterator[int]:
    """Lines where `key=value` is taken apart, by hand or by OmegaConf."""
    for node in of_kind(module, ast.Call):
        name = _called(node)
        by_sign = any(isinstance(a, ast.Constant) and a.value == "=" for a in node.args)
        if (name in ("split", "partition", "rsplit") and by_sign) or name in ("from_cli", "from_dotlist"):
            yield node.lineno


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _names_parameter(node: ast.expr) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, str) and value.lstrip("-").replace("-", "_") in ("results_dir", "run_ids")


def _code_text(module: Module) -> str:
    """Names and strings of a module, without docstrings and comments."""
    parts: list[str] = []
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts += [] if is_docstring(module, node) else [node.value]
        elif not isinstance(node, ast.alias):
            parts += [
                getattr(node, field) for field in ("id", "attr", "name", "arg") if _is_text(node, field)
            ]
    return "\n".join(parts)


def _is_text(node: ast.AST, field: str) -> bool:
    return isinstance(getattr(node, field, None), str)
