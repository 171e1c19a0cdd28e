"""Assertions that are gone or always hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.gate.base import EVERYWHERE, GateRule, Objection, Pair, Place, Side, asked, change, code
from policies.gate.syntax import constant

_CODE = code("""
    def collate(x, y):
        assert x.shape[0] == y.shape[0], "sizes differ"
        assert y.max() < 3
        return x, y
""")


class AssertionRemoved(GateRule):
    """An assertion that fails says that the code around it is wrong; without it the code is still wrong."""

    ID = "assertion-removed"
    KINDS = EVERYWHERE
    REFUSED = (
        change(_CODE, _CODE.replace("    assert y.max() < 3\n", "")),
        change(_CODE, _CODE.replace("assert y.max() < 3", "assert True")),
        change(
            _CODE, _CODE.replace("    assert y.max() < 3\n", "    if y.max() >= 3:\n        print('odd')\n")
        ),
    )
    ACCEPTED = (
        change(_CODE, _CODE.replace("y.max() < 3", "y.max().item() < 3")),
        change(_CODE, _CODE.replace("    return x, y", "    assert x.ndim == 2\n    return x, y")),
        change(
            _CODE,
            _CODE.replace("    assert y.max() < 3\n", ""),
            findings=(asked("the assert rejects labels that the data set has", line=3),),
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every assertion that nothing took the place of."""
        gone = list(pair.gone(_assertions))
        fresh = sum(1 for place in pair.fresh(_assertions) if not _empty(place.node))
        for place in gone[: max(0, len(gone) - fresh)]:
            line = range(place.line, place.line + 1)
            yield Objection("an assertion was removed", place.module.path, line, keys=("assert", "assertion"))


def _assertions(side: Side) -> Iterator[Place]:
    return side.places(ast.Assert)


def _empty(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert) and constant(node.test)
