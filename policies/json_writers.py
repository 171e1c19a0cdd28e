"""Where a module writes values as JSON: directly, or through a function of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.hydra.names import dotted_name
from policies.kinds import of_kind
from policies.literal_keys import bindings_of, scope_of
from policies.parsed import Module

DUMPS = ("json.dump", "json.dumps")


def dump_calls(module: Module) -> Iterator[ast.Call]:
    """Calls of `json.dump` and `json.dumps`."""
    for node in of_kind(module, ast.Call):
        if node.args and dotted_name(node.func) in DUMPS:
            yield node


def has_keyword(call: ast.Call, *names: str | None) -> bool:
    """Whether a call gives one of these keywords; None stands for `**`."""
    return any(keyword.arg in names for keyword in call.keywords)


def writers(module: Module, *helped_by: str | None) -> frozenset[str]:
    """Functions of the module that write one of their parameters with a call that lacks these keywords."""
    found: set[str] = set()
    for call in dump_calls(module):
        function = module.enclosing_function(call)
        names = [arg.arg for arg in function.args.args] if function is not None else []
        given = call.args[0]
        plain = isinstance(given, ast.Name) and given.id in names and not has_keyword(call, *helped_by)
        if function is not None and plain:
            found.add(function.name)
    return frozenset(found)


def written_by(module: Module, value: ast.expr, *helped_by: str | None) -> ast.Call | None:
    """The call that writes a value: given to it, inside dictionaries given to it, or through one name."""
    own = writers(module, *helped_by)
    for holder in (value, *_names_of(module, value)):
        node: ast.AST = holder
        while isinstance(parent := module.parents.get(node), ast.Dict | ast.keyword):
            node = parent
        if isinstance(parent, ast.Call) and (node in parent.args or node in parent.keywords):
            direct = ast.unparse(parent.func) in DUMPS and not has_keyword(parent, *helped_by)
            if direct or (isinstance(parent.func, ast.Name) and parent.func.id in own):
                return parent
    return None


def _names_of(module: Module, value: ast.expr) -> Iterator[ast.Name]:
    """Later reads of the name that an assignment gives the value, or the dictionary around it."""
    node: ast.AST = value
    while isinstance(parent := module.parents.get(node), ast.Dict):
        node = parent
    targets = parent.targets if isinstance(parent, ast.Assign) else []
    if isinstance(parent, ast.AnnAssign):
        targets = [parent.target]
    for target in targets:
        if not isinstance(target, ast.Name):
            continue
        scope = scope_of(module, target, target.id)
        if scope is None or len(bindings_of(module, scope, target.id)) != 1:
            continue
        for read in module.nodes:
            loads = isinstance(read, ast.Name) and read.id == target.id and isinstance(read.ctx, ast.Load)
            if isinstance(read, ast.Name) and loads and scope_of(module, read, read.id) is scope:
                yield read
