"""Check `label-padding`: padding in the labels is masked."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.architectures import model_loads
from policies.assigned import sole_value
from policies.base import Bad, Check, Evidence, Good
from policies.hydra.names import origin
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.row_functions import is_tokenizing
from policies.wording import clip

IGNORED = -100
GENERATES = ("CausalLM", "Seq2SeqLM", "LMHeadModel", "ForConditionalGeneration")
HEAD = (
    "from transformers import AutoModelForCausalLM\n\nlm = AutoModelForCausalLM.from_pretrained(name)\n\n\n"
    "def encode(row):\n    out = tokenizer(row['text'], padding='max_length')\n"
)


class LabelPadding(Check):
    """Labels of a language model that hold the padding token teach it to write padding.

    The loss leaves out -100 and nothing else. Where padded ids become labels as they are, most of what the
    loss averages over may be padding: it looks small and hardly moves.

    Source: transformers, `ForCausalLMLoss`; PyTorch, `CrossEntropyLoss`, `ignore_index`.
    """

    ID = "label-padding"
    CRITERION = 3
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code",)
    PATH = "src/preprocess.py"
    GOOD = (
        Good(
            f"{HEAD}    out['labels'] = [i if i != pad else -100 for i in out['input_ids']]\n    return out\n"
        ),
        Good(f"{HEAD.replace(', padding=', ', _=')}    out['labels'] = out['input_ids']\n    return out\n"),
        Good(f"{HEAD.replace('CausalLM', 'MaskedLM')}    out['labels'] = out['input_ids']\n    return out\n"),
        Good(
            f"{HEAD}    out['labels'] = out['input_ids']\n    return out\n\n\n"
            "def loss(logits, labels):\n    return F.cross_entropy(logits, labels, ignore_index=pad)\n"
        ),
    )
    BAD = (
        Bad(f"{HEAD}    out['labels'] = out['input_ids'].copy()\n    return out\n", lines=(8,)),
        Bad(
            "from transformers import AutoModelForCausalLM\nfrom torch.nn.utils.rnn import pad_sequence\n\n"
            "model = AutoModelForCausalLM.from_pretrained(name)\n\n\ndef collate(rows, pad):\n"
            "    labels = pad_sequence([r['labels'] for r in rows], batch_first=True, padding_value=pad)\n"
            "    return {'labels': labels}\n",
            lines=(8,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first labels with padding, in a bundle that generates text and masks nothing."""
        classes = [origin(module, call.func) for module, call in model_loads(subject)]
        if not classes or not any(part in name for name in classes for part in GENERATES):
            return
        padded = [(module, node) for module in subject.parsable for node in _padded(module)]
        if not padded or any(_masks(node) for _, node in subject.walk()):
            return
        module, node = padded[0]
        yield self.finding(
            module.path,
            node.lineno,
            f"`{clip(ast.unparse(node), 70)}`: the padding is part of the loss",
            f"line {node.lineno}: {module.line(node.lineno)} — nothing in the bundle sets {IGNORED}, "
            "`ignore_index` or a mask for it",
        )


def _masks(node: ast.AST) -> bool:
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=100)):
            return True
        case ast.keyword(arg="ignore_index") | ast.Attribute(
            attr="masked_fill" | "masked_fill_" | "ignore_index"
        ):
            return True
        case ast.alias(name=name) | ast.Attribute(attr=name):
            return (
                "ForLanguageModeling" in name or "CompletionOnly" in name or name in ("Trainer", "SFTTrainer")
            )
        case ast.keyword(arg="reduction", value=ast.Constant(value="none")):
            return True
    return False


def _padded(module: Module) -> Iterator[ast.stmt]:
    """Statements that make labels of ids which hold padding, or pad labels with a token."""
    for node in of_kind(module, ast.Assign):
        match node:
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value="labels"))], value=value):
                if _is_padded(module, value):
                    yield node
            case ast.Assign(targets=[ast.Name(id="labels")], value=ast.Call(func=func) as call):
                if origin(module, func).endswith("pad_sequence") and _pads_with_token(call):
                    yield node


def _is_padded(module: Module, node: ast.expr, depth: int = 0) -> bool:
    """Whether an expression is the `input_ids` of a call that pads."""
    node = sole_value(module, node)
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="copy" | "clone"), args=[]):
            return depth < 8 and _is_padded(module, owner, depth + 1)
        case ast.Subscript(value=ast.Name() as owner, slice=ast.Constant(value="input_ids")):
            made = sole_value(module, owner)
        case _:
            return False
    if not isinstance(made, ast.Call) or not is_tokenizing(module, made):
        return False
    given = next((k.value for k in made.keywords if k.arg == "padding"), None)
    return isinstance(given, ast.Constant) and given.value in (True, "max_length", "longest")


def _pads_with_token(call: ast.Call) -> bool:
    given = next((k.value for k in call.keywords if k.arg == "padding_value"), None)
    return given is not None and "pad" in ast.unparse(given)
