"""No comment, docstring or printed line says that something is left out."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

from policies.admissions import admission, hints
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.tree import walk
from policies.wording import clip

_PRINTS = {"print", "warn", "info", "warning", "error", "debug", "critical", "exception", "write", "echo"}
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class PlaceholderComment(ModuleCheck):
    """A comment such as `TODO` or `simplified version` is its author's word that the code is not complete.

    So is a docstring or a printed line that says it. It is reported without blocking: whether the code
    beside it lacks something is for a reader to say. Texts that deny placeholders are not findings, and
    neither is a dummy input that only traces a model.
    """

    ID = "placeholder-comment"
    CRITERION = 1
    SEVERITY = Severity.ADVISORY
    STAGE = 61
    GOOD = (
        Good("# no placeholder code here\nx = 1  # never a simplified version of it\n"),
        Good("'''TODO list: none. No simplified version of anything.'''\nx = '# TODO'\n"),
        Good("tokens = []  # the placeholder token of the template\n# for the rest of the epoch\n"),
        Good("x = dummy  # dummy data to trace the model with\n# simplify the graph before export\n"),
        Good(
            "# fake quantisation as in the paper; the mock is only used in tests\nx = 'simplified version'\n"
        ),
        Good("# Real data only; here we read it.\nprint('the rest of the rows stays unchanged')\n"),
        Good("# used by the rest of the pipeline; forward has to be implemented by subclasses\nx = 1\n"),
        Good("# the original paper uses 0.1, here we use 0.2; classes left out are novel\nx = 1\n"),
        Good("x = (\n"),
    )
    BAD = (
        Bad("x = 1  # TODO: tune\n# omitted for brevity\n", lines=(1, 2)),
        Bad("# In a real implementation this would be learned.\n# dummy data\n", lines=(1, 2)),
        Bad(
            "'''Docs.'''\n# ... rest unchanged ...\nx = 1  # we do not implement pruning here\n", lines=(2, 3)
        ),
        Bad("def f(x):\n    '''Score.\n\n    Simplified version.\n    '''\n    return x * 2\n", lines=(4,)),
        Bad("print('calibration is not yet implemented')\nlog.info(f'{x}: dummy metrics')\n", lines=(1, 2)),
        Bad(
            "x = y.mean()  # simple scalar approximation\n# rounded to fp16 only, for simplicity\n",
            lines=(1, 2),
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every text that admits a gap, in line order."""
        known = hints(module.text)
        found = {*_comments(module), *_docstrings(module), *_printed(module)} if known else set()
        for line, kind, text in sorted(found):
            lowered = text.lower()
            if any(hint in lowered for hint in known):
                phrase = admission(text, comment=kind == "comment")
                if phrase:
                    yield self.finding(
                        module.path,
                        line,
                        f"a {kind} admits something left out or made up or made simpler: `{phrase}`",
                        clip(text.strip(), 160),
                    )


def _comments(module: Module) -> Iterator[tuple[int, str, str]]:
    """The comments of a module, when a line with a `#` has a hint of an admission."""
    if not any("#" in line and hints(line) for line in module.text.splitlines()):
        return
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], "comment", token.string


def _docstrings(module: Module) -> Iterator[tuple[int, str, str]]:
    """Docstrings, line by line; an empty module is another check's."""
    for node in module.nodes:
        if not isinstance(node, Documented) or (isinstance(node, ast.Module) and module.empty):
            continue
        text = ast.get_docstring(node, clean=False)
        for offset, line in enumerate(text.split("\n") if text else ()):
            yield node.body[0].lineno + offset, "docstring", line


def _printed(module: Module) -> Iterator[tuple[int, str, str]]:
    """Literal parts of what is printed or logged."""
    for node in of_kind(module, ast.Call):
        if _prints(node.func):
            for part in (child for argument in node.args for child in walk(argument)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.lineno, "printed line", part.value


def _prints(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in _PRINTS
