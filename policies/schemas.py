"""Which data set an expression holds, and what splits and columns that data set has.

Source: `policies/data/datasets.json`, made by `tools.tables.datasets` from the hub double's catalogue.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from policies.assigned import values_of
from policies.hub import id_argument
from policies.hydra.analysis import launches
from policies.hydra.names import origin
from policies.kinds import each, has_text, of_kind
from policies.parsed import Module, ParsedBundle
from policies.run_values import run_values
from policies.tables import table

KEEP = frozenset(
    {"filter", "shuffle", "select", "sort", "with_format", "shard", "take", "skip", "flatten_indices"}
)
"""Methods that keep columns and, of a dictionary of splits, the splits."""
CHANGE = frozenset(
    {"map", "rename_column", "rename_columns", "remove_columns", "select_columns", "add_column"}
)
CHANGE |= frozenset({"cast_column", "class_encode_column", "cast"})
"""Methods that keep the splits alone."""
_DEEPEST = 12


@dataclass(frozen=True)
class Schema:
    """What one data set holds in one run."""

    run: str
    """Run id; empty when the code says it for every run."""
    name: str
    """Id and configuration."""
    splits: frozenset[str]
    columns: frozenset[str]


@dataclass(frozen=True)
class Source:
    """Where a data set comes from."""

    module: Module
    call: ast.Call
    as_loaded: bool
    """Whether nothing on the way may have changed its columns."""
    split: bool
    """Whether it is one split, not the dictionary of all."""


def source_of(module: Module, node: ast.expr, line: int = 0, depth: int = 0) -> Source | None:
    """The call of `load_dataset` that an expression goes back to, by names bound before `line`."""
    line = line or node.lineno
    if depth > _DEEPEST:
        return None
    match node:
        case ast.Name() | ast.Attribute(value=ast.Name(id="self")):
            return _of_name(module, node, line, depth)
        case ast.Subscript(value=owner, slice=key) if not isinstance(key, ast.Slice):
            found = source_of(module, owner, line, depth + 1)
            inside = found is not None and not found.split
            return Source(module, found.call, found.as_loaded, True) if found is not None and inside else None
        case ast.Call(func=func) if origin(module, func) == "datasets.load_dataset":
            return Source(module, node, True, any(k.arg == "split" for k in node.keywords))
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in KEEP | CHANGE:
            found = source_of(module, owner, line, depth + 1)
            kept = found is not None and found.as_loaded and name in KEEP
            return Source(module, found.call, kept, found.split) if found is not None else None
    return None


def _of_name(module: Module, node: ast.Name | ast.Attribute, line: int, depth: int) -> Source | None:
    """What a name held before a line, if everything it was bound to goes back to one call."""
    if isinstance(node, ast.Name):
        values = values_of(module, node.id, node)
    else:
        name = ast.unparse(node)
        values = tuple(
            n.value
            for n in of_kind(module, ast.Assign)
            if name in (ast.unparse(target) for target in n.targets)
        )
    if not values or any(value is None for value in values):
        return None
    earlier = [v for v in values if v is not None and (v.end_lineno or v.lineno) < line]
    found = [source_of(module, value, value.lineno, depth + 1) for value in earlier]
    calls = {id(each.call) if each is not None else 0 for each in found}
    if len(calls) != 1 or found[0] is None:
        return None
    loaded = all(each is not None and each.as_loaded for each in found)
    return Source(module, found[0].call, loaded, found[-1].split if found[-1] else False)


def schemas(subject: ParsedBundle, source: Source) -> tuple[Schema, ...]:
    """What a loaded data set holds in the runs that surely load it; empty when that is not known."""
    call = source.call
    if any(k.arg in (None, "data_files", "data_dir") for k in call.keywords):
        return ()
    if _is_conditional(source.module, call) and not _is_followed(subject, call):
        return ()
    argument = id_argument(call)
    names = run_values(subject, source.module, argument) if argument is not None else {}
    given = (
        call.args[1]
        if len(call.args) > 1
        else next((k.value for k in call.keywords if k.arg == "name"), None)
    )
    configs: Mapping[str, object] = {"": None}
    if given is not None:
        configs = run_values(subject, source.module, given, some=True) or {"": ...}
    found = [_schema(run, name, configs.get(run, configs.get("", ...))) for run, name in names.items()]
    return tuple(schema for schema in found if schema is not None)


def _schema(run: str, name: object, config: object) -> Schema | None:
    """The description of one configuration; of the only one when none is named."""
    described = _descriptions().get(name) if isinstance(name, str) else None
    if described is None or config is ...:
        return None
    fitting = [s for s in described if str(config) in s["configs"]] if config else described
    if len(fitting) != 1 or (not config and len(fitting[0]["configs"]) > 1):
        return None
    only = fitting[0]
    return Schema(
        run,
        f"{name}/{config}" if config else str(name),
        frozenset(only["splits"].split()),
        frozenset(only["columns"].split()),
    )


@lru_cache(maxsize=1)
def _descriptions() -> Mapping[str, list[dict[str, str]]]:
    known = table("datasets").items()
    return {each: said["schemas"] for name, said in known for each in (name, *said["names"])}


def _is_conditional(module: Module, node: ast.AST) -> bool:
    child, parent = node, module.parents.get(node)
    while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        if isinstance(parent, ast.If | ast.IfExp | ast.Try | ast.match_case) and child is not _test(parent):
            return True
        child, parent = parent, module.parents.get(parent)
    return False


def _test(node: ast.AST) -> ast.AST | None:
    return getattr(node, "test", None)


def _is_followed(subject: ParsedBundle, call: ast.Call) -> bool:
    """Whether the flow of some run surely reaches the call."""
    return any(load.node is call and load.certain for launch in launches(subject) for load in launch.loads)


def is_guarded(module: Module, node: ast.AST) -> bool:
    """Whether a read may fail or be left out on purpose: under a test, or where errors are caught."""
    child, parent = node, module.parents.get(node)
    while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        tests = isinstance(parent, ast.If | ast.IfExp | ast.match_case | ast.BoolOp | ast.While)
        if tests and child is not _test(parent):
            return True
        if isinstance(parent, ast.Try) and child in parent.body:
            return True
        if isinstance(parent, ast.comprehension) and parent.ifs:
            return True
        child, parent = parent, module.parents.get(parent)
    return False


def makes_splits(subject: ParsedBundle) -> bool:
    """Whether the bundle makes splits of its own."""
    if has_text(subject, "train_test_split", "DatasetDict", "concatenate_datasets"):
        return True
    return any(
        isinstance(node.ctx, ast.Store)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value in ("validation", "test", "val", "dev")
        for _, node in each(subject, ast.Subscript)
    )


def said(found: Schema, subject: ParsedBundle) -> str:
    """Who names the data set."""
    speaker = f"the run config of {found.run}" if found.run else "the code"
    return f"{speaker} names `{found.name}`"


def constants(subject: ParsedBundle, module: Module, node: ast.expr) -> Iterator[tuple[str, ast.expr, str]]:
    """Texts that a key may be, with the place that says them and run; parameters are followed to calls."""
    values = run_values(subject, module, node)
    yield from ((text, node, run) for run, text in values.items() if isinstance(text, str))
    function = module.enclosing_function(node)
    if values or not isinstance(node, ast.Name) or function is None:
        return
    names = [a.arg for a in function.args.args]
    if node.id not in names or values_of(module, node.id, node) != (None,):
        return
    place = names.index(node.id)
    for call in of_kind(module, ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == function.name:
            given = call.args[place : place + 1] + [k.value for k in call.keywords if k.arg == node.id]
            for value in given[:1]:
                inner = run_values(subject, module, value)
                yield from ((text, value, run) for run, text in inner.items() if isinstance(text, str))
