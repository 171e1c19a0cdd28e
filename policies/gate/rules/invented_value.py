"""Numbers where a measurement belongs."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from policies.gate.base import GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.syntax import UNKNOWN, Function, called_name, literal, own_nodes
from policies.gate.values import Named, measured_values, metric, random_calls

_EVAL = code("""
    def accuracy_of(predictions, labels):
        hits = sum(p == y for p, y in zip(predictions, labels))
        return hits / len(labels)


    def report(run, predictions, labels):
        accuracy = accuracy_of(predictions, labels)
        run.log({"val_accuracy": accuracy})
        run.summary["f1"] = accuracy
        return run.summary.get("accuracy")
""")


class InventedValue(GateRule):
    """A constant or a random number under the name of a metric is a fabricated result."""

    ID = "invented-value"
    REFUSED = (
        change(_EVAL, _EVAL.replace('{"val_accuracy": accuracy}', '{"val_accuracy": 0.93}')),
        change(_EVAL, _EVAL.replace("accuracy = accuracy_of(predictions, labels)", "accuracy = 0.87")),
        change(_EVAL, _EVAL.replace('["f1"] = accuracy', '["f1"] = 0.8')),
        change(
            _EVAL, _EVAL.replace("    return hits", "    if not labels:\n        return 0.5\n    return hits")
        ),
        change(_EVAL, _EVAL.replace("return hits / len(labels)", "return random.uniform(0.8, 0.9) * hits")),
        change(_EVAL, _EVAL.replace('.get("accuracy")', '.get("accuracy", 0.5)'), "src/evaluate.py"),
        change(
            _EVAL,
            _EVAL.replace("accuracy = accuracy_of(predictions, labels)", "accuracy = np.random.rand()"),
            "src/evaluate.py",
        ),
    )
    ACCEPTED = (
        change(
            _EVAL, _EVAL.replace("    return hits", "    if not labels:\n        return 0.0\n    return hits")
        ),
        change(_EVAL, _EVAL.replace("    accuracy = ", "    best_accuracy = -1.0\n    accuracy = ")),
        change(_EVAL, _EVAL.replace('"val_accuracy"', '"validation/accuracy"')),
        change(_EVAL, _EVAL.replace("    hits", "    total_loss = 0.0\n    hits")),
        change(_EVAL, _EVAL.replace('.get("accuracy")', '["accuracy"]'), "src/evaluate.py"),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every new number that nobody measured."""
        before = Counter((n.key, n.value) for n in measured_values(pair.base))
        for named in measured_values(pair.attempt):
            before[named.key, named.value] -= 1
            if _suspicious(named) and before[named.key, named.value] < 0:
                yield named.place.objection(f"{named.key} is now the constant {named.value}")
        for place in pair.fresh(_constant_results):
            yield place.objection("a measuring function now returns a constant")
        for place in pair.fresh(_draws):
            yield place.objection("random numbers enter a measurement")
        for place in pair.fresh(_defaults):
            yield place.objection("a missing measurement is now replaced by a constant")


def _suspicious(named: Named) -> bool:
    """Zero, one and infinity start a search or a sum; any other number claims to be measured."""
    start = named.key.lower().startswith(("best", "min", "max", "prev", "total", "running", "sum", "worst"))
    return (
        named.value != UNKNOWN
        and not isinstance(named.value, str)
        and not _neutral(named.value)
        and not start
    )


def _neutral(value: str | float) -> bool:
    return not isinstance(value, str) and (value in (0.0, 1.0, -1.0) or abs(value) >= 1e6 or value != value)


def _measuring(side: Side) -> Iterator[Place]:
    """Functions that measure: named after a metric, or part of the evaluation script."""
    for place in side.places(*Function.__args__):
        assert isinstance(place.node, Function)
        name = place.node.name.removeprefix("_").removeprefix("compute_").removeprefix("calculate_")
        if metric(name) or "metric" in name or "eval" in name or place.module.path == side.evaluate_file:
            yield place


def _constant_results(side: Side) -> Iterator[Place]:
    for place in _measuring(side):
        for node in own_nodes(place.node):
            if isinstance(node, ast.Return):
                value = literal(node.value)
                if value is not None and not isinstance(value, str) and not _neutral(value):
                    yield Place(place.module, node)


def _draws(side: Side) -> Iterator[Place]:
    for place in _measuring(side):
        for call in random_calls(place.node):
            yield Place(place.module, call)


def _defaults(side: Side) -> Iterator[Place]:
    for place in side.places(ast.Call):
        node = place.node
        if isinstance(node, ast.Call) and called_name(node) in ("get", "getattr", "fillna", "nan_to_num"):
            key = next((literal(a) for a in node.args if isinstance(literal(a), str)), None)
            value = literal(node.args[-1]) if node.args else None
            number = value is not None and not isinstance(value, str) and not _neutral(value)
            if number and isinstance(key, str) and metric(key):
                yield place
