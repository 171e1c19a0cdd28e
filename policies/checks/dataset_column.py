"""Check `dataset-column`: columns that are read exist in the data set."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.reached import is_reached
from policies.records import Finding, Severity
from policies.row_functions import MapCall, map_calls
from policies.run_values import run_values
from policies.schemas import Schema, Source, is_guarded, said, schemas, source_of
from policies.tree import walk

IMPORT = "from datasets import load_dataset\n\n\n"
HEAD = f"{IMPORT}def encode(row, tokenizer):\n    return tokenizer(row['text'])\n\n\n"
LOAD = "def loaders(cfg, tokenizer):\n    data = load_dataset(cfg.dataset.name)\n"
MAP = "    return data.map(lambda row: encode(row, tokenizer))\n"


def _runs(name: str) -> dict[str, str]:
    return {"config/runs/a.yaml": f"run_id: a\ndataset:\n  name: {name}\n  text: sentence\n"}


class DatasetColumn(Check):
    """A mapped function reads its columns by name, and every data set has its own: KeyError on the first row.

    SST-2 has `sentence`, IMDB `text`, CNN/DailyMail `article`. Judged are reads that surely happen, on rows
    as they were loaded. In a module that nothing imports it is advisory.

    Source: the data sets' cards.
    """

    ID = "dataset-column"
    CRITERION = 3
    PATH = "src/main.py"
    GOOD = (
        Good(f"{HEAD}{LOAD}{MAP}", run_configs=_runs("imdb")),
        Good(f"{HEAD}{LOAD}{MAP}", run_configs=_runs("somebody/something")),
        Good(
            f"{HEAD}{LOAD}    data = data.rename_column('sentence', 'text')\n{MAP}", run_configs=_runs("sst2")
        ),
        Good(f"{HEAD.replace('row[', 'row.get(').replace('])', '))')}{LOAD}{MAP}", run_configs=_runs("sst2")),
        Good(
            f"{HEAD.replace('    return', '    if cfg.x:')}{LOAD}{MAP}".replace(
                "cfg.x:", "'text' in row:\n        return"
            ),
            run_configs=_runs("sst2"),
        ),
    )
    BAD = (
        Bad(f"{HEAD}{LOAD}{MAP}", run_configs=_runs("stanfordnlp/sst2"), lines=(5,)),
        Bad(
            f"{IMPORT}def encode(row):\n    return tok(row[cfg.dataset.text])\n\n\n{LOAD}"
            "    rows = data['train'].select(few)\n    print(data['train'].features['sentence'])\n"
            "    return rows.map(encode)\n",
            run_configs=_runs("imdb"),
            lines=(5, 11),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every read of a column that the table of data sets does not have."""
        seen: set[tuple[str, int, str]] = set()
        reads = [read for call in map_calls(subject) for read in _mapped(call)]
        reads += [read for module in subject.parsable for read in _features(module)]
        for module, node, source in sorted(reads, key=lambda each: (each[0].path, each[1].lineno)):
            for schema in schemas(subject, source):
                wanted = _wanted(subject, module, node, schema)
                if wanted is None or wanted in schema.columns or (module.path, node.lineno, wanted) in seen:
                    continue
                seen.add((module.path, node.lineno, wanted))
                found = self.finding(
                    module.path,
                    node.lineno,
                    f"`{schema.name}` has no column `{wanted}`",
                    f"line {node.lineno}: {module.line(node.lineno)} — {said(schema, subject)}, which has "
                    f"{', '.join(sorted(schema.columns))}",
                )
                reached = is_reached(subject, source.module)
                yield found if reached else found.model_copy(update={"severity": Severity.ADVISORY})


def _wanted(subject: ParsedBundle, module: Module, node: ast.Subscript, schema: Schema) -> str | None:
    """The column that a key names in the run of the data set."""
    values = run_values(subject, module, node.slice, some=True)
    value = values.get("", values.get(schema.run) if schema.run else None)
    return value if isinstance(value, str) else None


def _mapped(call: MapCall) -> Iterator[tuple[Module, ast.Subscript, Source]]:
    """Reads of columns in a function that is mapped over rows as they were loaded."""
    source = source_of(call.module, call.receiver)
    if source is None or not source.as_loaded or not call.rows or _chooses(call.node):
        return
    body = call.function.body if isinstance(call.function.body, list) else [call.function.body]
    inside = [node for part in body for node in walk(part)]
    if any(_changes(node, call.rows) for node in inside):
        return
    for node in inside:
        match node:
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Load()) if name == call.rows:
                if not is_guarded(call.owner, node) and _directly_in(call, node):
                    yield call.owner, node, source


def _chooses(node: ast.Call) -> bool:
    """Whether the function does not get the rows as dictionaries of columns."""
    return any(k.arg in ("input_columns", "with_indices", None) for k in node.keywords)


def _changes(node: ast.AST, rows: str) -> bool:
    """Whether the function binds its rows anew, adds to them, or returns early."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            return name == rows
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
            return name == rows
        case ast.arg(arg=name):
            return name == rows
    return False


def _directly_in(call: MapCall, node: ast.AST) -> bool:
    """Whether a read belongs to the function itself, not to one inside, and no early return skips it."""
    parent = call.owner.parents.get(node)
    while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        parent = call.owner.parents.get(parent)
    if parent is not call.function or isinstance(call.function, ast.Lambda):
        return parent is call.function
    returns = [n.lineno for n in walk(call.function) if isinstance(n, ast.Return | ast.Raise)]
    last = call.function.body[-1]
    return not any(line < node.lineno and line < last.lineno for line in returns)  # type: ignore[attr-defined]


def _features(module: Module) -> Iterator[tuple[Module, ast.Subscript, Source]]:
    """Reads such as `data["train"].features["label"]` on data as they were loaded."""
    for node in of_kind(module, ast.Subscript):
        match node:
            case ast.Subscript(value=ast.Attribute(value=owner, attr="features"), ctx=ast.Load()):
                source = source_of(module, owner)
                if source is not None and source.as_loaded and not is_guarded(module, node):
                    yield module, node, source
