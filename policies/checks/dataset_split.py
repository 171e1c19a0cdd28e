"""Check `dataset-split`: splits that are read exist in the data set."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.kinds import has_text, of_kind
from policies.parsed import Module, ParsedBundle
from policies.reached import is_reached
from policies.records import Finding, Severity
from policies.schemas import Schema, Source, constants, is_guarded, makes_splits, said, schemas, source_of

IMPORT = "from datasets import load_dataset\n\n"
MNLI = f"{IMPORT}raw = load_dataset('glue', 'mnli')\n"


class DatasetSplit(Check):
    """Data sets name their splits as they like: MNLI has two validation splits, others none.

    `data["validation"]` is then a KeyError, `split="validation"` a ValueError. In a module that nothing
    imports it is advisory.

    Source: the data sets' cards.
    """

    ID = "dataset-split"
    CRITERION = 3
    PATH = "src/main.py"
    GOOD = (
        Good(f"{MNLI}raw['validation_matched']\nraw['train']\n"),
        Good(f"{MNLI}if 'validation' in raw:\n    raw['validation']\n"),
        Good(f"{IMPORT}raw = load_dataset('glue', task)\nraw['validation']\n"),
        Good(f"{IMPORT}load_dataset('imdb')['test']\nload_dataset('imdb', split='train[:5%]+test')\n"),
        Good(f"{IMPORT}raw = load_dataset('imdb')\nraw['validation'] = raw['test']\nraw['validation']\n"),
        Good(f"{IMPORT}raw = load_dataset('imdb')['train'].train_test_split(0.1)\nraw['validation']\n"),
    )
    BAD = (
        Bad(f"{MNLI}rows = raw.map(encode)\nprint(rows['validation'])\n", lines=(5,)),
        Bad(f"{IMPORT}load_dataset('imdb', split='validation[:10%]')\n", lines=(3,)),
        Bad(
            f"{IMPORT}\ndef loaders(cfg):\n    data = load_dataset(cfg.dataset.name)\n\n"
            "    def loader(split, size):\n        return data[split]\n\n"
            "    return loader('train', 8), loader(cfg.dataset.validation, 8)\n",
            run_configs={"config/runs/a.yaml": "run_id: a\ndataset:\n  name: imdb\n  validation: dev\n"},
            lines=(10,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every read of a split that the table of data sets does not have."""
        if not has_text(subject, "load_dataset"):
            return
        own = makes_splits(subject)
        seen: set[tuple[str, int, str]] = set()
        for module, wanted, place, run, source in _reads(subject):
            for schema in schemas(subject, source):
                fits = schema.run == run or not run or not schema.run
                if wanted in schema.splits or not fits or own or (module.path, place.lineno, wanted) in seen:
                    continue
                seen.add((module.path, place.lineno, wanted))
                found = self._found(subject, module, place, wanted, schema)
                reached = is_reached(subject, module)
                yield found if reached else found.model_copy(update={"severity": Severity.ADVISORY})

    def _found(
        self, subject: ParsedBundle, module: Module, place: ast.expr, wanted: str, schema: Schema
    ) -> Finding:
        return self.finding(
            module.path,
            place.lineno,
            f"`{schema.name}` has no split `{wanted}`",
            f"line {place.lineno}: {module.line(place.lineno)} — {said(schema, subject)}, which has "
            f"{', '.join(sorted(schema.splits))}",
        )


def _reads(subject: ParsedBundle) -> Iterator[tuple[Module, str, ast.expr, str, Source]]:
    """Splits that are asked for: module, name, place, run that says so, and the loaded data set."""
    for module in subject.parsable:
        if "load_dataset" not in module.text:
            continue
        for node in (*of_kind(module, ast.Subscript), *of_kind(module, ast.Call)):
            key: ast.expr | None
            match node:
                case ast.Subscript(value=owner, slice=key, ctx=ast.Load()):
                    source = source_of(module, owner) if isinstance(owner, ast.Name | ast.Attribute) else None
                case ast.Call(keywords=[*keywords]):
                    key = next((k.value for k in keywords if k.arg == "split"), None)
                    source = source_of(module, node) if key is not None else None
                case _:
                    continue
            if source is None or key is None or (isinstance(node, ast.Subscript) and source.split):
                continue
            for text, place, run in constants(subject, module, key) if not is_guarded(module, node) else ():
                for part in text.split("+") if isinstance(node, ast.Call) else [text]:
                    wanted = part.partition("[")[0].strip()
                    if wanted and wanted != "all":
                        yield module, wanted, place, run, source
