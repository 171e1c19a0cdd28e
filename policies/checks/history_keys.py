"""Check `history-keys`: metrics that are read together are logged together."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import Module, ParsedBundle
from policies.records import Finding

LOG = {"src/train.py": 'wandb.log({"train_loss": a, "val_loss": b})\n'}
OWN = frozenset({"_step", "_runtime", "_timestamp"})
"""What W&B logs by itself."""


class HistoryKeys(Check):
    """`run.history(keys=[...])` returns the rows that hold all of these keys; one never logged leaves none.

    The evaluation then works on an empty table. Silent where what is logged cannot be read from the code.

    Source: W&B, `wandb.apis.public.Run.history` ("only return rows that have all keys defined").
    """

    ID = "history-keys"
    CRITERION = 8
    PATH = "src/evaluate.py"
    GOOD = (
        Good('h = run.history(keys=["train_loss", "_step"])\n', files=LOG),
        Good('h = run.history(keys=["f1"])\n', files={"src/train.py": "wandb.log(metrics)\n"}),
        Good('h = run.history(keys=["f1"])\n'),
        Good('try:\n    h = run.history(keys=["f1"])\nexcept Exception:\n    h = None\n', files=LOG),
        Good(
            'h = run.history(keys=["f1"])\n',
            files={"src/train.py": 'def f():\n    m: dict = {"f1": 1}\n    wandb.log(m)\n'},
        ),
        Good(
            'h = run.history(keys=["f1"])\n',
            files={"src/train.py": 'def f():\n    m = {"loss": 1}\n    m["f1"] = 2\n    wandb.log(m)\n'},
        ),
    )
    BAD = (
        Bad('h = run.history(keys=["train_loss", "rouge"])\n', files=LOG, lines=(1,)),
        Bad('KEY = "f1"\nh = run.history(samples=9, keys=["val_loss", KEY])\n', files=LOG, lines=(2,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every such call that asks for a key which no log call writes."""
        logged = _logged(subject)
        if not logged:
            return
        for module, node in subject.walk():
            for asked in _asked(module, node) if not _caught(module, node) else ():
                lost = [key for key in asked if key not in logged | OWN]
                if lost:
                    yield self.finding(
                        module.path,
                        node.lineno,  # type: ignore[attr-defined]  # only calls ask
                        f"`history` finds no row: {', '.join(f'`{key}`' for key in lost)} is never logged",
                        f"asked for together: {', '.join(asked)} — logged: {', '.join(sorted(logged)[:12])}",
                    )


def _caught(module: Module, node: ast.AST) -> bool:
    """Whether a handler around would make up for an empty table."""
    while node in module.parents:
        node = module.parents[node]
        if isinstance(node, ast.Try) and node.handlers:
            return True
    return False


def _asked(module: Module, node: ast.AST) -> Iterator[list[str]]:
    if (
        not isinstance(node, ast.Call)
        or not isinstance(node.func, ast.Attribute)
        or node.func.attr != "history"
    ):
        return
    for keyword in node.keywords:
        if keyword.arg == "keys" and isinstance(keyword.value, ast.List):
            keys = [_text(module, item) for item in keyword.value.elts]
            yield [key for key in keys if key is not None]


def _text(module: Module, node: ast.expr) -> str | None:
    """A literal text, or a name that the module binds to one."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    body = module.tree.body if module.tree and isinstance(node, ast.Name) else []
    named = (
        n.value
        for n in body
        if isinstance(n, ast.Assign) and ast.unparse(node) in map(ast.unparse, n.targets)
    )
    return next((v.value for v in named if isinstance(v, ast.Constant) and isinstance(v.value, str)), None)


def _logged(subject: ParsedBundle) -> frozenset[str]:
    """Every key that a log call writes; empty when one of the calls cannot be read."""
    keys: set[str] = set()
    for module, node in subject.walk():
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "log"
        ):
            continue
        if ast.unparse(node.func.value) != "wandb" and "run" not in ast.unparse(node.func.value):
            continue
        written = _keys(module, node)
        if written is None:
            return frozenset()
        keys |= written
    return frozenset(keys)


def _keys(module: Module, call: ast.Call) -> set[str] | None:
    given = call.args[0] if call.args else None
    if isinstance(given, ast.Name):
        return _keys_of_name(module, call, given.id)
    return _literal_keys(given)


def _literal_keys(node: ast.expr | None) -> set[str] | None:
    if not isinstance(node, ast.Dict):
        return None
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return set(keys) if len(keys) == len(node.keys) else None


def _keys_of_name(module: Module, call: ast.Call, name: str) -> set[str] | None:
    """The keys of a local dictionary that is made in one place and only written to by literal keys."""
    function = module.enclosing_function(call)
    keys: set[str] = set()
    bindings = [n for n in ast.walk(function) if _binds(n, name)] if function else []
    made = [_literal_keys(getattr(node, "value", None)) for node in bindings]
    if len(made) != 1 or made[0] is None:
        return None
    keys |= made[0]
    for node in ast.walk(function) if function else ():
        match node:
            case ast.Subscript(value=ast.Name(id=bound), ctx=ast.Store(), slice=index) if bound == name:
                if not isinstance(index, ast.Constant) or not isinstance(index.value, str):
                    return None
                keys.add(index.value)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=bound), attr="update")) if bound == name:
                return None
    return keys


def _binds(node: ast.AST, name: str) -> bool:
    """Whether a statement or expression gives `name` its value."""
    match node:
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.NamedExpr() | ast.For():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return any(isinstance(n, ast.Name) and n.id == name for t in targets for n in _stores(t))
        case ast.arg(arg=bound):
            return bound == name
    return False


def _stores(target: ast.expr) -> Iterator[ast.AST]:
    """What a target binds: names, not the owners of items and attributes."""
    if isinstance(target, ast.Tuple | ast.List):
        for inner in target.elts:
            yield from _stores(inner)
    else:
        yield target
