"""Names are bound before they are read."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import replace_lines, rewrite, split_lines
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.scopes import grouped, unbound
from policies.tree import walk
from policies.wording import clip

Function = ast.FunctionDef | ast.AsyncFunctionDef


class UnboundName(ModuleCheck):
    """A name that a function binds anywhere is local in all of it, so reading it further up fails.

    The usual cases are `import torch` inside a function, below its first use, and a variable that its own
    first assignment reads. Loops, which may bind in one round and read in the next, are understood. The
    codemod moves an import to the top of its function.

    Source: Python language reference, 4.2.2, resolution of names.
    """

    ID = "unbound-name"
    CRITERION = 1
    KINDS = (("experiment", 1), ("tests", 2))
    STAGE = 43
    GOOD = (
        Good("""\
def f(rows):
    for i, row in enumerate(rows):
        if i:
            print(last)
        last = row
    return (late for _ in rows), lambda: late


late = 1
"""),
        Good("def f(n):\n    if n:\n        import json\n    return json\n"),
        Good("try:\n    x\nexcept NameError:\n    x = 1\n"),
    )
    BAD = (
        Bad(
            """\
def f(rows):
    '''Convert.'''
    found = [torch.tensor(row) for row in rows]
    if found:
        print(found)
        import torch  # late
    return found, torch.pi
""",
            lines=(3,),
            fixed="""\
def f(rows):
    '''Convert.'''
    import torch  # late
    found = [torch.tensor(row) for row in rows]
    if found:
        print(found)
    return found, torch.pi
""",
        ),
        Bad("def f(rows):\n    for row in [r for r in rows if row]:\n        print(row)\n", lines=(2,)),
        Bad("main()\n\n\ndef main(): ...\n", lines=(1,)),
        Bad("def f():\n    data = load(columns=data.names)\n    return data\n", lines=(2,)),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every name that is read too early, at its first use."""
        for name, uses in grouped(unbound(module)):
            line = uses[0].lineno
            shown = f"its scope binds it only further down than `{clip(module.line(line), 120)}`"
            yield self.finding(module.path, line, f"`{name}` is read before it is bound", shown)

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The function with its late import moved up."""
        module = subject.modules[finding.file]
        for name, uses in grouped(unbound(module)):
            function = module.enclosing_function(uses[0])
            if finding.message.startswith(f"`{name}` ") and function:
                late = _only_import(module, function, name)
                return (
                    rewrite(subject.bundle, module.path, _moved_up(module, function, late)) if late else None
                )
        return None


def _only_import(module: Module, function: Function, name: str) -> ast.stmt | None:
    """The one statement that binds `name` in `function`, if it is an import on a line of its own."""
    binders = [n for n in walk(function) if _binds(n, name) and module.enclosing_function(n) is function]
    if len(binders) != 1 or not isinstance(binders[0], ast.Import | ast.ImportFrom):
        return None
    late = binders[0]
    alone = module.line(late.lineno).partition("#")[0].strip() == ast.unparse(late)
    parent = module.parents[late]
    has_company = any(len(block) > 1 for block in _blocks(parent) if late in block)
    return late if alone and has_company and len(late.names) == 1 else None


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return any((alias.asname or alias.name.partition(".")[0]) == name for alias in node.names)
    return isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)


def _blocks(node: ast.AST) -> list[list[ast.stmt]]:
    """The statement lists of a compound statement."""
    return [value for _, value in ast.iter_fields(node) if isinstance(value, list)]


def _moved_up(module: Module, function: Function, late: ast.stmt) -> str:
    """The text with the line of `late` before the first statement of the body, below the docstring."""
    first = function.body[1] if ast.get_docstring(function) and len(function.body) > 1 else function.body[0]
    line = split_lines(module.text)[late.lineno - 1]
    top = min(node.lineno for node in (first, *getattr(first, "decorator_list", [])))
    without = replace_lines(module.text, late.lineno, late.lineno, "")
    return replace_lines(without, top, top - 1, " " * first.col_offset + line.lstrip())
