"""Names of figure files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import demands, evaluation
from policies.figures import FigureName, figure_names
from policies.literal_keys import bindings_of, scope_of
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity

_RANDOM = re.compile(
    r"\b(?:uuid\d?|token_hex|token_urlsafe|randint|random|getrandbits|time|time_ns|now|utcnow|strftime|mkstemp)\("
)
_HEAD = "import matplotlib.pyplot as plt\n\n\ndef curve(folder, run_id):\n"


class FigureNames(Check):
    """Figures of all runs are collected in one place: names carry the run id, or start with `comparison`.

    Random or clock-made parts make the name different each time, so nobody can find the figure again.
    """

    ID = "figure-names"
    CRITERION = 8
    SEVERITY = Severity.ADVISORY
    PATH = "src/evaluate.py"
    GOOD = (
        Good(_HEAD + "    path = folder / f'{run_id}_learning_curve.pdf'\n    plt.savefig(path)\n"),
        Good(_HEAD + "    plt.savefig(folder / 'comparison_accuracy_bar_chart.pdf')\n"),
        Good(_HEAD + "    plt.savefig(folder / name_of(run_id))\n"),
        Good("def save(fig, name):\n    fig.savefig(name)\n\n\nsave(fig, f'{run_id}_loss.pdf')\n"),
    )
    BAD = (
        Bad(_HEAD + "    plt.savefig(f'{folder}/learning_curve.pdf')\n", lines=(5,)),
        Bad(
            "import uuid\n\n" + _HEAD + "    tag = uuid.uuid4().hex\n"
            "    plt.savefig(folder / f'{run_id}_curve_{tag}.pdf')\n    plt.savefig(folder / 'box.pdf')\n",
            lines=(8,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding that lists every name with what is wrong with it."""
        module = evaluation(subject)
        if module is None or not demands(subject, r"\{run_id\}_|carry the run id"):
            return
        pdf = demands(subject, r"_\{?figure\w*\}?[^`\n]*\.pdf")
        told = [(figure, fault) for figure in figure_names(subject, module) if (fault := _fault(figure, pdf))]
        if not told:
            return
        told.sort(key=lambda item: (item[0].module.path, item[0].node.lineno))
        faults = "; ".join(dict.fromkeys(fault for _, fault in told))
        names = ", ".join(dict.fromkeys(ast.unparse(figure.node) for figure, _ in told))
        yield self.finding(
            told[0][0].module.path,
            told[0][0].node.lineno,
            f"names of figures are not those that the criteria ask for: {faults}",
            names,
        )


def _fault(figure: FigureName, pdf: bool) -> str:
    """What is wrong with a name; empty when nothing is for certain."""
    if _is_random(figure.module, figure.node):
        return "a random or clock-made part"
    starts = [name for name in figure.patterns if not name.startswith(("*", "comparison"))]
    if starts and len(starts) == len(figure.patterns):
        return "neither the run id nor `comparison` in front"
    ends = [name.rpartition(".")[2] for name in figure.patterns]
    return "not PDF" if pdf and ends and all(end in ("png", "svg", "jpg", "jpeg") for end in ends) else ""


def _is_random(module: Module, node: ast.expr) -> bool:
    """Whether a part of the name, or what a name in it was given, is made by chance or by the clock."""
    parts = [part.value for part in getattr(node, "values", []) if isinstance(part, ast.FormattedValue)]
    texts = [ast.unparse(part) for part in parts]
    for part in parts:
        scope = scope_of(module, part, part.id) if isinstance(part, ast.Name) else None
        if scope is not None and isinstance(part, ast.Name):
            values = [getattr(b, "value", None) for b in bindings_of(module, scope, part.id)]
            texts += [ast.unparse(value) for value in values if isinstance(value, ast.expr)]
    return any(_RANDOM.search(text) for text in texts)
