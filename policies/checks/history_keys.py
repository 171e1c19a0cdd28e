"""Check `history-keys`: metrics that are read together are logged together."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.wandb_logged import OWN, logged
from policies.wording import listed

LOG = {"src/train.py": 'wandb.log({"train_loss": a, "val_loss": b})\n'}


class HistoryKeys(Check):
    """`run.history(keys=[...])` returns the rows that hold all of these keys; one never logged leaves none.

    The evaluation then works on an empty table. Silent where what is logged cannot be read from the code.

    Source: W&B, `wandb.apis.public.Run.history` ("only return rows that have all keys defined").
    """

    ID = "history-keys"
    CRITERION = 8
    RESTS_ON = ("code",)
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
        known = logged(subject)
        if known.unknown or not known.calls:
            return
        names = listed(sorted(known.history - OWN), 12)
        for module, node in subject.walk():
            for asked in _asked(module, node):
                lost = [key for key in asked if not known.has(key, summary=False)]
                if lost and not _caught(module, node):
                    yield self.finding(
                        module.path,
                        node.lineno,  # type: ignore[attr-defined]  # only calls ask
                        f"`history` finds no row: {', '.join(f'`{key}`' for key in lost)} is never logged",
                        f"asked for together: {', '.join(asked)} — logged: {names}",
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
