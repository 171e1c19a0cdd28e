"""Which run is taken for the baseline."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import code_words, evaluation
from policies.kinds import of_kind
from policies.literal_keys import bindings_of, scope_of
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.tree import children, walk

_BASELINE = re.compile(r"(?:^|_)(?:base|baseline|comparative|control)(?:_|$)", re.IGNORECASE)


class BaselineByPosition(Check):
    """The order of run_ids is the caller's; the baseline is the run whose id says so.

    Ids contain `proposed`, `comparative` or `baseline`. A script that takes the first run for the baseline
    compares the proposed method with itself, or turns the sign of every improvement, in the usual order.
    """

    ID = "baseline-by-position"
    CRITERION = 8
    SEVERITY = Severity.ADVISORY
    PATH = "src/evaluate.py"
    GOOD = (
        Good("baseline = next((r for r in run_ids if 'baseline' in r), run_ids[0])\n"),
        Good("base_runs = [r for r in run_ids if 'comparative' in r]\nbaseline = base_runs[0]\n"),
        Good("base = path.parts[0]\n"),
    )
    BAD = (
        Bad("run_ids = json.loads(text)\nbaseline_id = run_ids[0]\n", lines=(2,)),
        Bad(
            "rows = []\nfor run_id in run_ids:\n    rows.append({'run_id': run_id})\n"
            "table = pd.DataFrame(rows)\nbaseline_val = table.score.iloc[0]\n",
            lines=(5,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every name for the baseline that is given the run at a fixed place."""
        module = evaluation(subject)
        if module is None or re.search(r"comparative|baseline", _texts(module), re.IGNORECASE):
            return
        for node in module.nodes:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if _BASELINE.search(name):
                    if any(_by_position(module, part) for part in walk(value)):
                        yield self.finding(
                            module.path,
                            node.lineno,
                            "the baseline is found by its place among the runs, not by its id",
                            f"{ast.unparse(node)}; nothing looks for `comparative` or `baseline` in an id",
                        )
                case _:
                    pass


def _texts(module: Module) -> str:
    """Texts that ids are compared with, and calls that may do it elsewhere."""
    compared = []
    for node in of_kind(module, ast.Compare, ast.Call, ast.comprehension, ast.List, ast.Tuple):
        inner = [n for n in children(node) if isinstance(n, ast.Constant)]
        compared += [n.value for n in inner if isinstance(n.value, str) and len(n.value.split()) == 1]
    return "\n".join(compared) if code_words(module) else ""


def _by_position(module: Module, node: ast.AST) -> bool:
    """`run_ids[0]`, `rows[-1]` or `table.x.iloc[0]`, where nothing chose or sorted before."""
    if not isinstance(node, ast.Subscript) or not _is_place(node.slice):
        return False
    if isinstance(node.value, ast.Attribute):
        return node.value.attr == "iloc" and _in_run_order(module, _root(node.value))
    return isinstance(node.value, ast.Name) and _in_run_order(module, node.value)


def _is_place(index: ast.expr) -> bool:
    return ast.unparse(index) in ("0", "-1")


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node


def _in_run_order(module: Module, node: ast.expr) -> bool:
    """Whether a list or table has one entry for each run, in the order in which they were given."""
    if not isinstance(node, ast.Name):
        return False
    scope = scope_of(module, node, node.id)
    if re.search(r"run_?ids?", node.id) or scope is None:
        return bool(re.search(r"run_?ids?", node.id))
    values = [getattr(b, "value", None) for b in bindings_of(module, scope, node.id)]
    texts = [ast.unparse(v) for v in values if isinstance(v, ast.expr)]
    if len(texts) != 1 or re.search(r"sort|filter|query| if |\bloc\b", texts[0]):
        return False
    if texts[0] in ("[]", "list()"):
        return _filled_by_run(module, node.id)
    source = re.fullmatch(r"(?:\w+\.)?DataFrame\((\w+)\)", texts[0])
    return bool(source) and _filled_by_run(module, source[1]) if source else False


def _filled_by_run(module: Module, name: str) -> bool:
    """Whether a list is appended to, without a test, in a loop over the runs."""
    for node in module.nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr="append")) if owner == name:
                up: ast.AST | None = module.parents.get(node)
                while up is not None and not isinstance(up, ast.For | ast.If):
                    up = module.parents.get(up)
                return isinstance(up, ast.For) and bool(re.search(r"run_?ids?", ast.unparse(up.iter)))
    return False
