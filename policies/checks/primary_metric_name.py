"""The name under which the comparison states its primary metric."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

from policies.api_fix import splice
from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.eval_script import demands, evaluation
from policies.literal_keys import Reader
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, ResearchContext
from policies.wording import listed

_KEY = "primary_metric"
_CONTEXT = ResearchContext(primary_metric="Top-1 accuracy at 50 ms.")
_PICKED = """def compare(metrics):
    found = [k for k in ["final_f1", "final_accuracy"] if k in metrics]
    best = found[0]
    return {{"primary_metric": {0}, "metrics": metrics, "value": metrics[best]}}
"""


class PrimaryMetricName(Check):
    """Other programs find the primary metric by the exact text of the request, not by a key of the logs.

    A guessed key such as `final_f1` breaks that. Reported only when every text the value can be is known.
    """

    ID = "primary-metric-name"
    CRITERION = 8
    PATH = "src/evaluate.py"
    GOOD = (
        Good('NAME = "Top-1 accuracy at 50 ms."\nout = {"primary_metric": NAME}\n', context=_CONTEXT),
        Good('out = {"primary_metric": cfg.primary_metric}\n', context=_CONTEXT),
        Good('out = {"primary_metric": "accuracy"}\n'),
    )
    BAD = (
        Bad(
            _PICKED.format("best"),
            context=_CONTEXT,
            lines=(4,),
            fixed=_PICKED.format('"Top-1 accuracy at 50 ms."'),
        ),
        Bad(
            'out = {}\nout["primary_metric"] = "accuracy"\n',
            context=_CONTEXT,
            lines=(2,),
            fixed='out = {}\nout["primary_metric"] = "Top-1 accuracy at 50 ms."\n',
        ),
        Bad(
            'out = dict(primary_metric="Top-1 accuracy")\nprint(out["primary_metric"])\n',
            context=_CONTEXT,
            lines=(1,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every value written under the key that is certainly another text."""
        module, wanted = evaluation(subject), subject.context.primary_metric
        if module is None or not wanted or not demands(subject, rf"\b{_KEY}\b"):
            return
        reader = Reader(subject)
        for value in sorted(_values(module), key=lambda v: (v.lineno, v.col_offset)):
            texts = reader.texts(module, value)
            if "*" not in texts and not any(_same(text, wanted) for text in texts):
                yield self.finding(
                    module.path,
                    value.lineno,
                    f"`{_KEY}` must be the exact text of the request, {wanted!r}",
                    f"{_KEY}: {ast.unparse(value)} — may be {listed(map(repr, sorted(texts)), 6)}",
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Write the text of the request, unless the script looks something up by the value."""
        module, wanted = evaluation(subject), subject.context.primary_metric
        if module is None or _reads_back(module) or not wanted.isascii():
            return None
        for value in _values(module):
            if value.lineno == finding.line and ast.unparse(value) in finding.evidence:
                return rewrite(subject.bundle, module.path, splice(module.text, value, json.dumps(wanted)))
        return None


def _same(text: str, wanted: str) -> bool:
    """Whether two texts are the same; where the request is not ASCII it may have been garbled on the way."""
    if wanted.isascii() and text.isascii():
        return text == wanted
    return re.sub(r"[^a-z0-9]", "", text.lower()) == re.sub(r"[^a-z0-9]", "", wanted.lower())


def _values(module: Module) -> Iterator[ast.expr]:
    """What is stored under the key, in dictionaries, keyword arguments and assignments."""
    for node in module.nodes:
        match node:
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == _KEY:
                        yield value
            case ast.Call(func=ast.Name(id="dict"), keywords=given):
                yield from (keyword.value for keyword in given if keyword.arg == _KEY)
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=index))], value=value):
                yield from [value] if index == _KEY else []
            case _:
                pass


def _reads_back(module: Module) -> bool:
    """Whether the script takes the stored value out again."""
    for node in module.nodes:
        match node:
            case ast.Subscript(slice=ast.Constant(value=key), ctx=ast.Load()) if key == _KEY:
                return True
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=key), *_]) if key == _KEY:
                return True
            case _:
                pass
    return False
