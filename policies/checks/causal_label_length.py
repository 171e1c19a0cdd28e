"""Check `causal-label-length`: a decoder's labels are its own inputs, token for token."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain

from policies.architectures import model_ids, named_by_runs
from policies.assigned import sole_value, values_of
from policies.base import Bad, Check, Evidence, Good
from policies.kinds import each
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.row_functions import is_tokenizing
from policies.tables import table
from policies.tree import walk
from policies.wording import clip

_DEEPEST = 8
IMPORT = (
    "from transformers import AutoModelForCausalLM\n\nmodel = AutoModelForCausalLM.from_pretrained('gpt2')\n"
)
HEAD = f"{IMPORT}\n\ndef encode(row, tokenizer):\n    out = tokenizer(row['question'], max_length=64)\n"


class CausalLabelLength(Check):
    """A decoder-only model predicts the next token of its input, so labels are the same sequence.

    Labels tokenised from another text are the habit of encoder-decoder models. A decoder refuses them when
    their length differs ("Expected input batch_size to match target batch_size"); where padding makes the
    lengths equal it learns to answer each token of the question with the token of the answer at that place.
    Question and answer belong in one sequence, the question masked with -100.

    Source: transformers, `ForCausalLMLoss`.
    """

    ID = "causal-label-length"
    CRITERION = 3
    PATH = "src/preprocess.py"
    GOOD = (
        Good(f"{HEAD}    out['labels'] = out['input_ids'].copy()\n    return out\n"),
        Good(
            f"{HEAD}    answer = tokenizer(row['answer'])\n    ids = out['input_ids'] + answer['input_ids']\n"
            "    return {'input_ids': ids, 'labels': ids}\n"
        ),
        Good(
            f"{HEAD.replace('gpt2', 't5-small')}    answer = tokenizer(row['answer'])\n"
            "    out['labels'] = answer['input_ids']\n    return out\n"
        ),
        Good(f"{HEAD}    full = tokenizer(row['question'])\n    out['labels'] = full['input_ids']\n"),
    )
    BAD = (
        Bad(
            f"{HEAD}    answer = tokenizer(row['answer'], max_length=16)\n"
            "    out['labels'] = answer['input_ids']\n    return out\n",
            lines=(9,),
        ),
        Bad(
            f"{HEAD}    answer = tokenizer(text_target=row['answer'], padding='max_length')\n"
            "    ids = answer['input_ids']\n    labels = [-100 if i == 0 else i for i in ids]\n"
            "    return {'input_ids': out['input_ids'], 'labels': labels}\n",
            lines=(11,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every function that makes labels of another text, in a bundle whose models are all decoders."""
        names = model_ids(subject) or named_by_runs(subject)
        if not names or not all(map(_decoder, names)):
            return
        places = chain(each(subject, ast.Assign), each(subject, ast.Dict))
        found = [(module, *pair) for module, node in places for pair in _pairs(module, node)]
        joined = chain(each(subject, ast.Call), each(subject, ast.BinOp))
        if not found or any(_rejoins(node) for _, node in joined):
            return
        for module, key, inputs, labels in found:
            yield self.finding(
                module.path,
                key.lineno,
                f"labels come from `{_text(labels)}`, inputs from `{_text(inputs)}`: "
                f"`{sorted(names)[0]}` is decoder-only and needs one sequence for both",
                f"line {key.lineno}: {module.line(key.lineno)} — line {labels.lineno} tokenises the "
                "labels by themselves, and nothing joins them to the inputs",
            )


def _decoder(name: str) -> bool:
    return bool(re.fullmatch(table("hub_ids")["decoder_only"], name))


def _pairs(module: Module, node: ast.AST) -> Iterator[tuple[ast.stmt | ast.expr, ast.Call, ast.Call]]:
    """Where labels are set, with the calls that tokenise inputs and labels, when their texts differ."""
    match node:
        case ast.Assign(
            targets=[ast.Subscript(value=ast.Name() as owner, slice=ast.Constant(value="labels"))],
            value=value,
        ):
            inputs: ast.expr | None = owner
        case ast.Dict(keys=keys, values=values):
            given = {k.value: v for k, v in zip(keys, values, strict=True) if isinstance(k, ast.Constant)}
            if "labels" not in given or "input_ids" not in given:
                return
            inputs, value = _source(module, given["input_ids"]), given["labels"]
        case _:
            return
    made, labels = _call(module, inputs), _call(module, _source(module, value))
    if made is None or labels is None or made is labels or _text(made) == _text(labels):
        return
    function = module.enclosing_function(node)
    if function is not None and not any(_joins(inner) for inner in walk(function)):
        yield node, made, labels


def _source(module: Module, node: ast.expr, depth: int = 0) -> ast.expr | None:
    """The encoding whose `input_ids` an expression is, also when padding is masked on the way."""
    node = sole_value(module, node)
    if isinstance(node, ast.Name):
        values = values_of(module, node.id, node)
        if (
            depth > _DEEPEST
            or len(values) != 2
            or not all(isinstance(v, ast.Call | ast.ListComp) for v in values)
        ):
            return None
        found = [_source(module, value, depth + 1) for value in values if value is not None]
        same = len({ast.unparse(each) for each in found if each is not None}) == 1 and None not in found
        return found[0] if same else None
    match node:
        case ast.Subscript(value=owner, slice=ast.Constant(value="input_ids")):
            return owner
        case ast.Attribute(value=owner, attr="input_ids"):
            return owner
        case ast.Call(func=ast.Attribute(value=owner, attr="copy" | "clone")):
            return _source(module, owner, depth + 1) if depth < _DEEPEST else None
        case ast.Call(func=ast.Name(), args=[first, *_]):
            return _source(module, first, depth + 1) if depth < _DEEPEST else None
        case ast.ListComp(generators=[ast.comprehension(iter=source)]):
            return _source(module, source, depth + 1) if depth < _DEEPEST else None
    return None


def _call(module: Module, node: ast.expr | None) -> ast.Call | None:
    """The call of a tokenizer that an expression stands for."""
    if node is None:
        return None
    node = sole_value(module, node)
    if isinstance(node, ast.Call) and (is_tokenizing(module, node) or _text_target(node) is not None):
        return node
    return None


def _text_target(node: ast.Call) -> ast.expr | None:
    return next((k.value for k in node.keywords if k.arg in ("text_target", "text")), None)


def _text(node: ast.Call) -> str:
    """The text that is tokenised, as it is spelled."""
    told = _text_target(node)
    return clip(ast.unparse(node.args[0] if node.args else told or node), 60)


def _rejoins(node: ast.AST) -> bool:
    """Whether labels are put together with something, as a collator may do."""
    match node:
        case ast.Call(func=ast.Attribute(attr="cat" | "concatenate" | "hstack"), args=[parts, *_]):
            return "label" in ast.unparse(parts)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            sides = [ast.unparse(side) for side in (left, right)]
            return all("input_ids" in side or "['labels']" in side for side in sides)
    return False


def _joins(node: ast.AST) -> bool:
    """Whether something is added to or put before the inputs."""
    match node:
        case ast.BinOp(op=ast.Add()) | ast.AugAssign(op=ast.Add()):
            return True
        case ast.Call(func=ast.Attribute(attr="extend" | "cat" | "concatenate" | "insert")):
            return True
        case ast.JoinedStr():
            return True
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value="input_ids"))]):
            return True
    return False
