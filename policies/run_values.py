"""What expressions such as `cfg.dataset.name` are worth in each run, read from the run configs.

A reading of the spelling, not of the flow: it tells what is meant also where the flow cannot be followed.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from policies.assigned import sole_value
from policies.hub import CONFIG_NAMES
from policies.parsed import Module, ParsedBundle

_MISSING = object()
_DEEPEST = 24
"""Names may be bound to what goes back to themselves; no honest chain is longer."""


def run_values(
    subject: ParsedBundle, module: Module, node: ast.expr, *, some: bool = False
) -> Mapping[str, object]:
    """Run id -> value; `""` stands for every run when the code says it.

    Args:
        some: be content with the runs that have a value; else all must have one.
    """
    node = sole_value(module, node)
    if isinstance(node, ast.Constant):
        return {"": node.value}
    path = config_path(module, node)
    if not path:
        return {}
    values = {run: _value(subject, doc.data, path) for run, doc in subject.run_documents.items()}
    plain = {run: value for run, value in values.items() if value is not _MISSING and not _open(value)}
    return plain if some or len(plain) == len(values) else {}


def config_path(module: Module, node: ast.expr, depth: int = 0) -> tuple[str, ...]:
    """Keys of a read of the config, followed through aliases such as `data = cfg.dataset`; else empty."""
    match node:
        case ast.Name(id=name) if name in CONFIG_NAMES - {"self"}:
            return ("",)
        case ast.Name():
            value = sole_value(module, node)
            stays = value is node or isinstance(value, ast.Name) or depth > _DEEPEST
            return () if stays else config_path(module, value, depth + 1)
        case ast.Attribute(value=ast.Name(id="self"), attr=name) if name in CONFIG_NAMES:
            return ("",)
        case ast.Attribute(value=owner, attr=key):
            return _below(module, owner, key, depth)
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(key))):
            return _below(module, owner, key, depth)
        case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(key)), *_]):
            return _below(module, owner, key, depth)
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(key)), *_]):
            return _below(module, owner, key, depth)
    return ()


def _below(module: Module, owner: ast.expr, key: str, depth: int) -> tuple[str, ...]:
    above = config_path(module, owner, depth + 1)
    return (*above, key) if above else ()


def _value(subject: ParsedBundle, run: object, path: tuple[str, ...]) -> object:
    """The run config's value, else that of the base config, which nothing in the run config overrides."""
    base = subject.documents.get("config/config.yaml")
    for data in (run, base.data if base is not None else None):
        for key in path[1:]:
            data = data.get(key, _MISSING) if isinstance(data, dict) else _MISSING
        if data is not _MISSING:
            return data
    return _MISSING


def _open(value: object) -> bool:
    """Whether a value is filled in elsewhere."""
    return isinstance(value, str) and ("${" in value or value == "???")
