"""Summaries of public W&B runs that JSON cannot write."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.api_fix import splice
from policies.api_usage import bindings, full_name
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.json_writers import written_by
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding

_SAVE = """import json

import wandb


def save(data, path):
    with open(path, "w") as fh:
        json.dump(data, fh{0})


run = wandb.Api().run("e/p/r")
summary = dict({1})
{2}
"""


class WandbSummaryJson(ModuleCheck):
    """`dict(run.summary)` of a run from `wandb.Api()` cannot be written as JSON.

    Its nested values stay `SummarySubDict` objects, and every run that wandb has finished carries a nested
    value, `_wandb`, so `json.dump` raises `TypeError`. `run.summary._json_dict` is plain data.
    """

    ID = "wandb-summary-json"
    CRITERION = 8
    PATH = "src/evaluate.py"
    GOOD = (
        Good(_SAVE.format("", "run.summary._json_dict", "save({'summary': summary}, 'm.json')")),
        Good(_SAVE.format(", default=str", "run.summary", "save({'summary': summary}, 'm.json')")),
        Good(_SAVE.format("", "run.summary", "save({'acc': summary['acc']}, 'm.json')")),
    )
    BAD = (
        Bad(
            _SAVE.format("", "run.summary", "save({'summary': summary}, 'm.json')  # all of it"),
            lines=(12,),
            fixed=_SAVE.format(
                "", "run.summary._json_dict", "save({'summary': summary}, 'm.json')  # all of it"
            ),
        ),
        Bad(
            "import json\nimport wandb\n\nrun = wandb.Api().run('e/p/r')\n"
            "print(json.dumps(dict(run.summary)))\n",
            lines=(5,),
            fixed="import json\nimport wandb\n\nrun = wandb.Api().run('e/p/r')\n"
            "print(json.dumps(dict(run.summary._json_dict)))\n",
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every `dict(run.summary)` whose value goes whole into a JSON writer."""
        bound = bindings(module)
        if not any(full_name(n, bound) == "wandb.Api" for n in of_kind(module, ast.Attribute)):
            return
        for call in _summaries(module):
            written = written_by(module, call, "default", "cls", None)
            if written is not None:
                yield self.finding(
                    module.path,
                    call.lineno,
                    "dict(run.summary) holds SummarySubDict values that JSON cannot write",
                    f"{module.line(call.lineno)} — line {written.lineno} writes it: "
                    f"{module.line(written.lineno)}",
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Take the plain data."""
        module = subject.modules.get(finding.file)
        for call in _summaries(module) if module is not None else ():
            if call.lineno == finding.line and module is not None:
                source = ast.get_source_segment(module.text, call.args[0])
                return rewrite(
                    subject.bundle, module.path, splice(module.text, call.args[0], f"{source}._json_dict")
                )
        return None


def _summaries(module: Module) -> Iterator[ast.Call]:
    """Calls `dict(x.summary)`."""
    for node in module.nodes:
        match node:
            case ast.Call(func=ast.Name(id="dict"), args=[ast.Attribute(attr="summary")], keywords=[]):
                yield node
            case _:
                pass
