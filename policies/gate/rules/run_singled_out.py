"""Code that treats one run of a comparison differently."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.gate.base import GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.syntax import leaf

_CODE = code("""
    def fit(cfg):
        epochs = cfg.training.epochs
        return epochs
""")


class RunSingledOut(GateRule):
    """A run id names an arm of the comparison; code that tests for it gives that arm another treatment."""

    ID = "run-singled-out"
    REFUSED = (
        change(
            _CODE,
            _CODE.replace(
                "    return", '    if cfg.run_id == "proposed-1":\n        epochs *= 2\n    return'
            ),
        ),
        change(
            _CODE,
            _CODE.replace("    return", '    if "baseline" in cfg.run_id:\n        return 1\n    return'),
        ),
        change(
            _CODE,
            _CODE.replace(
                "    return", '    if cfg.run.run_id.startswith("comp"):\n        epochs = 1\n    return'
            ),
        ),
    )
    ACCEPTED = (
        change(
            _CODE,
            _CODE.replace(
                "    return", '    if cfg.run_id is None:\n        raise ValueError("no run")\n    return'
            ),
        ),
        change(
            _CODE,
            _CODE.replace("    return", '    if cfg.method == "adapter":\n        epochs += 0\n    return'),
        ),
        change(
            _CODE,
            _CODE.replace(
                "    return", '    if cfg.run_id == "":\n        raise ValueError("no run")\n    return'
            ),
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every new test of a run id against a text."""
        for place in pair.fresh(_tests):
            yield place.objection("a run is singled out by its id")


def _tests(side: Side) -> Iterator[Place]:
    for place in side.places(ast.Compare, ast.Call):
        match place.node:
            case ast.Compare(left=left, comparators=[right]):
                if (_run_id(left) and _text(right)) or (_text(left) and _run_id(right)):
                    yield place
            case ast.Call(func=ast.Attribute(value=value, attr="startswith" | "endswith")) if _run_id(value):
                yield place


def _run_id(node: ast.expr) -> bool:
    return leaf(node) in ("run_id", "run_name")


def _text(node: ast.expr) -> bool:
    items = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else [node]
    return any(
        isinstance(item, ast.Constant) and isinstance(item.value, str) and item.value for item in items
    )
