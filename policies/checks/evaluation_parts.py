"""Kinds of figures, tables and tests that the comparison is asked for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from policies.base import Bad, Check, Evidence, Good
from policies.call_sites import called_name
from policies.eval_script import code_words, demanded, evaluation, evaluation_modules
from policies.hydra.names import imported_names, origin
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity


class _Part(NamedTuple):
    name: str
    asked: str
    """How criteria speak of it."""
    made: str
    """What code that makes it mentions."""


_PARTS = (
    _Part("learning curves", r"learning[- ]curve", r"curve|lineplot|\bplot\b|relplot"),
    _Part("a confusion matrix", r"confusion[- ]matri", r"confusion"),
    _Part("a bar chart", r"bar[- ]charts?", r"\bbarh?\b|barplot|catplot|countplot|bar_"),
    _Part("a box plot", r"box[- ]?plots?", r"box|violin"),
    _Part(
        "a significance test",
        r"significance test|statistical test|statistical significance",
        r"ttest|t_test|wilcoxon|mannwhitney|anova|f_oneway|p_?val|bootstrap|signific|ranksum|mcnemar|kruskal"
        r"|permutation|binom|chi2|welch|cohen",
    ),
    _Part("legends", r"\blegends?\b", r"legend|^hue$"),
    _Part("annotations", r"\bannotations?\b", r"annot|^text$|bar_label|figtext"),
    _Part("a tight layout", r"tight_layout", r"tight|constrained"),
)
_TABLES = r"^table$|(?<!wandb)_table|table_|tabulate|to_latex|to_markdown|to_html|to_excel"
_FULL = """import matplotlib.pyplot as plt
import pandas as pd


def compare(values, rows):
    plt.figure()
    plt.bar(list(values), list(values.values()), label="f1")
    plt.legend()
    plt.tight_layout()
    plt.savefig("comparison_bar.pdf")
    pd.DataFrame(rows).to_csv("comparison_table.csv")
    return {"p_value": wilcoxon(rows)}
"""


class EvaluationParts(Check):
    """The criteria ask for certain figures, tables and tests; this lists those that no code makes.

    A part counts as made as soon as anything in the evaluation script, or in a module that it imports,
    mentions it. A confusion matrix is asked for only where the experiment classifies.
    """

    ID = "evaluation-parts"
    CRITERION = 8
    SEVERITY = Severity.ADVISORY
    PATH = "src/evaluate.py"
    GOOD = (Good(_FULL), Good("x = 1\n", path="src/train.py"), Good('"""Nothing yet."""\n'))
    BAD = (
        Bad(_FULL.replace("p_value", "n").replace("wilcoxon(rows)", "len(rows)"), lines=(0,)),
        Bad("from scipy.stats import ttest_ind\n\nprint('done')\n", lines=(0,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding with everything that is asked for and not made."""
        module = evaluation(subject)
        if module is None:
            return
        text, modules = demanded(subject, 8), evaluation_modules(subject)
        words = "\n".join(code_words(m) for m in modules)
        draws = any(called_name(n) == "savefig" for m in modules for n in of_kind(m, ast.Call))
        absent = [
            part.name
            for part in _PARTS
            if re.search(part.asked, text, re.IGNORECASE)
            and not re.search(part.made, words, re.IGNORECASE | re.MULTILINE)
            and (part.name != "a confusion matrix" or _classifies(subject))
            and (draws or part.name not in ("legends", "annotations", "a tight layout"))
            and (part.name != "legends" or not any(map(_own_legends, modules)))
        ]
        if re.search(r"\btables?\b", text, re.IGNORECASE) and not any(map(_has_table, modules)):
            absent.append("a table of metrics")
        if absent:
            unused = ", ".join(_unused_tests(module))
            yield self.finding(
                module.path,
                0,
                f"the evaluation makes no {', no '.join(part.removeprefix('a ') for part in absent)}",
                "nothing in the code mentions them" + (f"; imported, never used: {unused}" if unused else ""),
            )


def _classifies(subject: ParsedBundle) -> bool:
    """Whether the experiment sorts inputs into classes."""
    texts = [*(m.text for m in subject.parsable), *subject.bundle.run_configs.values()]
    marks = r"For(?:Sequence|Token|Image|Audio)Classification|num_labels|num_classes|confusion_matrix"
    return any(re.search(marks, text) for text in texts)


def _own_legends(module: Module) -> bool:
    """Whether a plot brings its legend: labelled seaborn plots and plots of whole tables do."""
    for node in of_kind(module, ast.Call):
        if isinstance(node.func, ast.Attribute):
            labelled = any(keyword.arg == "label" for keyword in node.keywords)
            if labelled and origin(module, node.func).startswith("seaborn."):
                return True
            drawn = node.func.attr == "plot"
            if drawn and not re.search(r"\bax|plt|axes|axis|pyplot|disp", ast.unparse(node.func.value)):
                return True
    return False


def _has_table(module: Module) -> bool:
    """Whether a table is made; a history written to CSV as it came is none."""
    if re.search(_TABLES, code_words(module), re.IGNORECASE | re.MULTILINE):
        return True
    writes = [n for n in of_kind(module, ast.Call) if called_name(n) in ("to_csv", "writerow")]
    return any("hist" not in ast.unparse(call.func).lower() for call in writes)


def _unused_tests(module: Module) -> Iterator[str]:
    """Names imported from scipy that nothing uses."""
    used = {n.id for n in of_kind(module, ast.Name)}
    for name, full in imported_names(module).items():
        if full.startswith("scipy") and name not in used:
            yield full
