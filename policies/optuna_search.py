"""What the code does with sampled hyperparameters: which writes reach no reader, and how to redirect them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from policies.hydra.analysis import Launch, launches
from policies.hydra.trace import Sample
from policies.imports import add_import
from policies.parsed import Module, ParsedBundle, parse_module
from policies.replace_node import replace_expression
from policies.tree import walk

TABLE = "SEARCH_PATHS"


def lost_samples(subject: ParsedBundle) -> tuple[Sample, ...]:
    """Writes of sampled values to paths that no config has and no code reads, in file and line order."""
    return subject.memo("optuna.lost", lambda s: tuple(sorted(_lost(s), key=_place)))


def _place(sample: Sample) -> tuple[str, int]:
    return sample.module.path, sample.line


def shared_names(launch: Launch) -> set[str]:
    """Names under which one launch samples several entries of the search space."""
    pairs = {(s.name, s.spec) for s in launch.trace.suggestions if s.name and s.spec}
    names = [name for name, _ in pairs]
    return {name for name in names if name and names.count(name) > 1}


def _lost(subject: ParsedBundle) -> Iterator[Sample]:
    found = launches(subject)
    traces = [launch.trace for launch in found]
    reads = {path for trace in traces for path in trace.reads} | {p for t in traces for p in t.used if p}
    elsewhere = _read_elsewhere(subject, {node for trace in traces for node in trace.seen})
    if any("" in trace.used for trace in traces):
        return
    for launch in found:
        for sample in launch.trace.samples:
            read = any(path == sample.path or path.startswith(f"{sample.path}.") for path in reads)
            known = sample.exists or read or sample.path.rpartition(".")[2] in elsewhere
            if not known and sample.name not in shared_names(launch):
                yield sample


def _read_elsewhere(subject: ParsedBundle, seen: set[ast.expr]) -> set[str]:
    """Keys that code which the data flow does not reach reads from a variable: `c.x`, `c["x"]`."""
    return {key for module in subject.parsable for key in _reads(module, seen)}


def _reads(module: Module, seen: set[ast.expr]) -> Iterator[str]:
    for node in module.nodes:
        if node in seen:
            continue
        match node:
            case ast.Attribute(value=ast.Name(), attr=name, ctx=ast.Load()):
                yield name
            case ast.Subscript(
                value=ast.Name(id=owner), slice=ast.Constant(value=str(name)), ctx=ast.Load()
            ) | ast.Call(
                func=ast.Attribute(value=ast.Name(id=owner), attr="get"),
                args=[ast.Constant(value=str(name)), *_],
            ) if (
                "best" not in owner and "param" not in owner
            ):
                yield name
            case _:
                pass


def meant_paths(subject: ParsedBundle, name: str) -> list[str]:
    """Paths of the configs that end in a parameter's name, search spaces left out."""
    paths = subject.memo("optuna.paths", _config_paths)
    return sorted(path for path in paths if path.rpartition(".")[2] == name)


def _config_paths(subject: ParsedBundle) -> set[str]:
    documents = [*subject.run_documents.values(), *subject.documents.values()]
    found = {path for document in documents for path in _paths(document.data or {})}
    return {path for path in found if "search_space." not in path}


def _paths(data: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in data.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{key}.")


def through_table(module: Module, lines: set[int]) -> str | None:
    """The module's text with the writes on these lines sent through the table; None when one cannot be."""
    for line in sorted(lines, reverse=True):
        edits = [edit for node in module.nodes if (edit := _redirected(module, node, line)) is not None]
        if len(edits) != 1:
            return None
        node, code = edits[0]
        text: str | None = replace_expression(module, node, code)
        module = parse_module(module.path, text or "")
    return add_import(module.text, "from omegaconf import OmegaConf")


def _redirected(module: Module, node: ast.AST, line: int) -> tuple[ast.expr, str] | None:
    """The expression to replace, and the code for it, when `node` writes a computed key on `line`."""
    if getattr(node, "lineno", 0) != line:
        return None
    names = _looped(module, node)
    match node:
        case ast.Call(func=ast.Attribute(attr="update"), args=[_, key, _, *_]):
            name = _plain(key, names)
            return (key, f"{TABLE}.get({name}, {name})") if name else None
        case ast.Expr(value=ast.Call(func=ast.Name(id="setattr"), args=[owner, key, value])):
            return _update(node.value, owner, _plain(key, names), value)
        case ast.Assign(targets=[ast.Subscript(value=owner, slice=key)], value=value):
            place = ast.copy_location(ast.Name(id=""), node)
            return _update(place, owner, _plain(key, names), value)
        case _:
            return None


def _looped(module: Module, node: ast.AST) -> set[str]:
    """Variables of the loops around a node: they hold a parameter's name as it was sampled."""
    found: set[str] = set()
    while (node := module.parents.get(node)) is not None:  # type: ignore[assignment]  # loop variable
        if isinstance(node, ast.For):
            found |= {n.id for n in walk(node.target) if isinstance(n, ast.Name)}
    return found


def _update(place: ast.expr, owner: ast.expr, name: str, value: ast.expr) -> tuple[ast.expr, str] | None:
    if not name or not isinstance(owner, ast.Name):
        return None
    return place, f"OmegaConf.update({owner.id}, {TABLE}.get({name}, {name}), {ast.unparse(value)})"


def _plain(key: ast.expr, names: set[str]) -> str:
    """The loop variable behind `name` or `name.replace("_", ".")`; empty for anything else."""
    match key:
        case ast.Name(id=name) | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="replace")):
            return name if name in names else ""
        case _:
            return ""
