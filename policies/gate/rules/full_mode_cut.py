"""Shortcuts of the trial that reach the full run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.gate.base import GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.syntax import called_name, leaf, literal
from policies.gate.work import kind_of_work
from policies.tree import walk

_CODE = code("""
    import wandb


    def fit(cfg, model, data, loader):
        wandb.init(project="p", mode=cfg.wandb.mode)
        for step, batch in enumerate(loader):
            loss = model(batch)
            loss.backward()
        return data
""")
_BREAK = "        if step >= 2:\n            break\n"
_START = "    wandb.init"
_SHORT = re.compile(
    r"(num_|max_|n_)?(train_)?(epochs|steps)|n_trials|limit_\w+|max_(train_|eval_)?(batches|samples|steps)",
    re.I,
)
_OVERRIDE = re.compile(
    r"\+*([\w.]*\b(epochs|n_trials|max_steps|num_epochs)=\d+|[\w.]*wandb\.mode=(disabled|offline))"
)


class FullModeCut(GateRule):
    """Few batches, one epoch, no search and no logging belong to trials; a full run needs the whole."""

    ID = "full-mode-cut"
    REFUSED = (
        change(_CODE, _CODE.replace(_START, "    cfg.training.epochs = 1\n" + _START)),
        change(_CODE, _CODE.replace(_START, '    cfg.wandb.mode = "disabled"\n' + _START)),
        change(_CODE, _CODE.replace(_START, '    os.environ["WANDB_MODE"] = "disabled"\n' + _START)),
        change(_CODE, _CODE.replace("mode=cfg.wandb.mode", 'mode="disabled"')),
        change(_CODE, _CODE.replace("    return data", _BREAK + "    return data")),
        change(_CODE, _CODE.replace("return data", "return data.select(range(100))")),
        change(_CODE, _CODE.replace("return data", "return data[:64]")),
        change(
            _CODE, _CODE.replace(_START, '    args = ["training.epochs=1", "optuna.n_trials=0"]\n' + _START)
        ),
        change(
            _CODE,
            _CODE.replace(_START, '    if cfg.mode == "full":\n        cfg.optuna.n_trials = 0\n' + _START),
        ),
    )
    ACCEPTED = (
        change(
            _CODE,
            _CODE.replace(
                _START,
                '    if cfg.mode == "trial":\n        cfg.training.epochs = 1\n'
                '        cfg.optuna.n_trials = 0\n        cfg.wandb.mode = "disabled"\n' + _START,
            ),
        ),
        change(
            _CODE,
            _CODE.replace(_START, "    if cfg.mode == 'trial':\n        shorten(cfg)\n" + _START)
            + "\n\ndef shorten(cfg):\n    cfg.training.epochs = 1\n",
        ),
        change(
            _CODE,
            _CODE.replace("return data", 'return data.select(range(8)) if cfg.mode == "trial" else data'),
        ),
        change(
            _CODE,
            _CODE.replace(
                "        loss = model",
                "        if limit is not None and step >= limit:\n            break\n        loss = model",
            ).replace(_START, '    limit = 2 if cfg.mode == "trial" else None\n' + _START),
        ),
        change(
            _CODE,
            _CODE.replace("mode=cfg.wandb.mode", 'mode="disabled" if cfg.mode == "trial" else "online"'),
        ),
        change(
            _CODE,
            _CODE.replace(
                _START,
                '    if cfg.mode != "trial":\n        raise ValueError("x")\n    cfg.training.epochs = 1\n'
                + _START,
            ),
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every new shortcut that is not limited to trials."""
        for place in pair.fresh(_shortcuts):
            said = ast.unparse(place.node).splitlines()[0][:80]
            yield place.objection(f"`{said}` is not limited to trials")


def _shortcuts(side: Side) -> Iterator[Place]:
    kinds = (ast.Assign, ast.Call, ast.Subscript, ast.Break, ast.Constant)
    for place in side.places(*kinds):
        if _cuts(place) and not side.trial_only(place):
            yield place


def _cuts(place: Place) -> bool:
    match place.node:
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript() as target], value=value):
            return _setting(leaf(target), value)
        case ast.Call() as call:
            return _call_cuts(call)
        case ast.Subscript(value=value, slice=ast.Slice(upper=upper)):
            part = re.search(r"data|dataset|train|loader|split", leaf(value), re.I)
            return bool(part) and isinstance(literal(upper), float)
        case ast.Break():
            return _unconditional_break(place)
        case ast.Constant(value=str() as text):
            return _OVERRIDE.fullmatch(text) is not None
        case _:
            return False


def _setting(name: str, value: ast.expr) -> bool:
    """Whether an assignment switches logging off or sets a length to a number."""
    if name.lower() in ("mode", "wandb_mode"):
        return literal(value) in ("disabled", "offline")
    return bool(_SHORT.fullmatch(name)) and isinstance(literal(value), float)


def _call_cuts(call: ast.Call) -> bool:
    name = called_name(call)
    if name == "update" and len(call.args) >= 3:
        key = literal(call.args[1])
        return isinstance(key, str) and _setting(key.rsplit(".", 1)[-1], call.args[2])
    if name == "select" and call.args and isinstance(call.args[0], ast.Call):
        return any(isinstance(literal(n), float) for n in walk(call.args[0]) if isinstance(n, ast.Constant))
    if name == "islice":
        return any(isinstance(literal(arg), float) for arg in call.args[1:])
    settings = [k for k in call.keywords if k.arg and _setting(k.arg, k.value)]
    return any(k.arg != "mode" or kind_of_work(call) == "opening the W&B run" for k in settings)


def _unconditional_break(place: Place) -> bool:
    """A break out of a training loop after a fixed number of steps."""
    node: ast.AST = place.node
    while (parent := place.module.parents.get(node)) is not None:
        if isinstance(parent, ast.If) and not _counts_to_constant(parent.test):
            return False
        if isinstance(parent, ast.For | ast.While):
            return any(isinstance(n, ast.Call) and kind_of_work(n) == "gradients" for n in walk(parent))
        node = parent
    return False


def _counts_to_constant(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=ast.Name(), comparators=[right]):
            return isinstance(literal(right), float)
        case ast.Constant():
            return True
        case _:
            return False
