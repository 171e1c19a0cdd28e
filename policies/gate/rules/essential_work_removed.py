"""Kinds of work that a bundle did and does not do any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.gate.base import Change, GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.work import kind_of_work, work_of_evaluation

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
