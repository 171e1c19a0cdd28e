"""Ending the process with success before the work is done."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.gate.base import EVERYWHERE, GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.syntax import called_name, dotted, leaf

_MAIN = "import sys\n\n\ndef main(cfg):\n    return fit(cfg)\n"


class EarlyExit(GateRule):
    """`sys.exit(0)` turns any failure into a pass, because rehearsals read the exit status."""

    ID = "early-exit"
    KINDS = EVERYWHERE
    REFUSED = (
        change(_MAIN, _MAIN.replace("    return", "    sys.exit(0)\n    return")),
        change(
            _MAIN, _MAIN.replace("    return", "    if cfg.lr is None:\n        raise SystemExit\n    return")
        ),
        change(_MAIN, _MAIN.replace("return fit(cfg)", "fit(cfg)\n    os._exit(0)")),
        change(_MAIN, _MAIN.replace("    return", "    if not cfg.data:\n        exit()\n    return")),
    )
    ACCEPTED = (
        change(_MAIN, _MAIN.replace("return fit(cfg)", "sys.exit(fit(cfg))")),
        change(
            _MAIN,
            _MAIN.replace(
                "    return", "    if cfg.run is None:\n        sys.exit('run is missing')\n    return"
            ),
        ),
        change(
            code("""
                import sys

                def main(argv):
                    if not argv:
                        sys.exit(0)
            """),
            code("""
                import sys

                def main(argv):
                    args = dict(token.split("=", 1) for token in argv)
                    if not args:
                        sys.exit(0)
            """),
            "src/evaluate.py",
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every new exit with success."""
        for place in pair.fresh(_exits):
            yield place.objection("the process is now ended early with success")


def _exits(side: Side) -> Iterator[Place]:
    for place in side.places(ast.Call, ast.Raise):
        node = place.node
        if isinstance(node, ast.Call) and _succeeds(node):
            yield place
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name) and node.exc.id == "SystemExit":
            yield place


def _succeeds(call: ast.Call) -> bool:
    name = dotted(call.func)
    if name.endswith("os._exit"):
        return True
    if (name not in ("sys.exit", "exit", "quit") and leaf(call.func) != "SystemExit") or called_name(
        call
    ) == "":
        return False
    if not call.args:
        return True
    status = call.args[0]
    return isinstance(status, ast.Constant) and (status.value is None or status.value in (0, False))
