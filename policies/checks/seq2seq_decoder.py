"""Check `seq2seq-decoder`: a decoder-only model is no sequence-to-sequence model."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hub import Ask, asks, right_model, said_by
from policies.imports import add_import
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding
from policies.replace_node import replace_expression
from policies.tables import table

WRONG, RIGHT = "AutoModelForSeq2SeqLM", "AutoModelForCausalLM"
IMPORT = f"from transformers import {WRONG}\n"


class Seq2seqDecoder(Check):
    """`AutoModelForSeq2SeqLM` takes encoder-decoder models alone; Llama, GPT and Qwen are causal models.

    "Unrecognized configuration class LlamaConfig for this kind of AutoModel". Summarising does not need an
    encoder; the class follows the model, not the task.

    Source: transformers, `models/auto/modeling_auto.py`.
    """

    ID = "seq2seq-decoder"
    CRITERION = 4
    STAGE = 54
    PATH = "src/model.py"
    GOOD = (
        Good(f"{IMPORT}{WRONG}.from_pretrained('google/flan-t5-small')\n"),
        Good(f"from transformers import {RIGHT}\n{RIGHT}.from_pretrained('gpt2')\n"),
    )
    BAD = (
        Bad(
            f"{IMPORT}\nmodel = {WRONG}.from_pretrained(\n    'gpt2', cache_dir='.cache/'\n)\n",
            lines=(3,),
            fixed=f"from transformers import {RIGHT}, {WRONG}\n\nmodel = {RIGHT}.from_pretrained(\n"
            "    'gpt2', cache_dir='.cache/'\n)\n",
        ),
        Bad(
            f"{IMPORT}\n\ndef load(cfg):\n    return {WRONG}.from_pretrained(cfg.model.name)\n",
            run_configs={
                "config/runs/a.yaml": "run_id: a\nmodel:\n  name: Qwen/Qwen3-0.6B\n",
                "config/runs/b.yaml": "run_id: b\nmodel:\n  name: t5-small\n",
            },
            lines=(5,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every such call that some run gives a decoder-only model."""
        for ask in asks(subject, "model"):
            names = sorted({name for name in ask.ids.values() if _decoder(name)})
            if names and ask.loads_class(WRONG):
                yield self.finding(
                    ask.module.path,
                    ask.node.lineno,
                    f"`{names[0]}` is decoder-only; {WRONG} does not take it",
                    f"{ask.module.line(ask.node.lineno)} — {'; '.join(said_by(ask, subject))}",
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The class for causal models, where every run has such a model."""
        for ask in asks(subject, "model"):
            here = (ask.module.path, ask.node.lineno) == (finding.file, finding.line)
            if here and ask.loads_class(WRONG) and all(map(_decoder, ask.ids.values())):
                return rewrite(subject.bundle, ask.module.path, _renamed(ask))
        return None


def _decoder(name: str) -> bool:
    return bool(re.fullmatch(table("hub_ids")["decoder_only"], right_model(name) or name))


def _renamed(ask: Ask) -> str | None:
    function = ask.node.func
    if not isinstance(function, ast.Attribute) or ast.unparse(function.value) != WRONG:
        return None
    text = replace_expression(ask.module, function.value, RIGHT)
    return add_import(text, f"from transformers import {RIGHT}")
