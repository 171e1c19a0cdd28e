"""Check `swallowed-exception`: a crash that becomes a result."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.tree import walk

_WIDE = {"Exception", "BaseException", "RuntimeError"}
_WORK = re.compile(
    r"(?:^|_)(?:train|fit|objective|backward|evaluate|validate|eval|forward|finetune|run_epoch)(?:_|$)"
)
_DATA = {"load_dataset", "load_from_disk", "get_dataloaders", "build_dataloaders", "get_dataloader"}
_SPEAKS = {"print", "warn", "warning", "info", "error", "exception", "debug", "print_exc", "write", "log"}


class SwallowedException(ModuleCheck):
    """A broad handler around training, evaluation or data loading turns every defect into a number.

    The run goes on with a default, an empty result or the loop's next round, exits with 0, and nobody learns
    that the method never ran. Handlers that raise, prune the trial, try something else, or catch a named
    error are left alone.
    """

    ID = "swallowed-exception"
    CRITERION = 1
    SEVERITY = Severity.ADVISORY
    STAGE = 62
    GOOD = (
        Good("try:\n    train(cfg)\nexcept Exception as error:\n    print(error)\n    raise\n"),
        Good("try:\n    train(cfg)\nexcept ValueError:\n    loss = 0.0\n"),
        Good("try:\n    data = load_dataset(a)\nexcept Exception:\n    data = load_dataset(b)\n"),
        Good("try:\n    x = read_power()\nexcept Exception:\n    x = 0.0\n"),
        Good("def f():\n    try:\n        train()\n    except Exception:\n        raise TrialPruned()\n"),
        Good("try:\n    train(cfg)\nexcept Exception:\n    failed = True\nif failed:\n    sys.exit(1)\n"),
        Good("try:\n    model.eval()\nexcept Exception:\n    pass\n"),
    )
    BAD = (
        Bad("try:\n    score = train(cfg)\nexcept Exception:\n    score = float('inf')\n", lines=(3,)),
        Bad("for x in rows:\n    try:\n        loss.backward()\n    except:\n        continue\n", lines=(4,)),
        Bad(
            "def f():\n    try:\n        return evaluate_model(m)\n    except Exception as e:\n"
            "        print(e)\n        return {}\n",
            lines=(4,),
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every such handler, in line order."""
        for node in sorted(of_kind(module, ast.Try), key=lambda n: n.lineno):
            work = _work(node)
            for handler in node.handlers if work else ():
                outcome = _outcome(handler)
                if _is_wide(handler) and outcome:
                    caught = ast.unparse(handler.type) if handler.type else "everything"
                    yield self.finding(
                        module.path,
                        handler.lineno,
                        f"a failure of `{work}` is swallowed: {outcome}",
                        f"the handler catches {caught} and does not raise",
                    )


def _work(node: ast.Try) -> str:
    """The name of the first call in the body that trains, evaluates or loads data."""
    for statement in node.body:
        for child in walk(statement):
            if isinstance(child, ast.Call):
                name = (
                    child.func.attr
                    if isinstance(child.func, ast.Attribute)
                    else getattr(child.func, "id", "")
                )
                if name in _DATA or (_WORK.search(name) and not _switches_mode(child)):
                    return name
    return ""


def _switches_mode(node: ast.Call) -> bool:
    """`model.train()` and `model.eval()` do no work."""
    return isinstance(node.func, ast.Attribute) and node.func.attr in {"train", "eval"}


def _is_wide(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(kind) in _WIDE for kind in kinds)


def _outcome(handler: ast.ExceptHandler) -> str:
    """What the run goes on with, when the handler does nothing else than say so."""
    last = ""
    for statement in handler.body:
        match statement:
            case ast.Expr(value=ast.Call(func=function)):
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if name not in _SPEAKS:
                    return ""
                last = "the run goes on"
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                last = "the run goes on"
            case ast.Continue():
                last = "the loop goes on"
            case ast.Return(value=value) if value is None or _is_default(value):
                last = f"`{ast.unparse(statement)}` stands in for the result"
            case ast.Assign(value=value) if _is_default(value) and not _is_flag(value):
                last = f"`{ast.unparse(statement)}` stands in for the result"
            case _:
                return ""
    return last


def _is_flag(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool | str)


def _is_default(node: ast.expr) -> bool:
    """A literal, `float("inf")`, an empty collection, or a tuple of such."""
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=operand):
            return _is_default(operand)
        case ast.Call(func=ast.Name(id="float" | "dict" | "list"), args=arguments):
            return all(isinstance(argument, ast.Constant) for argument in arguments)
        case ast.Attribute(attr="inf" | "nan"):
            return True
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Dict(values=parts):
            return all(_is_default(part) for part in parts)
    return False
