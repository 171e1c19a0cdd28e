"""What an objective returns, and which way it should go."""

from __future__ import annotations

import ast

import pytest

from policies.contract import STANDARD
from policies.hydra.trace import Study
from policies.objective import returned_metric, wanted_direction
from policies.parsed import ParsedBundle
from policies.records import Bundle


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("best_val_acc", "maximize"),
        ("rougeL", "maximize"),
        ("-accuracy", "minimize"),
        ("val_loss", "minimize"),
        ("mean_joules_per_sample", "minimize"),
        ("samples_per_joule", ""),
        ("accuracy_drop", ""),
        ("score", ""),
        ("acc_loss", ""),
    ],
)
def test_direction_of_a_name(name: str, direction: str) -> None:
    assert wanted_direction(name) == direction


def returned(objective: str) -> str:
    """The metric of an objective with this body."""
    text = (
        "study = optuna.create_study()\nstudy.optimize(lambda t: objective(t))\n\n\n"
        f"def objective(trial):\n{objective}\n\n\ndef train():\n    return float(max(val_acc))\n"
    )
    subject = ParsedBundle(Bundle(files={"src/train.py": text}), STANDARD)
    module = subject.modules["src/train.py"]
    call = next(n for n in module.nodes if isinstance(n, ast.Call) and "create" in ast.unparse(n.func))
    return returned_metric(subject, Study(module, call, None))


@pytest.mark.parametrize(
    ("body", "metric"),
    [
        ("    return val_acc", "val_acc"),
        ("    return -loss.item()", "-loss"),
        ("    return run()['val_loss']", "val_loss"),
        ("    return train()", "val_acc"),
        ("    result = train()\n    return result", "val_acc"),
        ("    if bad:\n        return float('inf')\n    return metrics.get('energy', 0.0)", "energy"),
        ("    if bad:\n        return loss\n    return acc", ""),
        ("    return acc - 0.1 * energy", ""),
        ("    def inner():\n        return loss\n    return acc", "acc"),
    ],
)
def test_returned_metric(body: str, metric: str) -> None:
    assert returned(body) == metric
