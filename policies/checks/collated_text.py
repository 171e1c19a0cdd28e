"""Check `collated-text`: what a padding collator gets holds no text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.hydra.names import origin
from policies.kinds import each, has_text, of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.row_functions import MapCall, is_tokenizing, map_calls, returned
from policies.tree import walk

COLLATOR = "transformers.DataCollatorWithPadding"
CHOOSES = frozenset(
    (
        "remove_columns",
        "select_columns",
        "set_format",
        "with_format",
        "set_transform",
        "with_transform",
        "Trainer",
    )
)
HEAD = (
    "from torch.utils.data import DataLoader\nfrom transformers import DataCollatorWithPadding\n\n\n"
    "def loader(data, tokenizer):\n    def encode(row):\n        return tokenizer(row['text'])\n\n"
)
LOAD = "    return DataLoader(rows, collate_fn=DataCollatorWithPadding(tokenizer))\n"


class CollatedText(Check):
    """`map` adds columns and keeps the old ones; `DataCollatorWithPadding` makes a tensor of every column.

    Texts that were tokenised and left in the rows stop it: "Unable to create tensor ... Perhaps your features
    (`text`) have excessive nesting". Columns are removed by `remove_columns`, `select_columns` or a format;
    only the `Trainer` does it by itself.

    Source: transformers, `BatchEncoding.convert_to_tensors`.
    """

    ID = "collated-text"
    CRITERION = 3
    PATH = "src/preprocess.py"
    GOOD = (
        Good(f"{HEAD}    rows = data.map(encode, remove_columns=['text'])\n{LOAD}"),
        Good(
            f"{HEAD}    rows = data.map(encode)\n    rows.set_format('torch', columns=['input_ids'])\n{LOAD}"
        ),
        Good(f"{HEAD}    rows = data.map(encode)\n{LOAD.replace('DataCollatorWithPadding(', 'mine(')}"),
        Good(f"{HEAD}    rows = data.map(lambda row: encode(row['x']))\n{LOAD}"),
    )
    BAD = (Bad(f"{HEAD}    rows = data.map(encode, batched=True)\n{LOAD}", lines=(9,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first map that keeps its texts, in a bundle that pads every column of every loader."""
        collating = _collating(subject) if has_text(subject, "DataCollatorWithPadding") else ""
        if not collating or any(_chooses(node) for _, node in subject.walk()):
            return
        for call in map_calls(subject):
            text = _tokenised(call)
            if text:
                yield self.finding(
                    call.module.path,
                    call.node.lineno,
                    f"the column of `{text}` stays in the rows: no tensor can be made of text",
                    f"line {call.node.lineno}: {call.module.line(call.node.lineno)} — {collating}; "
                    "nothing removes or selects columns",
                )
                return


def _collating(subject: ParsedBundle) -> str:
    """The first loader with a padding collator; empty unless all loaders have one."""
    places: list[str] = []
    for module, node in each(subject, ast.Call):
        if origin(module, node.func) == "torch.utils.data.DataLoader":
            given = next((k.value for k in node.keywords if k.arg == "collate_fn"), None)
            if given is None or not _pads(module, given):
                return ""
            places.append(f"{module.path}:{node.lineno} collates with `{ast.unparse(given)}`")
    return places[0] if places else ""


def _pads(module: Module, node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return origin(module, node.func) == COLLATOR
    name = ast.unparse(node)
    bound = [n.value for n in of_kind(module, ast.Assign) if name in map(ast.unparse, n.targets)]
    return bool(bound) and all(isinstance(v, ast.Call) and origin(module, v.func) == COLLATOR for v in bound)


def _chooses(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr=name) | ast.keyword(arg=str(name)) | ast.Name(id=name):
            return name in CHOOSES
    return False


def _tokenised(call: MapCall) -> str:
    """The column that the function hands to a tokenizer, when its result is all that it returns."""
    values = list(returned(call.function))
    if not values or not all(is_tokenizing(call.owner, value) for value in values):
        return ""
    for node in walk(call.function):
        if isinstance(node, ast.Call) and is_tokenizing(call.owner, node):
            match node.args[0]:
                case ast.Subscript(value=ast.Name(id=name)) if name == call.rows:
                    return ast.unparse(node.args[0])
    return ""
