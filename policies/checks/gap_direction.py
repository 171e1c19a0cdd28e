"""The sign of the gap for a metric that is to be small."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import code_words, demands, evaluation
from policies.parsed import ParsedBundle
from policies.records import Finding, ResearchContext
from policies.tree import walk

_SMALL = (
    r"loss|perplexity|error|latency|joules?|energy|\btime\b|runtime|seconds|\bwer\b|\bcer\b|\bmae\b|\bmse\b"
)
_SMALL += r"|\brmse\b|\bfid\b|flops|memory|power|cost|carbon|emissions?"
_LARGE = (
    r"accura|score|\bf1\b|rouge|bleu|\bauc\b|correlation|precision|recall|volume|reward|gain|saving|reduction"
)
_LARGE += r"|improvement|efficiency|per joule|\bmap\b|\biou\b|throughput|speed"
_HEAD = re.compile(r"\b(?:at|under|with|without|given|subject|while|vs|versus|for|on)\b|[(,;]")
_AWARE = re.compile(
    r"minimi|lower|direction|ascending|maximi|higher|sign|smaller|larger|^min$|argmin|idxmin|nsmallest",
    re.I | re.M,
)
_CONTEXT = ResearchContext(primary_metric="Mean latency per request.")
_CODE = """def compare(proposed, baseline):
    best_p = {0}(proposed.values())
    best_b = {0}(baseline.values())
    gap = {1}
    return {{"best_proposed": best_p, "best_baseline": best_b, "gap": gap}}
"""


class GapDirection(Check):
    """For a metric that is to be small the gap changes its sign, and the best run has the smallest value.

    Reported when the head of the primary metric's name says that less is better, the gap grows with the
    proposed run's value, and nothing in the script looks at a direction.
    """

    ID = "gap-direction"
    CRITERION = 8
    PATH = "src/evaluate.py"
    GOOD = (
        Good(_CODE.format("min", "-(best_p - best_b) / best_b * 100"), context=_CONTEXT),
        Good(_CODE.format("max", "(best_p - best_b) / best_b * 100")),
        Good(_CODE.format("max", "(best_p - best_b) / best_b * 100 * sign"), context=_CONTEXT),
        Good(
            _CODE.format("max", "(best_p - best_b) / best_b"),
            context=ResearchContext(primary_metric="Accuracy at equal latency"),
        ),
    )
    BAD = (Bad(_CODE.format("max", "(best_p - best_b) / best_b * 100"), context=_CONTEXT, lines=(4,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every gap that is proposed minus baseline for such a metric."""
        module, metric = evaluation(subject), subject.context.primary_metric
        if module is None or not _to_be_small(metric) or not demands(subject, r"\bgap\b"):
            return
        if _AWARE.search(code_words(module)):
            return
        for node in module.nodes:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if "gap" in name.lower():
                    difference = next(filter(None, map(_difference, walk(value))), "")
                    if difference:
                        yield self.finding(
                            module.path,
                            node.lineno,
                            f"the gap takes more for better, but {metric!r} is to be small",
                            f"{ast.unparse(node)}; nothing in the script looks at a direction",
                        )
                case _:
                    pass


def _to_be_small(metric: str) -> bool:
    """Whether the head of a metric's name surely means that less is better."""
    head = _HEAD.split(metric.lower())[0]
    return re.search(_SMALL, head) is not None and re.search(_LARGE, head) is None


def _difference(node: ast.AST) -> str:
    """`proposed - baseline`, by the names; empty for anything else."""
    match node:
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            one, other = ast.unparse(left).lower(), ast.unparse(right).lower()
            ours = re.search(r"prop|best_p\b|ours", one) and not re.search(r"base|comp", one)
            return ast.unparse(node) if ours and re.search(r"base|comp|best_b\b", other) else ""
    return ""
