"""Which keys the evaluation script reads from the history and the summary of W&B runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from policies.call_sites import called_name, calls_by_name
from policies.eval_script import evaluation, in_try
from policies.gates import gates
from policies.literal_keys import Reader
from policies.parsed import Module, ParsedBundle
from policies.run_data import Kind, RunData, run_data
from policies.tree import walk

AXES = ("x", "y", "hue", "by", "subset", "column", "columns", "weights", "style", "size")
READERS = frozenset(("groupby", "dropna", "sort_values", "set_index", "plot", "nlargest", "nsmallest"))
COLUMNS = frozenset(("columns", "keys", "index"))


@dataclass(frozen=True)
class KeyRead:
    """One place where a key is asked for."""

    key: str
    kind: Kind
    line: int
    hard: bool
    """Whether a missing key certainly stops the script."""
    group: int
    """Reads with the same number are alternatives: one of them is enough."""
    node: ast.expr
    """The expression that says the key."""


@dataclass(frozen=True)
class _Spot:
    """An expression that names a key, and the expression that fails or falls back without it."""

    kind: Kind
    key: ast.expr
    whole: ast.expr
    soft: bool


def key_reads(subject: ParsedBundle) -> tuple[KeyRead, ...]:
    """Every key that the evaluation script reads, in file order; worked out once."""
    return subject.memo("wandb_key_reads", lambda s: tuple(_reads(s)))


def _reads(subject: ParsedBundle) -> Iterator[KeyRead]:
    module = evaluation(subject)
    if module is None:
        return
    data, reader = run_data(subject, module), Reader(subject)
    made = frozenset(_made(module, reader))
    spots = sorted(_spots(module, data), key=lambda s: (s.key.lineno, s.key.col_offset))
    texts = [(spot, reader.texts(module, spot.key)) for spot in spots]
    open_groups = {id(_alternatives(module, spot.whole)) for spot, keys in texts if "*" in keys}
    for spot, keys in texts:
        if "*" in keys:
            continue
        sole = isinstance(spot.key, ast.Constant)
        hard = (
            len(keys) == 1
            and not spot.soft
            and not in_try(module, spot.whole)
            and not _gated(subject, module, spot.whole)
        )
        group = id(_alternatives(module, spot.whole) if sole else spot.whole)
        if not hard and id(_alternatives(module, spot.whole)) in open_groups:
            continue  # falls back on a key that cannot be told, or stands in for one
        for key in sorted(keys - made):
            yield KeyRead(key, spot.kind, spot.key.lineno, hard, group, spot.key)


def _spots(module: Module, data: RunData) -> Iterator[_Spot]:
    for node in module.nodes:
        match node:
            case ast.Subscript(value=owner, slice=index, ctx=ast.Load()) if kind := data.column_kind(owner):
                for item in index.elts if isinstance(index, ast.List) else [index]:
                    if not isinstance(item, ast.Slice | ast.Compare | ast.BoolOp | ast.UnaryOp | ast.BinOp):
                        yield _Spot(kind, item, node, soft=False)
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[owner]):
                if kind := data.column_kind(_bare(owner)):
                    yield _Spot(kind, key, node, soft=True)
            case ast.Call():
                yield from _called(node, data)


def _bare(node: ast.expr) -> ast.expr:
    """`h` of `h.columns` and `h.keys()`."""
    node = node.func if isinstance(node, ast.Call) and not node.args else node
    return node.value if isinstance(node, ast.Attribute) and node.attr in COLUMNS else node


def _called(call: ast.Call, data: RunData) -> Iterator[_Spot]:
    """Keys that a method of the data takes, or a plotting function that is given the data."""
    if isinstance(call.func, ast.Attribute) and (kind := data.column_kind(call.func.value)):
        if call.func.attr in ("get", "pop") and call.args:
            yield _Spot(kind, call.args[0], call, soft=True)
        elif kind == "history" and call.func.attr in READERS:
            first = call.args[:1] if call.func.attr not in ("dropna", "plot") else []
            for value in [*first, *(k.value for k in call.keywords if k.arg in AXES)]:
                yield from _columns(value, call)
        return
    given = [k.value for k in call.keywords if k.arg == "data"] + call.args[:1]
    if any(data.column_kind(value) == "history" for value in given):
        for keyword in call.keywords:
            if keyword.arg in ("x", "y", "hue"):
                yield from _columns(keyword.value, call)


def _columns(value: ast.expr, call: ast.Call) -> Iterator[_Spot]:
    for item in value.elts if isinstance(value, ast.List) else [value]:
        if isinstance(item, ast.Constant | ast.Name | ast.JoinedStr) and not _is_none(item):
            yield _Spot("history", item, call, soft=False)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, str)


def _made(module: Module, reader: Reader) -> Iterator[str]:
    """Columns and keys that the script itself writes into something."""
    for node in module.nodes:
        match node:
            case ast.Subscript(slice=index, ctx=ast.Store()):
                yield from reader.texts(module, index)
            case ast.Call(
                func=ast.Attribute(attr="assign" | "rename" | "melt" | "reset_index" | "add_prefix")
            ):
                for inner in walk(node):
                    if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                        yield inner.value
                yield from (k.arg for k in node.keywords if k.arg)
                yield from ("index", "level_0", "variable", "value")


def _gated(subject: ParsedBundle, module: Module, node: ast.AST) -> bool:
    """Whether any test but that for being the script stands before a read, here or in the callers."""
    tests = (ast.unparse(test) for test in gates(subject, module, node))
    if any("__name__" not in test for test in tests) or _filtered(module, node):
        return True
    function = module.enclosing_function(node)
    callers = calls_by_name(subject).get(function.name, ()) if function is not None else ()
    return any(in_try(other, call) for other, call in callers)


def _filtered(module: Module, node: ast.AST) -> bool:
    """Whether a comprehension around the read has a condition."""
    while (parent := module.parents.get(node)) is not None and not isinstance(parent, ast.stmt):
        if any(generator.ifs for generator in getattr(parent, "generators", [])):
            return True
        node = parent
    return False


def _alternatives(module: Module, node: ast.AST) -> ast.AST:
    """The outermost expression or `if` chain within which a read is one of several choices."""
    while (parent := module.parents.get(node)) is not None:
        falls_back = isinstance(parent, ast.Call) and called_name(parent) in ("get", "next", "float", "int")
        chained = isinstance(parent, ast.If) and (node is parent.test or _is_elif(parent, node))
        if not (falls_back or chained or isinstance(parent, ast.BoolOp | ast.IfExp | ast.UnaryOp)):
            break
        node = parent
    return node


def _is_elif(parent: ast.If, node: ast.AST) -> bool:
    return node in parent.orelse
