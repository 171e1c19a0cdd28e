"""Training code that starts the evaluation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import demands
from policies.evaluate_args import evaluate_path
from policies.hydra.names import imported_names, origin
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.trial_mode import training_modules


class EvaluateCalled(Check):
    """The evaluation compares finished runs, so it is started on its own, after all of them.

    Started by the training code it finds no runs, and in a trial nothing was logged at all. Taking a helper
    from it is not starting it.
    """

    ID = "evaluate-called"
    CRITERION = 8
    SEVERITY = Severity.ADVISORY
    PATH = "src/main.py"
    GOOD = (
        Good("import evaluate\n\nmetric = evaluate.load('f1')\nevaluate.main = None\n"),
        Good("from src.evaluate import PRIMARY\n\nprint(PRIMARY)\n"),
        Good('"""Run src.evaluate afterwards."""\nprint("now run src.evaluate")\n'),
    )
    BAD = (
        Bad("from src.evaluate import main as report\n\nreport()\n", lines=(3,)),
        Bad("import subprocess, sys\n\nsubprocess.run([sys.executable, '-m', 'src.evaluate'])\n", lines=(3,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Calls of its main function, and command lines with its module."""
        path = evaluate_path(subject.contract)
        if not path or not demands(subject, r"main\.py does not call"):
            return
        name = path.removesuffix(".py").replace("/", ".")
        for module in training_modules(subject):
            for node in module.nodes:
                if _starts(module, node, name, path):
                    line = getattr(node, "lineno", 0)
                    message = "the evaluation is to be run on its own, after all runs"
                    yield self.finding(module.path, line, message, module.line(line))


def _starts(module: Module, node: ast.AST, name: str, path: str) -> bool:
    match node:
        case ast.Call(func=func):
            main = origin(module, func) in (f"{name}.main", f"{name}.evaluate", f"{name}.run")
            return main and bool(imported_names(module))
        case ast.Constant(value=str(text)) if text in (name, path):
            return isinstance(module.parents.get(node), ast.List | ast.Tuple)
        case _:
            return False
