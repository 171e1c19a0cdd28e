"""Check `pad-token-missing`: padding needs a padding token."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hub import Ask, asks, lacks_pad_token
from policies.hydra.insert import after_statement
from policies.padding import bound_to, pads, sets_pad
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding

IMPORT = "from transformers import AutoTokenizer\n\n"
LOADED = "tokenizer = AutoTokenizer.from_pretrained(\n    'meta-llama/Llama-2-7b-hf'\n)  # slow\n"
PAD = "print(tokenizer(texts, padding=True))\n"


class PadTokenMissing(Check):
    """Decoders such as Llama and GPT-2 come without a padding token, and tokenizers then refuse to pad.

    "Asking to pad but the tokenizer does not have a padding token". The end-of-text token is what the
    models' authors use; what is padded is masked.

    Source: transformers, `tokenization_utils_base.py`.
    """

    ID = "pad-token-missing"
    CRITERION = 3
    RESTS_ON = ("code",)
    STAGE = 54
    PATH = "src/preprocess.py"
    GOOD = (
        Good(f"{IMPORT}tokenizer = AutoTokenizer.from_pretrained('bert-base-cased')\n{PAD}"),
        Good(
            f"{IMPORT}tokenizer = AutoTokenizer.from_pretrained('gpt2')\n"
            f"tokenizer.pad_token = tokenizer.eos_token\n{PAD}"
        ),
        Good(f"{IMPORT}tokenizer = AutoTokenizer.from_pretrained('gpt2', pad_token='!')\n{PAD}"),
        Good(f"{IMPORT}tokenizer = AutoTokenizer.from_pretrained('gpt2')\nprint(tokenizer(text))\n"),
    )
    BAD = (
        Bad(
            f"{IMPORT}{LOADED}{PAD}",
            lines=(3,),
            fixed=f"{IMPORT}{LOADED}"
            f"if tokenizer.pad_token is None:\n    tokenizer.pad_token = tokenizer.eos_token\n{PAD}",
        ),
        Bad(f"{IMPORT}encode(AutoTokenizer.from_pretrained('gpt2'))\n{PAD}", lines=(3,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every tokenizer of such a model, in a bundle that pads and never says with what."""
        for ask in _tokenizers(subject):
            names = sorted({name for name in ask.ids.values() if lacks_pad_token(name)})
            yield self.finding(
                ask.module.path,
                ask.node.lineno,
                f"the tokenizer of `{names[0]}` has no padding token, but the bundle pads",
                f"{ask.module.line(ask.node.lineno)} — {pads(subject)}; nothing sets `pad_token`",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Pad with the end-of-text token, right after the tokenizer is loaded."""
        for ask in _tokenizers(subject):
            bound = bound_to(ask.module, ask.node)
            if (ask.module.path, ask.node.lineno) == (finding.file, finding.line) and bound is not None:
                statement, name = bound
                code = f"if {name}.pad_token is None:\n    {name}.pad_token = {name}.eos_token"
                return rewrite(subject.bundle, ask.module.path, after_statement(ask.module, statement, code))
        return None


def _tokenizers(subject: ParsedBundle) -> list[Ask]:
    found = [
        ask
        for ask in asks(subject, "model")
        if ask.loads_class("Tokenizer") and any(map(lacks_pad_token, ask.ids.values()))
    ]
    return found if found and pads(subject) and not sets_pad(subject, of_config=False) else []
