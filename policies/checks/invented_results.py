"""Results that no measurement stands behind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import evaluation
from policies.hydra.names import origin
from policies.kinds import of_kind
from policies.literal_keys import bindings_of, scope_of
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.tree import walk
from policies.wording import clip

_SCORES = re.compile(
    r"^sklearn\.metrics\.(?:\w+\.)?(?:confusion_matrix|classification_report|\w+_score|matthews_corrcoef"
    r"|ConfusionMatrixDisplay\.from_predictions)$"
)
_DRAWS = re.compile(r"^(?:numpy\.random\.|random\.)(?:normal|gauss|randn|rand|random|uniform|normalvariate)$")
_TESTS = re.compile(r"ttest|mannwhitney|wilcoxon|f_oneway|kruskal|boxplot|violinplot|log$")
_RATE = re.compile(r"acc|exact|\bem\b|_em\b|\bf1\b|score|ratio|rate")
_PAIR = "from sklearn.metrics import confusion_matrix\n\n\ndef matrix(predicted, labels):\n"


class InventedResults(Check):
    """A number in the report must come from a measurement.

    Certain cases only: predictions scored against themselves (the matrix is always diagonal), a confusion
    matrix whose counts are worked out from an accuracy, a significance test with a made-up standard
    deviation, and random draws that are logged or tested as if they were results.
    """

    ID = "invented-results"
    CRITERION = 8
    PATH = "src/evaluate.py"
    GOOD = (
        Good(_PAIR + "    return confusion_matrix(labels, predicted)\n"),
        Good(_PAIR + "    a = labels\n    b = predicted\n    return confusion_matrix(a, b)\n"),
        Good(
            "import numpy as np\n\ni = np.random.choice(values, 100)\nax.scatter(x + np.random.normal(), y)\n"
        ),
        Good(
            "import numpy as np\n\ntp = int(summary['tp'])\nfn = int(summary['fn'])\n"
            "cm = np.array([[tp, 0], [fn, 0]])\n"
        ),
    )
    BAD = (
        Bad(_PAIR + "    return confusion_matrix(predicted, predicted)\n", lines=(5,)),
        Bad(
            _PAIR + "    same = predicted\n    other = predicted\n    return confusion_matrix(same, other)\n",
            lines=(7,),
        ),
        Bad(
            "import numpy as np\n\nright = int(round(total * accuracy))\nwrong = total - right\n"
            "cm = np.array([[right, 0], [wrong, 0]])\n",
            lines=(5,),
        ),
        Bad(
            "from scipy import stats\n\nstats.ttest_ind_from_stats(a, 1e-8, 1, b, 1e-8, 1)\n",
            lines=(3,),
        ),
        Bad(
            "import numpy as np\nfrom scipy import stats\n\nfake = np.random.normal(mean, 0.01, 30)\n"
            "stats.ttest_ind(fake, other)\n",
            lines=(4,),
        ),
        Bad(
            "import random\nimport wandb\n\nwandb.log({'energy': random.uniform(1, 2)})\n",
            path="src/train.py",
            lines=(4,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for each function with such a case."""
        script = evaluation(subject)
        for module in subject.parsable:
            reported: set[ast.AST | None] = set()
            for node in module.nodes:
                if not isinstance(node, ast.Call | ast.Assign):
                    continue
                reason = _reason(module, node, module is script)
                function = module.enclosing_function(node) if reason else None
                if reason and (function is None or function not in reported):
                    reported.add(function)
                    line = getattr(node, "lineno", 0)
                    yield self.finding(module.path, line, reason, clip(ast.unparse(node), 300))


def _reason(module: Module, node: ast.AST, evaluates: bool) -> str:
    match node:
        case ast.Call():
            return _reason_of_call(module, node, origin(module, node.func))
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[ast.List() as rows, *_])):
            if evaluates and re.search(r"^cm\b|^cm_|conf", name) and _from_rate(module, rows):
                return "the counts of the confusion matrix are worked out from a rate, not counted"
    return ""


def _reason_of_call(module: Module, call: ast.Call, name: str) -> str:
    if _SCORES.match(name) and len(call.args) > 1:
        if _root(module, call.args[0], 0) == _root(module, call.args[1], 0) != "":
            return "predictions are scored against themselves, so the result is always perfect"
    elif name.endswith("ttest_ind_from_stats") and _constant_spread(call):
        return "the significance test gets a made-up standard deviation"
    elif _DRAWS.match(name) and _is_reported(module, call):
        return "random numbers are reported as results"
    return ""


def _root(module: Module, node: ast.expr, steps: int) -> str:
    """The one variable that an expression is a plain copy of; empty when it is more than that."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="copy" | "clone" | "tolist" | "astype")):
            return _root(module, inner, steps)
        case ast.Call(func=ast.Name(id="list"), args=[inner]):
            return _root(module, inner, steps)
        case ast.Attribute():
            return (
                ast.unparse(node)
                if steps == 0 and all(p.isidentifier() for p in ast.unparse(node).split("."))
                else ""
            )
        case ast.Name(id=name):
            scope = scope_of(module, node, name)
            bound = bindings_of(module, scope, name) if scope is not None else ()
            if (
                len(bound) == 1
                and isinstance(bound[0], ast.Assign)
                and len(bound[0].targets) == 1
                and steps < 5
            ):
                single = isinstance(bound[0].targets[0], ast.Name)
                return (_root(module, bound[0].value, steps + 1) if single else "") or name
            return name
    return ""


def _constant_spread(call: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    places = [given.get("std1"), given.get("std2"), *call.args[1:2], *call.args[4:5]]
    return any(isinstance(value, ast.Constant) for value in places)


def _is_reported(module: Module, call: ast.Call) -> bool:
    """Whether a draw goes, as it is or by one name, into a test, a distribution plot or a log."""
    spots: list[ast.AST] = [call]
    statement = module.parents.get(call)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        name = statement.targets[0].id
        scope = scope_of(module, call, name)
        alone = scope is not None and len(bindings_of(module, scope, name)) == 1
        spots = [n for n in of_kind(module, ast.Name) if n.id == name and alone]
    return any(_is_result(module, spot) for spot in spots)


def _is_result(module: Module, node: ast.AST) -> bool:
    """Whether a value is an argument of such a call, directly or as a value of a dictionary."""
    parent = module.parents.get(node)
    while isinstance(parent, ast.Dict | ast.List):
        node, parent = parent, module.parents.get(parent)
    if not isinstance(parent, ast.Call) or node not in parent.args:
        return False
    name = ast.unparse(parent.func)
    logs = name == "wandb.log" or name.endswith("run.log")
    return logs or (bool(_TESTS.search(name)) and not name.endswith("log"))


def _from_rate(module: Module, rows: ast.List) -> bool:
    """Whether a cell of a matrix of names is a total multiplied by a rate."""
    for cell in walk(rows):
        if not isinstance(cell, ast.Name) or (scope := scope_of(module, cell, cell.id)) is None:
            continue
        for binding in bindings_of(module, scope, cell.id):
            value = getattr(binding, "value", None)
            for part in walk(value) if isinstance(value, ast.expr) else ():
                if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult):
                    sides = (ast.unparse(part.left), ast.unparse(part.right))
                    if any(_RATE.search(side) for side in sides) and any(
                        "tot" in s or s == "n" for s in sides
                    ):
                        return True
    return False
