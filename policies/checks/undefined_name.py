"""Every name that is read has been bound somewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.first_party import definer, import_path
from policies.imports import add_import
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.scopes import grouped, undefined
from policies.tables import table
from policies.wording import clip


class UndefinedName(ModuleCheck):
    """A name that nothing binds raises `NameError` when its line is reached, often hours into a run.

    Judged as Python resolves names: scopes of functions, classes and comprehensions, `global`, `:=`, `match`,
    annotations only where they are evaluated. Star imports and `globals()` silence the check. The codemod
    adds the import when the name has one well-known meaning (`np`, `DictConfig`, `Path`) or is a function or
    class of exactly one other module of the bundle.
    """

    ID = "undefined-name"
    CRITERION = 1
    KINDS = (("experiment", 1), ("tests", 2))
    STAGE = 42
    GOOD = (
        Good("from __future__ import annotations\n\n\ndef f(x: Missing) -> Other:\n    y: Third = x\n"),
        Good("def f(x: 'Missing') -> None:\n    y: Local\n"),
        Good("from torch import *\n\nprint(nn)\n"),
        Good("globals()['nn'] = 1\nprint(nn)\n"),
        Good("""\
class A:
    n = 2
    rows = [i for i in range(n)]

    def f(self):
        return __class__, __file__
"""),
        Good("def f():\n    return late\n\n\nlate = [y := 1 for _ in range(3)]\nprint(y)\n"),
        Good("def f():\n    global made\n    made = 1\n\n\ndef g():\n    return made\n"),
        Good("try:\n    display\nexcept NameError:\n    display = print\n"),
        Good("""\
match [1]:
    case [a, *rest]:
        print(a, rest)
    case {"k": v, **more}:
        print(v, more)
"""),
        Good("""\
def f(rows):
    for i, row in enumerate(rows):
        if i:
            print(last)
        last = row
    return (late for _ in rows), lambda: late


late = 1
"""),
        Good("def f():\n    import math\n    return [math.pi for _ in ''], lambda q, *a, **k: (q, a, k)\n"),
    )
    BAD = (
        Bad(
            """\
\"\"\"Train.\"\"\"
import os

import torch


def f(cfg: DictConfig):
    return np.mean([np.pi]), Path(os.curdir), tqdm.tqdm(cfg), datetime.timedelta(1)
""",
            lines=(7, 8, 8, 8, 8),
            fixed="""\
\"\"\"Train.\"\"\"
import os
from pathlib import Path
import datetime

import torch
from omegaconf import DictConfig
import numpy as np
import tqdm


def f(cfg: DictConfig):
    return np.mean([np.pi]), Path(os.curdir), tqdm.tqdm(cfg), datetime.timedelta(1)
""",
        ),
        Bad("class A:\n    n = 2\n\n    def f(self):\n        return n\n", lines=(5,)),
        Bad("rows = [x for x in range(3)]\nprint(x)\n", lines=(2,)),
        Bad("def f():\n    inner = 1\n\n\nprint(inner, undefined_thing)\n", lines=(5, 5)),
        Bad(
            "from .model import other\n\nmodel = build()\n",
            files={"src/model.py": "def build():\n    return 1\n\n\nother = 2\n"},
            lines=(3,),
            fixed="from .model import build, other\n\nmodel = build()\n",
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every undefined name, at its first use."""
        for name, uses in grouped(undefined(module)):
            line = uses[0].lineno
            lines = ", ".join(str(number) for number in sorted({use.lineno for use in uses})[:8])
            shown = f"read on line {lines}, bound nowhere in its scopes: `{clip(module.line(line), 100)}`"
            yield self.finding(module.path, line, f"`{name}` is not defined", shown)

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The module with the missing import."""
        module = subject.modules[finding.file]
        for name, uses in grouped(undefined(module)):
            if finding.message == f"`{name}` is not defined":
                statement = _meaning(module, name, uses) or _own(subject, module, name)
                return (
                    rewrite(subject.bundle, module.path, add_import(module.text, statement))
                    if statement
                    else None
                )
        return None


def _meaning(module: Module, name: str, uses: list[ast.Name]) -> str | None:
    """The import that gives a well-known name its meaning, as far as its uses agree."""
    parents = [module.parents.get(use) for use in uses]
    attributes = {parent.attr for parent in parents if isinstance(parent, ast.Attribute)}
    if name in attributes or (name == "datetime" and attributes & {"timedelta", "date", "timezone"}):
        return f"import {name}"
    statement: str | None = table("meanings").get(name)
    called = any(isinstance(parent, ast.Call) and parent.func in uses for parent in parents)
    if statement == f"import {name}" and called:
        return f"from {name} import {name}" if name in {"copy", "glob", "time"} else None
    return statement


def _own(subject: ParsedBundle, module: Module, name: str) -> str | None:
    """The import of a function or class of another module of the bundle."""
    source = definer(subject, name, besides=module)
    if source is None or source.tree is None:
        return None
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if not any(isinstance(node, kinds) and node.name == name for node in source.tree.body):
        return None
    return f"from {import_path(subject, module, source)} import {name}"
