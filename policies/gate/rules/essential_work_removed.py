"""Kinds of work that a bundle did and does not do any more."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from policies.gate.base import Change, GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.inventory import successors
from policies.gate.syntax import Function, dotted, leaf
from policies.gate.work import TRAINING, kind_of_work, work_of_evaluation
from policies.tree import walk

_TRAIN = code("""
    import wandb
    from datasets import load_dataset


    def fit(model, optimizer, study):
        data = load_dataset("imdb")
        run = wandb.init(project="p")
        study.optimize(model, n_trials=3)
        for batch in data:
            loss = model(batch)
            loss.backward()
            optimizer.step()
            run.log({"loss": loss})
""")
_LOAD = code("""
    from datasets import load_dataset


    def load():
        return load_dataset("imdb")
""")
_TWICE = _TRAIN + "\n\n" + _TRAIN[_TRAIN.index("def fit") :].replace("def fit", "def fit_again")
_BOTH = _TRAIN.replace("        optimizer.step()\n", "        optimizer.step()\n        outer_optim.step()\n")
_EVAL = code("""
    import wandb


    def main(fig, out):
        history = wandb.Api().run("x").history()
        fig.savefig("a.pdf")
        out.write_text(str(history))
""")


class EssentialWorkRemoved(GateRule):
    """A bundle that no longer trains, loads real data, searches, logs or evaluates runs without a failure."""

    ID = "essential-work-removed"
    REFUSED = (
        change(_TRAIN, _TRAIN.replace("        optimizer.step()\n", "")),
        change(_TRAIN, _TRAIN.replace("        loss.backward()\n", "")),
        change(_BOTH, _BOTH.replace("        outer_optim.step()\n", "")),
        change(_TWICE, _TWICE.replace("        optimizer.step()\n", "", 1)),
        change(_TRAIN, _TRAIN.replace('load_dataset("imdb")', "[torch.randn(4) for _ in range(9)]")),
        change(_TRAIN, _TRAIN.replace("run.log", "print")),
        change(_TRAIN, _TRAIN.replace("    study.optimize(model, n_trials=3)\n", "")),
        change(_EVAL, _EVAL.replace('wandb.Api().run("x").history()', "{}"), "src/evaluate.py"),
        change(_EVAL, _EVAL.replace('    fig.savefig("a.pdf")\n', ""), "src/evaluate.py"),
    )
    ACCEPTED = (
        change(
            _TRAIN,
            _TRAIN.replace("loss.backward()", "scaler.scale(loss).backward()").replace(
                "optimizer.step()", "scaler.step(optimizer)"
            ),
        ),
        change(
            _TRAIN,
            _TRAIN.replace(
                "    study.optimize(model, n_trials=3)\n",
                "    if study is not None:\n        study.optimize(model, n_trials=3)\n",
            ),
        ),
        change(_EVAL, _EVAL.replace(".history()", ".history(pandas=True)"), "src/evaluate.py"),
        Change(
            {"src/train.py": _TRAIN, "src/preprocess.py": ""},
            {
                "src/train.py": _TRAIN.replace(
                    "from datasets import load_dataset", "from src.preprocess import load"
                ).replace('load_dataset("imdb")', "load()"),
                "src/preprocess.py": _LOAD,
            },
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every kind of work that the attempt does nowhere."""
        before, after = _work(pair.base), _work(pair.attempt)
        for kind, place in before.items():
            if kind not in after:
                line = range(place.line, place.line + 1)
                yield Objection(f"nothing does it any more: {kind}", place.module.path, line)
        yield from _half_steps(pair)


def _half_steps(pair: Pair) -> Iterator[Objection]:
    """Functions that computed gradients and took steps, and now do one without the other."""
    totals = [Counter(kind_of_work(c) for c in _calls_of(side)) for side in (pair.base, pair.attempt)]
    for old, new in successors(pair.base, pair.attempt):
        if new is None or not isinstance(old.node, Function):
            continue
        before, after = _training(old.node), _training(new.node)
        for kind in before - after if before == TRAINING and len(after) == 1 else ():
            if totals[1][kind] < totals[0][kind]:
                yield Objection(f"{new.name} does it no more: {kind}", new.module.path, new.lines)
        if after and len(_stepped(new.node)) < len(_stepped(old.node)):
            lost = ", ".join(sorted(_stepped(old.node) - _stepped(new.node)))
            yield Objection(f"{new.name} takes no step with {lost} any more", new.module.path, new.lines)


def _stepped(node: ast.AST) -> set[str]:
    """Names of the optimizers that take steps; `scaler.step(opt)` is a step of `opt`."""
    steps = [n for n in walk(node) if isinstance(n, ast.Call) and kind_of_work(n) == "optimizer steps"]
    return {leaf(c.args[0]) if c.args else dotted(c.func).removesuffix(".step") for c in steps}


def _training(node: ast.AST) -> frozenset[str]:
    calls = (n for n in walk(node) if isinstance(n, ast.Call))
    return TRAINING & {kind_of_work(call) for call in calls}


def _calls_of(side: Side) -> Iterator[ast.Call]:
    return (place.node for place in side.places(ast.Call) if isinstance(place.node, ast.Call))


def _work(side: Side) -> dict[str, Place]:
    """Kind of work -> the first place that does it."""
    found: dict[str, Place] = {}
    for place in side.places(ast.Call):
        assert isinstance(place.node, ast.Call)
        kinds = [kind_of_work(place.node)]
        if place.module.path == side.evaluate_file:
            kinds.append(work_of_evaluation(place.node))
        for kind in kinds:
            if kind:
                found.setdefault(kind, place)
    return found
