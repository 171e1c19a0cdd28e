"""Check `collated-label`: a padding collator hands out `labels`, not `label`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.hydra.names import origin
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.replace_node import replace_expression
from policies.tree import walk

RENAMING = frozenset(
    f"transformers.{name}"
    for name in ("DataCollatorWithPadding", "DefaultDataCollator", "default_data_collator")
)
RENAMED = ("label", "label_ids")
_LOADER = re.compile(r"(\w*_)?(loader|dataloader|dl)s?|\w*loader", re.IGNORECASE)
HEAD = (
    "from torch.utils.data import DataLoader\nfrom transformers import DataCollatorWithPadding\n\n\n"
    "def loaders(data, tokenizer):\n    collator = DataCollatorWithPadding(tokenizer)\n"
    "    return DataLoader(data, collate_fn=collator)\n\n\n"
)
READ = "def check(model, loader):\n    for step, batch in enumerate(loader):\n"


class CollatedLabel(ModuleCheck):
    """`DataCollatorWithPadding` renames `label` to `labels`, so a batch has no `label`: KeyError.

    The column of the data set is called `label`, and code that works on its rows is right to say so; code
    that works on what such a loader hands out is not. Judged only where every loader of the bundle renames.

    Source: transformers, `data/data_collator.py`.
    """

    ID = "collated-label"
    CRITERION = 3
    STAGE = 55
    GOOD = (
        Good(f'{HEAD}{READ}        print(batch["labels"])\n'),
        Good(f'{HEAD}def rows(data):\n    for row in data:\n        print(row["label"])\n'),
        Good(f'{HEAD}{READ}        if "label" in batch:\n            print(batch["label"])\n'),
        Good(f'{HEAD}{READ}        batch["label"] = batch["labels"]\n        print(batch["label"])\n'),
        Good(f'{HEAD}other = DataLoader([])\n\n\n{READ}        print(batch["label"])\n'),
        Good(f'{READ}        print(batch["label"])\n'),
    )
    BAD = (
        Bad(
            f'{HEAD}{READ}        found = batch["label"].cpu()  # true ones\n        print(found)\n',
            lines=(12,),
            fixed=f'{HEAD}{READ}        found = batch["labels"].cpu()  # true ones\n        print(found)\n',
        ),
        Bad(
            f"{HEAD}def check(val_dl):\n    for batch in tqdm(val_dl, leave=False):\n"
            "        print(batch.pop('label_ids'))\n",
            lines=(12,),
            fixed=f"{HEAD}def check(val_dl):\n    for batch in tqdm(val_dl, leave=False):\n"
            "        print(batch.pop('labels'))\n",
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every read of the old name from a batch."""
        renaming = subject.memo("collated-label.loaders", _renaming_loaders)
        for key in _reads(module) if renaming else ():
            yield self.finding(
                module.path,
                key.lineno,
                f"a batch has no `{key.value!s}`: the collator renames it to `labels`",
                f"{module.line(key.lineno)} — {renaming}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The name that the collator gives."""
        module = subject.modules[finding.file]
        for key in _reads(module):
            if key.lineno == finding.line:
                quote = (ast.get_source_segment(module.text, key) or '"')[-1]
                text = replace_expression(module, key, f"{quote}labels{quote}")
                return rewrite(subject.bundle, module.path, text)
        return None


def _renaming_loaders(subject: ParsedBundle) -> str:
    """Where the loaders get their collator; empty unless all of them get one that renames."""
    places: list[str] = []
    for module, node in subject.walk():
        if not isinstance(node, ast.Call) or origin(module, node.func) != "torch.utils.data.DataLoader":
            continue
        given = next((k.value for k in node.keywords if k.arg == "collate_fn"), None)
        if given is None or not _renames(module, given):
            return ""
        places.append(f"{module.path}:{node.lineno} collates with `{ast.unparse(given)}`")
    return "; ".join(places[:2])


def _renames(module: Module, node: ast.expr) -> bool:
    """Whether a collator is one that renames, by name or through variables that hold nothing else."""
    target = node.func if isinstance(node, ast.Call) else node
    if origin(module, target) in RENAMING:
        return True
    name = ast.unparse(node)
    bound = [n.value for n in of_kind(module, ast.Assign) if name in map(ast.unparse, n.targets)]
    return bool(bound) and all(
        isinstance(value, ast.Call) and origin(module, value.func) in RENAMING for value in bound
    )


def _reads(module: Module) -> list[ast.Constant]:
    """The keys of reads such as `batch["label"]` in a loop over a loader, in line order."""
    found = [key for node in module.nodes if (key := _key(node)) is not None and _of_a_batch(module, node)]
    return sorted(found, key=lambda key: (key.lineno, key.col_offset))


def _key(node: ast.AST) -> ast.Constant | None:
    match node:
        case ast.Subscript(value=ast.Name(), slice=ast.Constant(value=name) as key, ctx=ast.Load()):
            return key if name in RENAMED else None
        case ast.Call(
            func=ast.Attribute(value=ast.Name(), attr="pop"), args=[ast.Constant(value=name) as key]
        ):
            return key if name in RENAMED else None
    return None


def _of_a_batch(module: Module, node: ast.AST) -> bool:
    batch = (
        node.value if isinstance(node, ast.Subscript) else getattr(getattr(node, "func", None), "value", None)
    )
    assert isinstance(batch, ast.Name), "keys are looked up in names only"
    around: ast.AST = node
    while around in module.parents:
        around = module.parents[around]
        if isinstance(around, ast.If | ast.IfExp | ast.Try) and _asks_for_key(around):
            return False
        if isinstance(around, ast.For) and batch.id in {
            n.id for n in walk(around.target) if isinstance(n, ast.Name)
        }:
            return _is_loader(around.iter) and not _sets_key(around, batch.id)
    return False


def _asks_for_key(node: ast.If | ast.IfExp | ast.Try) -> bool:
    """Whether a branch depends on the key; a `try` is taken to catch what its body reads."""
    asked = node if isinstance(node, ast.Try) else node.test
    return any(isinstance(n, ast.Constant) and n.value in RENAMED for n in walk(asked))


def _is_loader(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and node.args:
        return _is_loader(node.args[0])
    leaf = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return bool(_LOADER.fullmatch(leaf))


def _sets_key(loop: ast.For, batch: str) -> bool:
    """Whether the loop puts the old name into the batch itself."""
    return any(
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) == batch
        and isinstance(node.slice, ast.Constant)
        and node.slice.value in RENAMED
        for node in walk(loop)
    )
