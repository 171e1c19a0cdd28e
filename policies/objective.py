"""What an Optuna objective returns, by name, and which end of it is better."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from policies.hydra.names import local_functions
from policies.hydra.trace import Study
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.tree import walk

_UP = frozenset(
    {"acc", "accuracy", "f1", "rouge", "rougel", "rouge1", "rouge2", "bleu", "auc", "auroc"}
    | {"reward", "em", "recall", "hv", "hypervolume", "iou", "dice", "r2", "mcc", "matthews"}
    | {"spearman", "pearson", "psnr", "ssim"}
)
_DOWN = frozenset(
    {"loss", "error", "energy", "joules", "latency", "perplexity", "ppl", "mae", "mse", "rmse"}
    | {"wer", "cer", "nll", "fid", "flops", "regret"}
)
_TURNED = frozenset(
    {"neg", "negative", "minus", "inv", "inverse", "reduction", "saved", "saving", "savings"}
    | {"improvement", "gain", "drop", "gap", "efficiency", "ratio", "budget", "rate", "weight"}
    | {"penalty"}
)
"""Words that may turn the meaning of their neighbours round."""
MAX_DEPTH = 4
Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = tuple[Module, Function]


def wanted_direction(metric: str) -> str:
    """`maximize`, `minimize`, or nothing when the name does not say; a leading minus turns it round.

    Examples:
        wanted_direction("best_val_acc") == "maximize"
    """
    words = re.split(r"[^a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", metric).lower())
    up, down = bool(_UP & set(words)), bool(_DOWN & set(words))
    if (
        up == down
        or _TURNED & set(words)
        or any(word == "per" and _known(after) for word, after in pairwise(words))
    ):
        return ""
    return "maximize" if up is not metric.startswith("-") else "minimize"


def _known(word: str) -> bool:
    return word.rstrip("s") in {name.rstrip("s") for name in _UP | _DOWN}


def returned_metric(subject: ParsedBundle, study: Study) -> str:
    """The name of what the study's objective returns; empty when it is not one clear name."""
    objective = _objective(subject, study)
    return "" if objective is None else _metric(subject, objective, 0)


def _objective(subject: ParsedBundle, study: Study) -> Scope | None:
    """The function behind `study.optimize(...)`, when the module has one such call."""
    module = study.module
    calls = [
        n
        for n in of_kind(module, ast.Call)
        if isinstance(n.func, ast.Attribute) and n.func.attr == "optimize"
    ]
    studies = [n for n in of_kind(module, ast.Call) if _last(n.func) == "create_study"]
    if len(calls) != 1 or len(studies) != 1 or not calls[0].args:
        return None
    given = calls[0].args[0]
    if isinstance(given, ast.Lambda):
        given = given.body.func if isinstance(given.body, ast.Call) else given
    if isinstance(given, ast.Call):
        return _made(subject, module, given)
    return _function(subject, module, given)


def _made(subject: ParsedBundle, module: Module, call: ast.Call) -> Scope | None:
    """The objective that `partial(objective, cfg)` gives, or a function that returns the one inside it."""
    if _last(call.func) == "partial":
        return _function(subject, module, call.args[0]) if call.args else None
    maker = _function(subject, module, call.func)
    returned = list(_returns(maker)) if maker is not None else []
    if maker is None or len(returned) != 1 or not isinstance(returned[0], ast.Name):
        return None
    name = returned[0].id
    inside = [n for n in walk(maker[1]) if isinstance(n, Function) and n.name == name]
    return (maker[0], inside[0]) if len(inside) == 1 else None


def _function(subject: ParsedBundle, module: Module, node: ast.expr) -> Scope | None:
    """The bundle's own function that a name means; nested ones count when their name is unique."""
    of_self = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    if not isinstance(node, ast.Name) and not of_self:
        return None
    own = [n for n in module.nodes if isinstance(n, Function) and n.name == _last(node)]
    if len(own) == 1:
        return module, own[0]
    if not isinstance(node, ast.Name):
        return None
    found = local_functions(subject, module).get(node.id)
    if found is None or isinstance(found.node, ast.Lambda):
        return None
    return found.module, found.node


def _metric(subject: ParsedBundle, scope: Scope, depth: int) -> str:
    """The one name that every return of a function agrees on."""
    if depth > MAX_DEPTH:
        return ""
    names = [_named(subject, scope, value, depth) for value in _returns(scope)]
    told = {name for name in names if name != "neutral"}
    return told.pop() if len(told) == 1 else ""


def _returns(scope: Scope) -> Iterator[ast.expr]:
    """What a function returns, functions inside it left out."""
    module, function = scope
    for node in walk(function):
        if isinstance(node, ast.Return) and node.value and module.enclosing_function(node) is function:
            yield node.value


def _named(subject: ParsedBundle, scope: Scope, node: ast.expr, depth: int) -> str:
    """The name behind an expression; `neutral` for constants and infinities, empty when unclear."""
    match node:
        case ast.Constant() | ast.Call(func=ast.Name(id="float"), args=[ast.Constant()]):
            return "neutral"
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            name = _named(subject, scope, inner, depth)
            return name if name in ("", "neutral") else name[1:] if name.startswith("-") else f"-{name}"
        case ast.Attribute(attr="inf" | "nan"):
            return "neutral"
        case ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Name(id="float" | "max" | "min"), args=[inner]) | ast.Call(
            func=ast.Attribute(value=inner, attr="item")
        ):
            return _named(subject, scope, inner, depth)
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Name() as called):
            target = _function(subject, scope[0], called)
            return _metric(subject, target, depth + 1) if target is not None else ""
        case ast.Name(id=name):
            return name if wanted_direction(name) else _assigned(subject, scope, name, depth)
        case _:
            return ""


def _assigned(subject: ParsedBundle, scope: Scope, name: str, depth: int) -> str:
    """What a variable that does not speak for itself is set to, constants left out."""
    values = [
        node.value
        for node in walk(scope[1])
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]
    told = {_named(subject, scope, value, depth + 1) for value in values if not _same(value, name)}
    told -= {"neutral"}
    return told.pop() if len(told) == 1 and depth < MAX_DEPTH else ""


def _same(value: ast.expr, name: str) -> bool:
    return isinstance(value, ast.Name) and value.id == name


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
