"""Files and keys that other programs read from the evaluation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import code_words, demands, evaluation, evaluation_modules
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding

_KEYS = ("primary_metric", "metrics", "best_proposed", "best_baseline", "gap")
_WRITE = """import json


def save(results, run_id, metrics, comparison):
    json.dump(metrics, open(results / run_id / "metrics.json", "w"))
    json.dump(comparison, open(results / "comparison" / "{1}", "w"))


comparison = {{"primary_metric": "f1", "metrics": {{}}, "best_proposed": {{}}, "best_baseline": {{}}{0}}}
"""


class EvaluationOutputs(Check):
    """The files that the criteria name, and the keys of the aggregate, are what other programs look for.

    Reported when the name appears nowhere in the evaluation script or in the modules that it imports, and
    no file name there is computed.
    """

    ID = "evaluation-outputs"
    CRITERION = 8
    PATH = "src/evaluate.py"
    GOOD = (
        Good(_WRITE.format(', "gap": 1.0', "aggregated_metrics.json")),
        Good("def save(path, name):\n    return path / f'{name}.json'\n"),
        Good('"""Left empty."""\n'),
        Good(
            "from src.model import write\n\nwrite()\n",
            files={"src/model.py": _WRITE.format(', "gap": 1.0', "aggregated_metrics.json")},
        ),
    )
    BAD = (
        Bad(_WRITE.format("", "aggregated_metrics.json"), lines=(0,)),
        Bad(_WRITE.format(', "gap": 1.0', "summary.json"), lines=(0,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for the files, one for the keys."""
        module = evaluation(subject)
        if module is None:
            return
        texts = {text for m in evaluation_modules(subject) for text in code_words(m).split("\n")}
        if _computed(texts):
            return
        files = [path for path in subject.contract.outputs if _lacks(path, texts)]
        named = ", ".join(sorted(t for t in texts if t.endswith((".json", ".csv")))) or "none"
        if files:
            message = f"the evaluation never writes {' and '.join(files)}"
            yield self.finding(module.path, 0, message, f"file names in the code: {named}")
        wanted = _KEYS if demands(subject, r"\bbest_proposed\b") else ()
        known = texts | {n.arg for m in evaluation_modules(subject) for n in _keywords(m)}
        absent = [key for key in wanted if key not in known]
        if absent and not files and not _takes_over(module):
            message = f"the aggregated metrics lack {', '.join(f'`{key}`' for key in absent)}"
            yield self.finding(module.path, 0, message, "no text or name in the code says so")


def _lacks(path: str, texts: set[str]) -> bool:
    name = path.rpartition("/")[2]
    return not any(text.rpartition("/")[2] == name for text in texts)


def _computed(texts: set[str]) -> bool:
    """Whether a file name is put together from parts."""
    return any(text in (".json", "{}.json", "%s.json") or text.startswith("_metrics") for text in texts)


def _keywords(module: Module) -> Iterator[ast.keyword]:
    for node in of_kind(module, ast.keyword):
        if node.arg:
            yield node


def _takes_over(module: Module) -> bool:
    """Whether keys may come from elsewhere: records turned into dictionaries, or files read."""
    words = set(code_words(module).split("\n"))
    return bool(words & {"asdict", "model_dump", "__dict__", "from_template"})
