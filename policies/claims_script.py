"""Tests claims about names that the evaluation script makes or holds: figures, primary metric, accounts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.claims_base import Case, Outcome, joined
from policies.evaluate_args import evaluate_path
from policies.figures import FigureName, figure_names
from policies.kinds import each, of_kind
from policies.parsed import Module

_NAMING = (
    r"\b(?:figures?|plots?|pdfs?)(?: files?)?[- ]?nam(?:es|ing)\b|\bfigure naming\b"
    r"|\bnam(?:es|ing)\b[^.;]*\b(?:figures?|plots?|pdfs?|comparison_)|\bfigures?\b.*\bcurrent names\b"
)
_UNLIKE = (
    r"\b(?:not|never|n't|nor) (?:\w+ ){0,2}(?:follow|match|adher|conform|comply|respect)"
    r"|\bviolat\w*\b[^.;]*\b(?:pattern|convention|naming)|\bmiss(?:es|ing)?\b[^.;]*\b(?:prefix|suffix)"
    r"|\bdeviat"
)
_RUN = re.compile(r"\brid\b|run_?id|run_?name|\brun\.(?:id|name)\b|^run$", re.IGNORECASE)
_ONLY = re.compile(
    r"\bonly (?:(?:a|an|the|one|single) )?(?:learning|bar|training|loss)\b[^.;]*"
    r"\b(?:is|are) (?:produced|generated|saved)\b|\b(?:produces|generates|creates|saves|plots) only\b",
    re.IGNORECASE,
)
_KINDS = ((r"\blearning[- ]curves?\b", r"curve|loss|learning"), (r"\bbar[- ]?charts?\b", r"bar"))
_PRIMARY = r"\bprimary[ _-]metric\b"
_OTHER_KEY = (
    r"\bheuristic|\binstead\b|\bnot (?:the )?(?:exact|match|equal)|\bdiffer|\bmismatch|\bwrong\b|\bguess"
    r"|\binfers?\b|\bhard-?cod"
)
_HARD_CODED = r"\bhard[- ]?cod(?:ed?s?|ing)\b"
_ACCOUNT = ("entity", "project")


def figures(case: Case) -> Iterator[Outcome]:
    """`figure names do not follow the pattern`: refuted when every name begins and ends as demanded."""
    wanted = any("comparison_" in s for c in case.subject.contract.criteria for s in c.sentences)
    module = _script(case)
    if not wanted or module is None or not case.says(_NAMING) or not case.says(_UNLIKE):
        return
    if any(f.check == "figure-names" for f in case.findings) or (
        case.files and module.path not in case.files
    ):
        return
    names = list(figure_names(case.subject, module))
    if names and len(names) >= module.text.count("savefig(") and all(map(_fits, names)):
        told = [f"{n.module.path}:{n.node.lineno} `{ast.unparse(n.node)}`" for n in names]
        yield Outcome(
            "refuted", f"every name is `{{run_id}}_<topic>.pdf` or `comparison_<topic>.pdf`: {joined(told)}"
        )


def only_figures(case: Case) -> Iterator[Outcome]:
    """`only a learning curve is produced`: every figure that is saved is of the kinds the claim names."""
    module = _script(case)
    if module is None or not _ONLY.search(case.body) or case.files not in ((), (module.path,)):
        return
    kinds = [kind for named, kind in _KINDS if case.says(named)]
    names = [n for n in figure_names(case.subject, module) if _in_step(case, n)]
    texts = [text for n in names for text in n.patterns]
    if kinds and texts and all(any(re.search(kind, text) for kind in kinds) for text in texts):
        told = [f"{n.module.path}:{n.node.lineno} `{ast.unparse(n.node)}`" for n in names]
        yield Outcome("confirmed", f"no other figure is saved than {joined(told)}", 8)


def _in_step(case: Case, name: FigureName) -> bool:
    """Whether a figure belongs to the step that the claim is about, if it names one."""
    compares = all(pattern.startswith("comparison") for pattern in name.patterns)
    if case.says(r"\bstep-?1\b|\bper-run\b"):
        return not compares
    return compares or not case.says(r"\bstep-?2\b|\baggregated\b|\bcross-run\b")


def _fits(name: FigureName) -> bool:
    """Whether a name starts with the run id or `comparison_` and ends in `.pdf`."""
    node = name.node
    first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
    run = isinstance(first, ast.FormattedValue) and _RUN.search(ast.unparse(first.value))
    starts = [p.startswith("*_") if run else p.startswith("comparison_") for p in name.patterns]
    return bool(starts) and all(starts) and all(p.endswith(".pdf") for p in name.patterns)


def primary_metric(case: Case) -> Iterator[Outcome]:
    """`the exact primary metric string is not what the script stores`."""
    module, exact = _script(case), case.subject.context.primary_metric.strip()
    if module is None or not exact or not case.says(_PRIMARY) or not case.says(_OTHER_KEY):
        return
    stores = [n for n in of_kind(module, ast.Dict) if _key(n, "primary_metric") is not None]
    texts = [t for t in (module.text, *case.subject.bundle.tree.values()) if exact in t]
    if (
        not stores
        or texts
        or not case.says(r"\baggregated|\bstor|\bwrit|\bsav|\bexport|\bspec|\bjson\b|\bscript\b")
    ):
        return
    value = _key(stores[0], "primary_metric")
    if value is not None:
        told = f"{module.path}:{value.lineno} stores `{ast.unparse(value)}`"
        yield Outcome("confirmed", f"{told}; no file of the bundle holds the string `{exact}`", 8)


def _holds(case: Case, exact: str) -> bool:
    """Whether some file has a string, as it stands or put together from literals."""
    flat = " ".join(exact.split())
    if any(flat in " ".join(text.split()) for text in case.subject.bundle.tree.values()):
        return True
    strings = (n.value for _, n in each(case.subject, ast.Constant))
    return any(isinstance(text, str) and flat in " ".join(text.split()) for text in strings)


def hard_coded(case: Case) -> Iterator[Outcome]:
    """`the W&B entity is hard-coded`: confirmed by the literal, never refuted."""
    if quoted := re.search(_HARD_CODED + r"\s+`([^`\n]+)`", case.body, re.IGNORECASE):
        yield from _literal(case, quoted[1])
    wanted = [word for word in _ACCOUNT if case.says(rf"\b{word}\b")]
    if not wanted or not case.says(_HARD_CODED) or not case.says(r"\bwandb\b|\bw&b\b"):
        return
    for module in case.modules:
        for node in module.nodes:
            text = _account(node)
            if text is not None:
                line = getattr(node, "lineno", 0)
                yield Outcome("confirmed", f"{module.path}:{line} `{module.line(line)}` spells {text}", 8)
                return


def _literal(case: Case, text: str) -> Iterator[Outcome]:
    """The first string in the code that is this text."""
    for module in case.modules:
        for node in of_kind(module, ast.Constant):
            if node.value == text.strip("\"'"):
                yield Outcome("confirmed", f"{module.path}:{node.lineno} `{module.line(node.lineno)}`")
                return


def _script(case: Case) -> Module | None:
    module = case.subject.modules.get(evaluate_path(case.subject.contract))
    return module if module is not None and module.tree is not None else None


def _key(node: ast.Dict, name: str) -> ast.expr | None:
    """The value that a dict display gives a key."""
    pairs = zip(node.keys, node.values, strict=True)
    return next((v for k, v in pairs if isinstance(k, ast.Constant) and k.value == name), None)


def _account(node: ast.AST) -> str | None:
    """The literal account that an expression hands to W&B; None when it does not."""
    match node:
        case ast.Call(func=ast.Attribute(attr="run" | "runs"), args=[ast.JoinedStr(values=[first, *_]), *_]):
            text = first.value if isinstance(first, ast.Constant) else ""
            return f"`{text}`" if isinstance(text, str) and re.match(r"[\w-]+/[\w-]+/", text) else None
        case ast.keyword(arg="entity" | "project", value=ast.Constant(value=str(text))) if text:
            return f"`{text}`"
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
            return (
                f"`{text}`" if re.fullmatch(r"(?:WANDB_)?(?:ENTITY|PROJECT)", name, re.I) and text else None
            )
    return None
