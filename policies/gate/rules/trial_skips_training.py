"""Trials that pass because they do nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.gate.base import GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.syntax import blocks, called_name
from policies.gate.work import Trainers

_CODE = code("""
    import subprocess


    def fit(cfg, model, loader, optimizer):
        for step, batch in enumerate(loader):
            loss = model(batch)
            loss.backward()
            optimizer.step()


    def search(cfg, study):
        study.optimize(lambda trial: fit(cfg, trial, [], None), n_trials=cfg.optuna.n_trials)


    def main(cfg, model, loader, optimizer):
        search(cfg, None)
        fit(cfg, model, loader, optimizer)
""")
_LAST = "    fit(cfg, model, loader, optimizer)\n"


class TrialSkipsTraining(GateRule):
    """A trial proves that the code trains, so it must train: one or two real batches, not none."""

    ID = "trial-skips-training"
    REFUSED = (
        change(_CODE, _CODE.replace(_LAST, '    if cfg.mode == "trial":\n        return\n' + _LAST)),
        change(_CODE, _CODE.replace(_LAST, '    if cfg.mode == "full":\n    ' + _LAST)),
        change(
            _CODE,
            _CODE.replace(
                "        loss = model",
                '        if cfg.mode == "trial":\n            break\n        loss = model',
            ),
        ),
        change(
            _CODE,
            _CODE.replace(
                _LAST, '    if cfg.mode != "trial":\n    ' + _LAST + "    else:\n        print('ok')\n"
            ),
        ),
    )
    ACCEPTED = (
        change(
            _CODE,
            _CODE.replace(
                "    study.optimize", '    if cfg.mode == "trial":\n        return\n    study.optimize'
            ),
        ),
        change(
            _CODE,
            _CODE.replace("    search(cfg, None)", '    if cfg.mode != "trial":\n        search(cfg, None)'),
        ),
        change(
            _CODE,
            _CODE.replace(
                "        optimizer.step()\n",
                '        optimizer.step()\n        if cfg.mode == "trial" and step:\n            break\n',
            ),
        ),
        change(
            _CODE,
            _CODE.replace(_LAST, '    if cfg.mode == "trial":\n        cfg.training.epochs = 1\n' + _LAST),
        ),
        change(
            _CODE,
            _CODE.replace(_LAST, '    if cfg.mode == "trial":\n    ' + _LAST + "    else:\n    " + _LAST),
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every new test of the mode whose trial side leaves training out."""
        trainers = Trainers(pair.attempt)
        for place in pair.fresh(_mode_tests):
            assert isinstance(place.node, ast.If)
            branch = pair.attempt.guards.trial_branch(place.node.test)
            mine, other = place.node.body, place.node.orelse
            if branch == "orelse":
                mine, other = other, mine
            after = _following(place)
            skipped = [*other, *after] if _leaves(mine) else other
            reached = [*_preceding(place), *mine, *([] if _leaves(mine) else after)]
            if trainers.trains(skipped) and not trainers.trains(reached):
                yield place.objection("in trial mode the training is skipped")


def _mode_tests(side: Side) -> Iterator[Place]:
    for place in side.places(ast.If):
        if isinstance(place.node, ast.If) and side.guards.trial_branch(place.node.test):
            yield place


def _leaves(block: list[ast.stmt]) -> bool:
    """Whether a block ends the function, the loop or the process without a failure."""
    last = block[-1] if block else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return called_name(last.value) in ("exit", "_exit", "quit")
    return isinstance(last, ast.Return | ast.Break | ast.Continue)


def _siblings(place: Place) -> tuple[list[ast.stmt], int]:
    parent = place.module.parents[place.node]
    for block in blocks(parent):
        for number, statement in enumerate(block):
            if statement is place.node:
                return block, number
    return [], 0


def _following(place: Place) -> list[ast.stmt]:
    """The statements behind this one in its block."""
    block, number = _siblings(place)
    return block[number + 1 :]


def _preceding(place: Place) -> list[ast.stmt]:
    """The statements before it in its block: a limit at the end of a step is fine."""
    block, number = _siblings(place)
    return block[:number]
