"""Check `constant-objective`: an Optuna objective that always returns the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.hydra.names import local_functions
from policies.parsed import Module, ParsedBundle
from policies.reach import mentions
from policies.records import Finding
from policies.tree import children, walk

Function = ast.FunctionDef | ast.AsyncFunctionDef
_CONFIG = re.compile(r"(?i)cfg|conf")
_USE = "\n\nstudy.optimize(objective, n_trials=3)\n"


class ConstantObjective(Check):
    """Optuna compares what the objective returns; when every trial returns the same, the search is a lottery.

    Reported where each returned value is a literal, or is read from a config, with a literal default, under a
    key that nothing in the bundle or its configs ever writes: `cfg.get("_last_loss", inf)`.
    """

    ID = "constant-objective"
    CRITERION = 7
    GOOD = (
        Good(f"def objective(trial):\n    return fit(trial){_USE}"),
        Good(
            "def fit(cfg):\n    cfg['_last'] = 1.5\n\n\n"
            f"def objective(trial):\n    fit(cfg)\n    return cfg.get('_last', 0.0){_USE}"
        ),
        Good(
            "def objective(trial):\n    try:\n        x = fit()\n    except ValueError:\n        x = 0.0\n"
            f"    return x{_USE}"
        ),
        Good(
            f"def objective(trial):\n    best = 0.0\n    for x in f():\n        best += x\n    return x{_USE}"
        ),
        Good(f"def objective(trial):\n    found = fit()\n    return found.get('eval_f1', 0.0){_USE}"),
        Good("def objective(trial):\n    return 0.0\n"),
    )
    BAD = (
        Bad(f"def objective(trial):\n    fit(trial)\n    return 0.0{_USE}", lines=(3,)),
        Bad(
            "def score(trial, cfg):\n    try:\n        fit(cfg)\n        x = cfg.get('_last', float('inf'))\n"
            "    except Exception:\n        x = float('inf')\n    return x\n\n\n"
            "study.optimize(lambda t: score(t, cfg), n_trials=3)\n",
            lines=(7,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every objective whose returned values are all known."""
        seen: set[int] = set()
        for module, node in subject.walk():
            for where, function in _objectives(subject, module, node):
                returns = [n for n in _own_nodes(function) if isinstance(n, ast.Return)]
                values = [v for r in returns for v in _values(subject, function, r.value)]
                if id(function) in seen or not values or None in values:
                    continue
                seen.add(id(function))
                shown = " or ".join(dict.fromkeys(v for v in values if v))
                yield self.finding(
                    where.path,
                    returns[-1].lineno,
                    f"the objective `{function.name}` returns the same value in every trial",
                    f"all it can return is {shown}",
                )


def _objectives(subject: ParsedBundle, module: Module, node: ast.AST) -> Iterator[tuple[Module, Function]]:
    """Functions of the bundle that a `study.optimize(...)` calls."""
    match node:
        case ast.Call(func=ast.Attribute(attr="optimize"), args=[ast.Name(id=name), *_]):
            pass
        case ast.Call(
            func=ast.Attribute(attr="optimize"),
            args=[ast.Lambda(body=ast.Call(func=ast.Name(id=name))), *_],
        ):
            pass
        case _:
            return
    nested = [n for n in module.nodes if isinstance(n, Function) and n.name == name]
    known = local_functions(subject, module).get(name)
    if len(nested) == 1:
        yield module, nested[0]
    elif not nested and known is not None and isinstance(known.node, Function):
        yield known.module, known.node


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            todo += children(node)


def _values(subject: ParsedBundle, function: Function, node: ast.expr | None) -> Iterator[str | None]:
    """The texts of every constant that `node` can be; None where it may be something else."""
    if node is None or _literal(node):
        yield f"`{ast.unparse(node)}`" if node else "`None`"
    elif isinstance(node, ast.Name):
        yield from _assigned(subject, function, node.id)
    else:
        yield _default(subject, node)


def _assigned(subject: ParsedBundle, function: Function, name: str) -> Iterator[str | None]:
    """What a local name can be, going by its assignments."""
    stores = [n for n in walk(function) if isinstance(n, ast.Name) and n.id == name and _is_store(n)]
    assigns = [
        n
        for n in walk(function)
        if isinstance(n, ast.Assign) and len(n.targets) == 1 and ast.unparse(n.targets[0]) == name
    ]
    if not assigns or len(assigns) != len(stores):
        yield None
    for assign in assigns:
        yield f"`{ast.unparse(assign.value)}`" if _literal(assign.value) else _default(subject, assign.value)


def _is_store(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _default(subject: ParsedBundle, node: ast.expr) -> str | None:
    """`x.get("key", 0.0)` and `getattr(x, "key", 0.0)` whose key occurs nowhere else."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(key)), default]
        ):
            pass
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(key)), default]):
            pass
        case _:
            return None
    if not key.isidentifier() or not _CONFIG.search(ast.unparse(owner)):
        return None
    if not _literal(default) or len(mentions(subject).get(key, ())) != 1:
        return None
    return f"`{ast.unparse(node)}` (nothing writes `{key}`)"


def _literal(node: ast.expr) -> bool:
    """A number, None, or `float("inf")`."""
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=operand):
            return _literal(operand)
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant()]):
            return True
        case ast.Attribute(value=ast.Name(id="math" | "np" | "numpy" | "torch"), attr="inf" | "nan"):
            return True
    return False
