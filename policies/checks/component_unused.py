"""Check `component-unused`: functions and classes that nothing refers to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import Module, ParsedBundle
from policies.reach import mentions, reached
from policies.records import Finding, Severity

_OWN_CALLERS = {"main", "run", "cli", "app", "setup", "teardown"}
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
MAIN = {"src/main.py": "from src import train\n\ntrain.fit()\n"}


class ComponentUnused(Check):
    """A function or class that no line of the bundle names never runs.

    Small helpers left over are harmless; a loss, an adapter or a calibration that is written and never called
    is a part of the method that the experiment lacks. Names in texts, in configs and behind decorators count
    as uses, so does everything in a module with a star import.
    """

    ID = "component-unused"
    CRITERION = 1
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code",)
    GOOD = (
        Good("def loss(x):\n    return x\n\n\ndef fit():\n    return loss(1)\n", files=MAIN),
        Good("@register\ndef loss(x):\n    return x\n\n\ndef fit():\n    return 1\n", files=MAIN),
        Good("def loss(x):\n    return x\n\n\ndef fit():\n    return table['loss']\n", files=MAIN),
        Good("def loss(x):\n    return x\n\n\ndef fit():\n    return globals()\n", files=MAIN),
    )
    BAD = (
        Bad(
            "def loss(x):\n    return loss(x - 1)\n\n\nclass Gate:\n    x = 1\n\n\ndef fit(): ...\n",
            files=MAIN,
            lines=(1,),
        ),
        Bad(
            "def loss(x):\n    return x\n\n\ndef fit(): ...\n",
            files={"src/main.py": "from src.train import fit, loss\n\nfit()\n"},
            lines=(1,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for each file."""
        known = reached(subject)
        if known is None or len(subject.parsable) < len(subject.modules):
            return
        if any(_hides_names(module) for module in subject.parsable):
            return
        for module in subject.parsable:
            dead = [node for node in _definitions(module) if not _used(subject, module, node)]
            if dead and module.path in known:
                listed = ", ".join(f"`{node.name}`" for node in dead)
                them = "it" if len(dead) == 1 else "them"
                yield self.finding(
                    module.path,
                    dead[0].lineno,
                    f"nothing uses {listed}",
                    f"imports aside, no code, text or config of the bundle names {them}",
                )


def _definitions(module: Module) -> list[Definition]:
    """What a module defines at its top level and nothing but a name could call."""
    assert module.tree is not None, "only parsed modules are asked"
    return [
        node
        for node in module.tree.body
        if isinstance(node, Definition)
        and not node.decorator_list
        and not node.name.startswith("__")
        and node.name not in _OWN_CALLERS
    ]


def _used(subject: ParsedBundle, module: Module, node: Definition) -> bool:
    """Whether anything outside the definition itself names it."""
    last = node.end_lineno or node.lineno
    return any(
        path != module.path or not node.lineno <= line <= last
        for path, line in mentions(subject).get(node.name, ())
    )


def _hides_names(module: Module) -> bool:
    return any(
        (isinstance(node, ast.ImportFrom) and node.names[0].name == "*")
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"globals", "vars", "eval"}
        )
        for node in module.nodes
    )
