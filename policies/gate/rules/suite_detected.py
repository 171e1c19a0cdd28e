"""Code that behaves differently while it is tested."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.gate.base import GateRule, Objection, Pair, Place, Side, change, code
from policies.gate.syntax import dotted
from policies.python_tests import CONTRACT

_CODE = code("""
    import os
    import sys

    def pop(items):
        return items[0]
""")
RUNNERS = frozenset({"pytest", "_pytest", "unittest", "nose", "nose2", "doctest"})
LOOKS = ("sys._getframe", "inspect.stack", "inspect.currentframe", "sys.settrace", "traceback.extract_stack")
"""Ways to learn who is calling."""


class SuiteDetected(GateRule):
    """Code that asks whether it is being tested, or reaches into the runner, proves nothing by passing."""

    ID = "suite-detected"
    KINDS = frozenset({"tests"})
    REFUSED = tuple(
        change(_CODE, _CODE.replace("    return", f"    {line}\n    return"), "stack.py", contract=CONTRACT)
        for line in (
            "if 'PYTEST_CURRENT_TEST' in os.environ:\n        return items[-1]",
            "if 'pytest' in sys.modules:\n        return items[-1]",
            "import pytest\n    pytest.skip('later')",
            "if sys._getframe(1).f_code.co_name.startswith('test_'):\n        return items[-1]",
        )
    )
    ACCEPTED = (
        change(_CODE, _CODE.replace("items[0]", "items[-1]"), "stack.py", contract=CONTRACT),
        change(
            _CODE,
            _CODE.replace("    return", "    if 'HOME' in os.environ:\n        print('at home')\n    return"),
            "stack.py",
            contract=CONTRACT,
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every new import of a test runner, and every new look at whether or by whom the code is run."""
        for place in pair.fresh(_imports):
            yield place.objection("the code under test now imports a test runner")
        for place in pair.fresh(_looks):
            yield place.objection("the code now looks whether it is being tested")


def _imports(side: Side) -> Iterator[Place]:
    for place in side.places(ast.Import, ast.ImportFrom):
        node = place.node
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        if any(name.partition(".")[0] in RUNNERS for name in names):
            yield place


def _looks(side: Side) -> Iterator[Place]:
    for place in side.places(ast.Constant):
        value = place.node.value if isinstance(place.node, ast.Constant) else None
        if isinstance(value, str) and (value in RUNNERS or value.startswith("PYTEST_")):
            yield place
    for place in side.places(ast.Call):
        if isinstance(place.node, ast.Call) and dotted(place.node.func) in LOOKS:
            yield place
