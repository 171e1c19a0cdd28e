"""Check `classifier-pad-id`: a decoder that classifies finds the end of a text by the padding."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hub import Ask, asks, lacks_pad_token
from policies.hydra.insert import after_statement
from policies.padding import bound_to, sets_pad
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding

IMPORT = "from transformers import AutoModelForSequenceClassification as A\n\n"
LOADED = "tokenizer.pad_token_id = 2\nmodel = A.from_pretrained('meta-llama/Llama-2-7b-hf')\n"
LIST_VALUED = "instruct"
"""Instruction-tuned models may list several end-of-text ids, which cannot stand for one padding id."""


class ClassifierPadId(Check):
    """Llama- and GPT-like classifiers read the last token that is no padding, and need to know which that is.

    With a batch of more than one and no `config.pad_token_id` they raise "Cannot handle batch sizes > 1 if no
    padding token is defined". Setting a token on the tokenizer does not reach the model's config.

    Source: transformers, `GenericForSequenceClassification.forward`.
    """

    ID = "classifier-pad-id"
    CRITERION = 4
    RESTS_ON = ("code",)
    STAGE = 54
    PATH = "src/model.py"
    GOOD = (
        Good(f"{IMPORT}model = A.from_pretrained('bert-base-cased')\n"),
        Good(f"{IMPORT}model = A.from_pretrained('gpt2', pad_token_id=0)\n"),
        Good(f"{IMPORT}model = A.from_pretrained('gpt2')\nmodel.config.pad_token_id = 0\n"),
    )
    BAD = (
        Bad(
            f"{IMPORT}{LOADED}print(1)\n",
            lines=(4,),
            fixed=f"{IMPORT}{LOADED}" "model.config.pad_token_id = model.config.eos_token_id\nprint(1)\n",
        ),
        Bad(f"{IMPORT}model = A.from_pretrained('meta-llama/Llama-3.1-8B-Instruct')\n", lines=(3,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every such classifier, in a bundle that never sets a config's `pad_token_id`."""
        for ask in _classifiers(subject):
            names = sorted({name for name in ask.ids.values() if lacks_pad_token(name)})
            yield self.finding(
                ask.module.path,
                ask.node.lineno,
                f"the classifier of `{names[0]}` has no `pad_token_id`: it refuses batches of more than one",
                f"{ask.module.line(ask.node.lineno)} — nothing sets `config.pad_token_id`",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The end-of-text id, right after the model is loaded."""
        for ask in _classifiers(subject):
            bound = bound_to(ask.module, ask.node)
            if (ask.module.path, ask.node.lineno) == (finding.file, finding.line) and bound is not None:
                if any(LIST_VALUED in name.lower() for name in ask.ids.values()):
                    return None
                statement, name = bound
                code = f"{name}.config.pad_token_id = {name}.config.eos_token_id"
                return rewrite(subject.bundle, ask.module.path, after_statement(ask.module, statement, code))
        return None


def _classifiers(subject: ParsedBundle) -> list[Ask]:
    if sets_pad(subject, of_config=True):
        return []
    return [
        ask
        for ask in asks(subject, "model")
        if ask.loads_class("ForSequenceClassification") and any(map(lacks_pad_token, ask.ids.values()))
    ]
