"""Optuna trials that write to W&B."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.call_sites import called_name
from policies.gates import Function
from policies.hydra.names import local_functions, origin
from policies.kinds import of_kind
from policies.literal_keys import nodes_of
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.trial_mode import training_modules
from policies.wording import clip

_SEARCH = """import optuna
import wandb


def fit(cfg{0}):
    {1}wandb.init(project="p")
    {1}wandb.log({{"loss": 1.0}})


def objective(trial):
    cfg = {{"lr": trial.suggest_float("lr", 0.1, 1.0)}}
    return fit(cfg{2})


optuna.create_study().optimize({3}, n_trials=3)
"""
MAX_DEPTH = 6
_LEAVES = (ast.Return, ast.Continue, ast.Break, ast.Raise)
_DECIDES = (ast.If, ast.IfExp, ast.BoolOp, ast.Try, ast.Match, ast.Lambda)


class OptunaTrialsLogged(Check):
    """Only the final run with the best parameters is logged, not the trials of the search.

    Trials that start or write a run mix their rows with those of the final run, which has the same id.
    Reported only when the objective reaches `wandb.init` or `wandb.log` past no test at all and nothing on
    the way speaks of disabling W&B.
    """

    ID = "optuna-trials-logged"
    CRITERION = 6
    GOOD = (
        Good(_SEARCH.format(", log=False", "log and ", "", "objective")),
        Good(_SEARCH.format("", "wandb.init(mode='disabled') and ", "", "objective")),
        Good("import wandb\n\nwandb.init()\n"),
    )
    BAD = (
        Bad(_SEARCH.format("", "", "", "objective"), lines=(6,)),
        Bad(_SEARCH.format("", "", "", "lambda t: objective(t)"), lines=(6,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first such call for each objective."""
        for module in training_modules(subject):
            for function in _objectives(module):
                path = list(_reached(subject, module, function, 0, set()))
                calls = [(m, call) for m, _, found in path for call in found]
                if calls and not any(_switches_off(part) for _, part, _ in path):
                    where, call = calls[0]
                    yield self.finding(
                        where.path,
                        call.lineno,
                        "every Optuna trial writes to W&B; only the final run may",
                        f"{clip(ast.unparse(call), 120)} — reached from {function.name} "
                        f"(line {function.lineno})",
                    )


def _switches_off(function: Function) -> bool:
    text = ast.unparse(function)
    return "disabled" in text or "WANDB_" in text


def _objectives(module: Module) -> Iterator[Function]:
    """Functions given to `study.optimize`, by name or called by a lambda."""
    functions = {name: function for name, (_, function) in _functions(module).items()}
    for node in module.nodes:
        match node:
            case ast.Call(func=ast.Attribute(attr="optimize"), args=[ast.Name(id=name), *_]):
                yield from [functions[name]] if name in functions else []
            case ast.Call(
                func=ast.Attribute(attr="optimize"), args=[ast.Lambda(body=ast.Call() as call), *_]
            ):
                yield from [functions[called_name(call)]] if called_name(call) in functions else []


def _reached(
    subject: ParsedBundle, module: Module, function: Function, depth: int, seen: set[ast.AST]
) -> Iterator[tuple[Module, Function, list[ast.Call]]]:
    """The functions that a trial surely runs, with their calls of W&B that no test guards."""
    if function in seen or depth > MAX_DEPTH:
        return
    seen.add(function)
    inside = [n for n in nodes_of(module, function) if isinstance(n, ast.Call | ast.If)]
    exits = [n.lineno for n in inside if isinstance(n, ast.If) and isinstance(n.body[-1], _LEAVES)]
    last = min(exits, default=sys.maxsize)
    calls = [
        n for n in inside if isinstance(n, ast.Call) and n.lineno < last and _is_sure(module, n, function)
    ]
    calls.sort(key=lambda n: (n.lineno, n.col_offset))
    yield module, function, [c for c in calls if origin(module, c.func) in ("wandb.init", "wandb.log")]
    nested = _functions(module)
    for call in calls:
        if isinstance(call.func, ast.Name):
            local = local_functions(subject, module).get(call.func.id)
            known = (local.module, local.node) if local is not None else nested.get(call.func.id)
            if known is not None and isinstance(known[1], ast.FunctionDef):
                yield from _reached(subject, known[0], known[1], depth + 1, seen)


def _is_sure(module: Module, node: ast.AST, function: Function) -> bool:
    """Whether no test or handler decides whether a call of the function runs; loops are taken to run."""
    child, parent = node, module.parents.get(node)
    while parent is not None and parent is not function:
        tested = isinstance(parent, ast.If | ast.IfExp) and child is parent.test
        first = isinstance(parent, ast.BoolOp) and child is parent.values[0]
        tried = isinstance(parent, ast.Try) and child in parent.body
        if isinstance(parent, _DECIDES) and not tested and not first and not tried:
            return False
        child, parent = parent, module.parents.get(parent)
    return True


def _functions(module: Module) -> dict[str, tuple[Module, ast.FunctionDef]]:
    """Functions of a module by name, nested ones included."""
    return module.memo("functions by name", _by_name)


def _by_name(module: Module) -> dict[str, tuple[Module, ast.FunctionDef]]:
    return {n.name: (module, n) for n in of_kind(module, ast.FunctionDef)}
