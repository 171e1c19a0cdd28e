"""Check `pad-token-added`: a new token needs a row in the model's embedding."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.kinds import each, of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.replace_node import replace_expression

LOAD = "def build(tokenizer):\n    if tokenizer.pad_token_id is None:\n"
ADD = '        tokenizer.add_special_tokens({"pad_token": "<pad>"})'


class PadTokenAdded(ModuleCheck):
    """A padding token that is added gets the first id beyond the embedding: "index out of range in self".

    Either the embedding is resized, or the tokenizer pads with a token that it has; what is padded is masked
    all the same, and no weight is new. The end-of-text token is what the models' authors use.

    Source: transformers, `add_special_tokens` ("make sure to also resize the token embedding matrix").
    """

    ID = "pad-token-added"
    CRITERION = 3
    RESTS_ON = ("code",)
    PATH = "src/preprocess.py"
    GOOD = (
        Good(f"{LOAD}{ADD}\n", files={"src/model.py": "model.resize_token_embeddings(n)\n"}),
        Good(f"{LOAD}        tokenizer.pad_token = tokenizer.eos_token\n"),
        Good('tokenizer.add_special_tokens({"sep_token": "<sep>"})\n'),
    )
    BAD = (
        Bad(
            f"{LOAD}{ADD}  # none yet\n",
            lines=(3,),
            fixed=f"{LOAD}        tokenizer.pad_token = tokenizer.eos_token  # none yet\n",
        ),
        Bad('n = tok.add_special_tokens({"pad_token": "[PAD]"})\n', lines=(1,)),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every added padding token, where nothing resizes an embedding."""
        if any(n.attr == "resize_token_embeddings" for _, n in each(subject, ast.Attribute)):
            return
        for node in _additions(module):
            yield self.finding(
                module.path,
                node.lineno,
                "the padding token that is added has no row in the model's embedding",
                f"{module.line(node.lineno)} — nothing calls `resize_token_embeddings`",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Pad with the end-of-text token."""
        module = subject.modules[finding.file]
        for node in _additions(module):
            alone = isinstance(module.parents[node], ast.Expr)
            if node.lineno == finding.line and alone and isinstance(node.func, ast.Attribute):
                name = ast.unparse(node.func.value)
                text = replace_expression(module, node, f"{name}.pad_token = {name}.eos_token")
                return rewrite(subject.bundle, module.path, text)
        return None


def _additions(module: Module) -> list[ast.Call]:
    found = [
        node
        for node in of_kind(module, ast.Call)
        if isinstance(node.func, ast.Attribute)
        and node.func.attr == "add_special_tokens"
        and node.args
        and isinstance(node.args[0], ast.Dict)
        and [k.value for k in node.args[0].keys if isinstance(k, ast.Constant)] == ["pad_token"]
    ]
    return sorted(found, key=lambda node: node.lineno)
