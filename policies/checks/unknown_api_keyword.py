"""Keyword arguments that a third-party function does not take."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.api_context import Call, api_context
from policies.api_library import Known, Library
from policies.api_usage import is_guarded
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.checks.unknown_api_name import renames
from policies.edit import rewrite, transform
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.wording import clip

_SAID = re.compile(r" takes no argument (?P<old>\w+); (?:use (?P<new>\w+)|leave it out) \(")
"""How a message names a keyword of the table; a fix goes by it."""


class UnknownApiKeyword(ModuleCheck):
    """A keyword that a library's function does not take raises `TypeError` at the call.

    `TrainingArguments(evaluation_strategy=...)` worked until transformers 4.46, `AdamW(correct_bias=...)`
    only in the class that transformers removed. Signatures are read from the sources of the installed
    version; functions that take any keyword are not judged.
    """

    ID = "unknown-api-keyword"
    CRITERION = 1
    KINDS = (("experiment", 1), ("tests", 2))
    STAGE = 50
    GOOD = (
        Good("import wandb\n\nwandb.init(project='p', mode='disabled')\n"),
        Good("from datasets import load_dataset\n\nload_dataset('glue', 'sst2', anything=1)\n"),
        Good("from torch.optim import AdamW\n\nextra = {'correct_bias': False}\nAdamW([], **extra)\n"),
        Good("def AdamW(params, correct_bias):\n    return params\n\n\nAdamW([], correct_bias=True)\n"),
    )
    BAD = (
        Bad(
            "from transformers import TrainingArguments\n\nargs = TrainingArguments(\n"
            "    output_dir='o',\n    evaluation_strategy='epoch',  # each one\n)\n",
            lines=(5,),
            fixed="from transformers import TrainingArguments\n\nargs = TrainingArguments(\n"
            "    output_dir='o',\n    eval_strategy='epoch',  # each one\n)\n",
        ),
        Bad(
            "import torch\n\nopt = torch.optim.AdamW([torch.zeros(1)], lr=1e-4, correct_bias=False)\n",
            lines=(3,),
            fixed="import torch\n\nopt = torch.optim.AdamW([torch.zeros(1)], lr=1e-4)\n",
        ),
        Bad(
            "from omegaconf import OmegaConf\n\nx = OmegaConf.to_container(\n"
            "    OmegaConf.create({}), reslove=True\n)\n",
            lines=(4,),
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every keyword that the called function's signature lacks."""
        context = api_context(subject, evidence)
        for call in context.calls_in(module):
            wrong = _wrong(call)
            for keyword in wrong if wrong and not is_guarded(module, call.node) else ():
                if keyword.arg is not None:
                    advice = _advice(call, keyword.arg, context.library)
                    yield self.finding(
                        module.path,
                        keyword.lineno,
                        f"{call.shown} of {context.library.label(call.home)} takes no argument "
                        f"{keyword.arg}; {advice}",
                        f"{clip(ast.unparse(keyword), 120)}  [signature: {call.signature.shown()}]",
                    )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Rename or drop a keyword that the table knows."""
        module, said = subject.modules.get(finding.file), _SAID.search(finding.message)
        if module is None or said is None:
            return None
        from policies.transformers.keyword import SetKeyword

        change = SetKeyword(finding.line, said["old"], said["new"] or "")
        return rewrite(subject.bundle, module.path, transform(module.text, change))


def _wrong(call: Call) -> list[ast.keyword]:
    """Keywords that the signature lacks, positional-only parameters aside."""
    signature = call.signature
    if signature.more_keywords:
        return []
    given = (k for k in call.node.keywords if k.arg is not None and k.arg not in signature.keywords)
    return [k for k in given if k.arg not in signature.positional]


def _entry(call: Call, keyword: str, library: Library) -> Mapping[str, Any]:
    """The table's entry for a keyword of a callable, under whatever name the callable goes."""
    for name, entry in renames()["keywords"].items():
        function, _, old = name.rpartition(".")
        if old == keyword:
            found = library.find(function)
            if isinstance(found, Known) and found.home == call.home:
                return entry
    return {}


def _advice(call: Call, keyword: str, library: Library) -> str:
    entry = _entry(call, keyword, library)
    if entry:
        return (f"use {entry['use']}" if "use" in entry else "leave it out") + f" ({entry['why']})"
    close = difflib.get_close_matches(keyword, sorted(call.signature.keywords), n=1, cutoff=0.7)
    return f"did you mean {close[0]}?" if close else "nothing in its signature resembles it"
