"""Every file of the contract holds something."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import ParsedBundle
from policies.records import Finding
from policies.wording import clip


class EmptyFile(Check):
    """A module without a statement imports without complaint and does nothing.

    A `main.py` that is only a docstring even exits with status 0, so a command that succeeds proves nothing.
    `pyproject.toml` is judged by its own check.
    """

    ID = "empty-file"
    CRITERION = 1
    STAGE = 12
    GOOD = (
        Good('"""Docs."""\nX = 1\n'),
        Good("x = (\n"),
        Good("", path="src/__init__.py"),
        Good("", path="pyproject.toml"),
        Good("a: 1\n", path="config/config.yaml"),
    )
    BAD = (
        Bad("", lines=(0,)),
        Bad('"""Train the model.\n\nNothing more.\n"""\n# to be done\n', lines=(0,)),
        Bad("# settings\n", path="config/config.yaml", lines=(0,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every file that says nothing."""
        for path in subject.contract.files:
            if path in subject.bundle.files and _empty(subject, path):
                size = len(subject.bundle.files[path].encode("utf-8", "replace"))
                kind = "no statement" if path.endswith(".py") else "no key"
                yield self.finding(
                    path, 0, f"`{path}` is empty", f"{size} bytes, {kind}{_said(subject, path)}"
                )


def _said(subject: ParsedBundle, path: str) -> str:
    """What the docstring of an empty module says in place of code."""
    module = subject.modules.get(path)
    text = ast.get_docstring(module.tree) if module is not None and module.tree is not None else None
    return f'; its docstring says "{clip(" ".join(text.split()), 100)}"' if text else ""


def _empty(subject: ParsedBundle, path: str) -> bool:
    if path in subject.modules:
        return subject.modules[path].empty
    document = subject.documents.get(path)
    return document is not None and document.data == {}
