"""Check `constant-function`: a function that promises a computation and returns a constant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.stubs import is_noop_by_name
from policies.wording import clip

_PROMISES = re.compile(
    r"_*(?:compute|calculate|calc|estimate|measure|evaluate|predict|score|train|fit|profile)_\w+"
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


class ConstantFunction(ModuleCheck):
    """`compute_energy(batch)` that returns 0.0 whatever it is given computes nothing.

    Only functions at the top level of a module are reported, with parameters that the body never reads:
    a method may be a baseline's answer to an interface, and a function without parameters a setting.
    """

    ID = "constant-function"
    CRITERION = 1
    SEVERITY = Severity.ADVISORY
    STAGE = 60
    GOOD = (
        Good("def compute_loss(x):\n    return x.mean()\n\n\ndef default_rate(x):\n    return 0.1\n"),
        Good("def compute_size():\n    return 4\n\n\ndef estimate_dummy(x):\n    return 0\n"),
        Good("class Plain(Gate):\n    def compute_energy(self, x):\n        return 0.0\n"),
        Good("def compute_loss(x):\n    check(x)\n    return None\n"),
    )
    BAD = (
        Bad("def compute_energy(batch):\n    '''Joules of a batch.'''\n    return 0.0\n", lines=(1,)),
        Bad("def evaluate_model(model, loader):\n    print('done')\n    return {'f1': -1.0}\n", lines=(1,)),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every such function, in line order."""
        assert module.tree is not None, "only parsed modules are asked"
        for node in module.tree.body:
            if (
                not isinstance(node, Function)
                or not _PROMISES.fullmatch(node.name)
                or is_noop_by_name(node.name)
            ):
                continue
            returned = _only_result(node)
            if returned is not None and _parameters(node) and not node.decorator_list:
                yield self.finding(
                    module.path,
                    node.lineno,
                    f"`{node.name}` computes nothing: it returns the same whatever it is given",
                    f"beside what it prints, all it holds is `{clip(ast.unparse(returned), 80)}`",
                )


def _parameters(node: Function) -> list[str]:
    arguments = node.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _only_result(node: Function) -> ast.Return | None:
    """The final return of a constant, when nothing but docstrings and prints comes before it."""
    *before, last = node.body
    if not isinstance(last, ast.Return) or last.value is None or not _constant(last.value):
        return None
    return last if all(_idle(statement) for statement in before) else None


def _idle(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Pass():
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=arguments)):
            return all(isinstance(argument, ast.Constant) for argument in arguments)
    return False


def _constant(node: ast.expr) -> bool:
    """A number or None, or a collection of such."""
    match node:
        case ast.Constant(value=value):
            return not isinstance(value, str | bool)
        case ast.UnaryOp(operand=operand):
            return _constant(operand)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Dict(values=parts):
            return all(_constant(part) for part in parts)
    return False
