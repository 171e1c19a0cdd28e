"""Check `label-dropped`: rows that are tokenised keep the label that training reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from policies.base import Bad, Check, Evidence, Good
from policies.hydra.analysis import launches
from policies.hydra.names import origin
from policies.kinds import each, of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.row_functions import MapCall, function_of, is_tokenizing, map_calls, returned
from policies.tree import walk

MAKES_LABELS = ("DataCollatorForLanguageModeling", "DataCollatorForWholeWordMask", "DataCollatorForSOP")
IMPORT = "from datasets import load_dataset\n\n\n"
TOK = (
    "def rows(data, tokenizer):\n    def tok(ex):\n        return tokenizer(ex['text'], truncation=True)\n\n"
)
MAP = "    return data.map(tok, batched=True, remove_columns=data.column_names)\n"
READ = "\n\ndef step(model, batch):\n    labels = batch.pop('labels')\n    model(**batch, labels=labels)\n"


class LabelDropped(Check):
    """`map` with every column removed keeps only what the function returns: a tokenizer returns no labels.

    The training step then reads `batch["labels"]`: KeyError. The function has to pass the label on, or the
    column must not be removed. On a branch that none of the given runs takes, it is advisory.

    Source: datasets, `Dataset.map`, `remove_columns`.
    """

    ID = "label-dropped"
    CRITERION = 3
    PATH = "src/preprocess.py"
    GOOD = (
        Good(
            f"{IMPORT}{TOK.replace('return', 'out =')}        out['labels'] = ex['label']\n"
            f"        return out\n\n{MAP}{READ}"
        ),
        Good(f"{IMPORT}{TOK}{MAP.replace('data.column_names', '[c for c in columns if c]')}{READ}"),
        Good(f"{IMPORT}{TOK}{MAP}"),
        Good(
            f"{IMPORT}{TOK}{MAP.replace('return ', 'data = ')}    return data.add_column('labels', y)\n{READ}"
        ),
        Good(f"{IMPORT}{TOK}{MAP}{READ}\n\nloader = DataLoader(data, collate_fn=collate)\n"),
    )
    BAD = (
        Bad(f"{IMPORT}{TOK}{MAP}{READ}", lines=(8,)),
        Bad(
            f"{IMPORT}def rows(data, tokenizer):\n"
            "    names = data['train'].column_names\n"
            "    data = data.map(lambda row: tokenizer(row['text']), remove_columns=names)\n"
            "    return data\n",
            files={
                "src/train.py": "def step(model, batch):\n    return model(batch['ids'], batch['labels'])\n"
            },
            lines=(6,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every such map in a bundle whose training reads labels that nothing else makes."""
        losing = [call for call in map_calls(subject) if call.removes_all() and _makes_no_label(call)]
        reader = _reads_labels(subject) if losing else ""
        if not reader or _labels_come_later(subject):
            return
        seen: set[ast.AST] = set()
        for call in losing:
            if call.function in seen:
                continue  # one function that is mapped over every split is one defect
            seen.add(call.function)
            found = self.finding(
                call.module.path,
                call.node.lineno,
                f"`{_name(call)}` returns no labels and every other column is removed, so batches have none",
                f"line {call.node.lineno}: {call.module.line(call.node.lineno)} — {reader}",
            )
            taken = not _not_taken(subject, call)
            yield found if taken else found.model_copy(update={"severity": Severity.ADVISORY})


def _name(call: MapCall) -> str:
    return "lambda" if isinstance(call.function, ast.Lambda) else call.function.name


def _makes_no_label(call: MapCall) -> bool:
    """Whether the function hands out what a tokenizer gives it, and nowhere speaks of labels."""
    values = list(returned(call.function))
    if not values or not all(is_tokenizing(call.owner, value) for value in values):
        return False
    return not any(_speaks_of_labels(node) for node in walk(call.function))


def _speaks_of_labels(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return "label" in text or "target" in text
        case ast.keyword(arg=name):
            return name is None or "label" in name or name == "text_target"
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return "label" in name or name == "update"
    return False


def _reads_labels(subject: ParsedBundle) -> str:
    """The first place that takes the labels out of a batch."""
    for module, node in chain(each(subject, ast.Subscript), each(subject, ast.Call)):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value="labels"), ctx=ast.Load()):
                pass
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="pop"), args=[ast.Constant(value="labels")]
            ):
                pass
            case _:
                continue
        if name in ("batch", "b", "vb", "inputs", "data", "val_batch", "train_batch"):
            return f"{module.path}:{node.lineno} reads `{ast.unparse(node)}`"
    return ""


def _labels_come_later(subject: ParsedBundle) -> bool:
    """Whether a collator or a later column makes the labels, or may."""
    for module, node in chain(each(subject, ast.Call), each(subject, ast.keyword)):
        match node:
            case ast.Call(func=ast.Attribute(attr="add_column" | "set_transform" | "with_transform")):
                return True
            case ast.Call(func=func) if origin(module, func).rpartition(".")[2] in MAKES_LABELS:
                return True
            case ast.keyword(arg="collate_fn", value=value):
                if _may_label(subject, module, value):
                    return True
    return False


def _may_label(subject: ParsedBundle, module: Module, node: ast.expr) -> bool:
    """A collator of transformers pads; one of the bundle's own, or an unknown one, may do anything."""
    found = function_of(subject, module, node)
    if found is not None:
        return any(_speaks_of_labels(inner) for inner in walk(found[1]))
    made = [n.value for n in of_kind(module, ast.Assign) if ast.unparse(node) in map(ast.unparse, n.targets)]
    calls = [n for n in ([node] if isinstance(node, ast.Call) else made) if isinstance(n, ast.Call)]
    names = [origin(module, n.func) for n in calls]
    return not names or not all(name.startswith("transformers.DataCollator") for name in names)


def _not_taken(subject: ParsedBundle, call: MapCall) -> bool:
    """Whether the runs load data in other branches of the function, and never in the one of this map."""
    followed = {id(load.node) for launch in launches(subject) for load in launch.loads}
    function = call.module.enclosing_function(call.node)
    branch = _branch(call.module, call.node)
    if branch is None or function is None:
        return False
    loads = [n for n in walk(function) if isinstance(n, ast.Call) and _loads(call.module, n)]
    here = [n for n in loads if _branch(call.module, n) == branch]
    return bool(here) and any(id(n) in followed for n in loads) and not any(id(n) in followed for n in here)


def _loads(module: Module, node: ast.Call) -> bool:
    return origin(module, node.func) == "datasets.load_dataset"


def _branch(module: Module, node: ast.AST) -> tuple[int, bool] | None:
    """The innermost `if` around a node and the side on which it stands."""
    child, parent = node, module.parents.get(node)
    while parent is not None:
        if isinstance(parent, ast.If) and child is not parent.test:
            return id(parent), child in parent.body
        child, parent = parent, module.parents.get(parent)
    return None
