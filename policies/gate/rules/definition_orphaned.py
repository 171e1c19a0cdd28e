"""Method code that is still there but that nothing calls any more."""

from __future__ import annotations

from collections.abc import Iterator

from policies.gate.base import GateRule, Objection, Pair, change, code
from policies.gate.inventory import references, successors

_CODE = code("""
    def penalty(model):
        return sum(model)


    def fit(model, loss):
        return loss + penalty(model)
""")
_NET = code("""
    class Net:
        def fuse(self, x):
            return x + 1

        def forward(self, x):
            return self.fuse(x)
""")


class DefinitionOrphaned(GateRule):
    """Method code that no longer has a caller is switched off, though a reader still finds it in the file."""

    ID = "definition-orphaned"
    REFUSED = (
        change(_CODE, _CODE.replace("loss + penalty(model)", "loss * 1")),
        change(_NET, _NET.replace("self.fuse(x)", "x * 2"), "src/model.py"),
    )
    ACCEPTED = (
        change(_CODE, _CODE.replace("loss + penalty(model)", "penalty(model) + loss")),
        change(
            "def _args(cfg):\n    return cfg.path\n\n\ndef run(cfg):\n    return _args(cfg)\n",
            "def _args(cfg):\n    return cfg.path\n\n\ndef run(cfg):\n    return cfg.results_dir\n",
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every definition that lost its last use."""
        for old, new in successors(pair.base, pair.attempt):
            if new is None or old.short.startswith("__"):
                continue
            plumbing = old.short.startswith("_") and not old.does_method_work()
            if plumbing or references(pair.base, old.short, old.node) == 0:
                continue
            if references(pair.attempt, new.short, new.node) == 0:
                yield Objection(
                    f"nothing uses {old.name} any more",
                    new.module.path,
                    new.lines,
                    keys=(old.name, old.short),
                )
