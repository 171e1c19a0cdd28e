"""New handlers that make a failure disappear."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from policies.gate.base import EVERYWHERE, GateRule, Objection, Pair, Place, Side, asked, change, code
from policies.gate.syntax import called_name, constant, leaf, literal
from policies.tree import walk

_STEP = code("""
    def fit(model, loader):
        for batch in loader:
            loss = model(batch)
            loss.backward()
""")
_PASSED = code("""
    def fit(model, loader):
        for batch in loader:
            try:
                loss = model(batch)
                loss.backward()
            except Exception:
                pass
""")
_CRASH = asked("the trial fails: RuntimeError: shapes do not match", line=4)


_FALLBACK = code("""
    def build(name):
        try:
            return large(name)
        except Exception:
            return small(name)
""")


class SwallowedException(GateRule):
    """A failure that is caught and forgotten is still there; the run only looks as if it worked.

    Narrow handlers are fine, unless they catch just the exception that a finding reports.
    """

    ID = "swallowed-exception"
    KINDS = EVERYWHERE
    REFUSED = (
        change(_FALLBACK, _FALLBACK.replace("return small(name)", "return None")),
        change(_STEP, _PASSED),
        change(_STEP, _PASSED.replace("except Exception:", "except:")),
        change(_STEP, _PASSED.replace("pass", "loss = batch.new_zeros(1)")),
        change(
            _STEP,
            _PASSED.replace("Exception:\n", "(ValueError, BaseException) as e:\n").replace(
                "pass", "print(e)"
            ),
        ),
        change(_STEP, _PASSED.replace("except Exception", "except RuntimeError"), findings=(_CRASH,)),
        change(
            _STEP,
            code("""
                import contextlib


                def fit(model, loader):
                    for batch in loader:
                        with contextlib.suppress(Exception):
                            loss = model(batch)
                            loss.backward()
            """),
        ),
    )
    ACCEPTED = (
        change(_STEP, _PASSED.replace("pass", "raise")),
        change(
            "import json\n\nruns = json.loads(text)\n",
            code("""
                import json

                try:
                    runs = json.loads(text)
                except json.JSONDecodeError:
                    runs = text.split(",")
            """),
            "src/evaluate.py",
        ),
        change(_PASSED, _PASSED.replace("loader:", "list(loader):")),
        change("def fit(:\n" + _PASSED, _PASSED),
        change(_FALLBACK, _FALLBACK.replace("small(name)", "small(IDS.get(name, name))")),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every new handler that does not hand the failure on."""
        # Where tests say what a function does about an error, a narrow handler may be just what they ask for.
        reported = _reported(pair) if pair.base.subject.contract.kind == "experiment" else set()
        stood = Counter(_kind(place) for place in pair.gone(_handlers))
        for place in pair.fresh(_handlers):
            assert isinstance(place.node, ast.ExceptHandler)
            if stood[_kind(place)] > 0:
                stood[_kind(place)] -= 1
                continue
            caught = _types(place.node.type)
            if caught & {"", "Exception", "BaseException"} and not _hands_on(place.node.body):
                yield place.objection("a new handler swallows every exception")
            elif caught & reported and _forgets(place.node.body):
                names = ", ".join(sorted(caught & reported))
                yield place.objection(f"a new handler swallows the exception that was reported ({names})")
        for place in pair.fresh(_suppressions):
            assert isinstance(place.node, ast.Call)
            caught = {leaf(arg) for arg in place.node.args}
            if caught & ({"Exception", "BaseException"} | reported):
                yield place.objection("a new suppress() swallows exceptions")


def _kind(place: Place) -> tuple[str, str, str, bool, bool]:
    """What stays when a statement of a handler is edited: place, caught types, what it does about them."""
    node = place.node
    assert isinstance(node, ast.ExceptHandler)
    function = place.module.enclosing_function(node)
    caught = ast.unparse(node.type) if node.type else ""
    name = function.name if function else ""
    return place.module.path, name, caught, _hands_on(node.body), _forgets(node.body)


def _handlers(side: Side) -> Iterator[Place]:
    return side.places(ast.ExceptHandler)


def _suppressions(side: Side) -> Iterator[Place]:
    return (
        p for p in side.places(ast.Call) if isinstance(p.node, ast.Call) and called_name(p.node) == "suppress"
    )


def _types(node: ast.expr | None) -> set[str]:
    """Names of the caught types; an empty name for a handler without one."""
    if node is None:
        return {""}
    return {leaf(item) for item in (node.elts if isinstance(node, ast.Tuple) else [node])}


def _reported(pair: Pair) -> set[str]:
    """Exception types that the findings quote."""
    text = " ".join(f"{f.message} {f.evidence}" for f in pair.findings)
    return set(re.findall(r"\b([A-Z]\w*(?:Error|Exception))\b", text))


def _hands_on(body: list[ast.stmt]) -> bool:
    """Whether the handler raises, or ends the process with a failure."""
    for node in (n for statement in body for n in walk(statement)):
        if isinstance(node, ast.Raise):
            return True
        if isinstance(node, ast.Call) and called_name(node) == "exit":
            return bool(node.args) and literal(node.args[0]) not in (None, 0)
    return False


def _forgets(body: list[ast.stmt]) -> bool:
    """Whether the handler does nothing about the failure but perhaps mention it."""
    return all(_says_only(statement) for statement in body)


def _says_only(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Continue() | ast.Break():
            return True
        case ast.Return(value=value) | ast.Assign(value=value):
            return constant(value)
        case ast.Expr(value=ast.Call() as call):
            return called_name(call) in ("print", "info", "warning", "debug", "warn", "error", "exception")
        case _:
            return isinstance(statement, ast.Expr)
