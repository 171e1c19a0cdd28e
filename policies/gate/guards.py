"""Which code is reached in trial mode alone, read from the tests around it."""

from __future__ import annotations

import ast
import re
from typing import Literal

from policies.contract import ModeSwitch
from policies.gate.syntax import Function, called_name, leaf
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle

Branch = Literal["body", "orelse"]

_TRIAL_NAME = re.compile(r"_?(is_|in_)?trial(_mode|_run)?")
_FULL_NAME = re.compile(r"_?(is_|in_)?full(_mode|_run)?")
_OTHER: dict[Branch, Branch] = {"body": "orelse", "orelse": "body"}
MAX_CALL_DEPTH = 3


class Guards:
    """Answers for one bundle."""

    def __init__(self, subject: ParsedBundle) -> None:
        self._modules = subject.parsable
        self._mode = subject.contract.mode
        self._calls: dict[str, list[tuple[Module, ast.Call]]] | None = None

    def trial_only(self, module: Module, node: ast.AST, depth: int = 0) -> bool:
        """Whether a test of the mode, here or around every call of the function, limits `node` to trials."""
        child: ast.AST = node
        while (parent := module.parents.get(child)) is not None:
            if self._selects_trial(parent, child):
                return True
            if isinstance(child, Function) and self._called_in_trials_only(child, depth):
                return True
            child = parent
        return False

    def trial_branch(self, test: ast.expr) -> Branch | None:
        """The branch that is taken in trials alone, if the test says so."""
        return trial_branch(test, self._mode)

    def _selects_trial(self, parent: ast.AST, child: ast.AST) -> bool:
        if isinstance(parent, ast.If | ast.IfExp):
            branch = trial_branch(parent.test, self._mode)
            part = getattr(parent, branch) if branch else ()
            if part is child or (isinstance(part, list) and child in part):
                return True
        if isinstance(parent, ast.match_case):
            return isinstance(parent.pattern, ast.MatchValue) and self._is(
                parent.pattern.value, self._mode.trial
            )
        return isinstance(child, ast.stmt) and self._after_full_mode_left(parent, child)

    def _after_full_mode_left(self, parent: ast.AST, child: ast.stmt) -> bool:
        """`if mode != "trial": return` makes what follows trial-only."""
        for block in (getattr(parent, name, None) for name in ("body", "orelse", "finalbody")):
            if not isinstance(block, list) or child not in block:
                continue
            if any(self._leaves_full_mode(earlier) for earlier in block[: block.index(child)]):
                return True
        return False

    def _leaves_full_mode(self, statement: ast.stmt) -> bool:
        if not isinstance(statement, ast.If) or trial_branch(statement.test, self._mode) != "orelse":
            return False
        return isinstance(statement.body[-1], ast.Return | ast.Raise | ast.Continue)

    def _called_in_trials_only(self, function: Function, depth: int) -> bool:
        if depth >= MAX_CALL_DEPTH:
            return False
        if self._calls is None:
            self._calls = {}
            for module in self._modules:
                for node in of_kind(module, ast.Call):
                    self._calls.setdefault(called_name(node), []).append((module, node))
        sites = self._calls.get(function.name, [])
        return bool(sites) and all(self.trial_only(m, call, depth + 1) for m, call in sites)

    @staticmethod
    def _is(node: ast.expr, word: str) -> bool:
        return isinstance(node, ast.Constant) and str(node.value).lower() == word.lower()


def trial_branch(test: ast.expr, mode: ModeSwitch) -> Branch | None:
    """The branch of `if test` that is taken in trial mode alone; None when the test does not decide it."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            branch = trial_branch(inner, mode)
            return _OTHER[branch] if branch else None
        case ast.BoolOp(op=op, values=values):
            branches = [trial_branch(v, mode) for v in values]
            # A conjunction implies each of its parts; the failure of a disjunction implies that each failed.
            implied: Branch = "body" if isinstance(op, ast.And) else "orelse"
            if implied in branches:
                return implied
            return _OTHER[implied] if all(b == _OTHER[implied] for b in branches) else None
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(left, op, right, mode)
        case _:
            return _named(test, mode)


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, mode: ModeSwitch) -> Branch | None:
    if isinstance(left, ast.Constant):
        left, right = right, left
    values = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
    words = {str(v.value).lower() for v in values if isinstance(v, ast.Constant)}
    if len(words) != 1 or len(words) != len(values):
        return None
    word = words.pop()
    branch: Branch | None = None
    if word in ("true", "false"):
        branch = _named(left, mode)
        branch = _OTHER[branch] if branch and word == "false" else branch
    elif word in (mode.trial.lower(), mode.full.lower()):
        branch = "body" if word == mode.trial.lower() else "orelse"
    negative = isinstance(op, ast.NotEq | ast.IsNot | ast.NotIn)
    if branch is None or not isinstance(op, ast.Eq | ast.Is | ast.In | ast.NotEq | ast.IsNot | ast.NotIn):
        return None
    return _OTHER[branch] if negative else branch


def _named(test: ast.expr, mode: ModeSwitch) -> Branch | None:
    """A flag such as `cfg.trial_mode`, `is_trial`, `args.get("trial")`."""
    name = leaf(test)
    if isinstance(test, ast.Call):
        first = test.args[0] if test.args else None
        quoted = isinstance(first, ast.Constant) and called_name(test) == "get"
        name = str(first.value) if quoted and isinstance(first, ast.Constant) else called_name(test)
    if _TRIAL_NAME.fullmatch(name) or (name == mode.key and mode.key != "mode"):
        return "body"
    return "orelse" if _FULL_NAME.fullmatch(name) else None
