"""Check `entry-starts-nothing`: a command whose module only defines things."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.evaluate_args import evaluate_path
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.tree import walk
from policies.trial_mode import launched

_QUIET = (ast.Import, ast.ImportFrom, ast.Pass)
_DECORATORS = {"hydra.main", "dataclass", "dataclasses.dataclass", "torch.no_grad", "no_grad", "record"}
_MAIN = "def main():\n    print(1)\n"


class EntryStartsNothing(Check):
    """`python -m` runs the statements of a module; when these only define, it does nothing and exits with 0.

    The guard `if __name__ == "__main__":` was forgotten, or was lost where a file was cut off. A caller that
    trusts the exit status takes it for a success.
    """

    ID = "entry-starts-nothing"
    CRITERION = 2
    PATH = "src/main.py"
    GOOD = (
        Good(f"{_MAIN}\n\nif __name__ == '__main__':\n    main()\n"),
        Good(f"{_MAIN}\n\nmain()\n"),
        Good("from src.train import main\n\nmain()\n"),
        Good(f"import src.train\n\n\n{_MAIN}", files={"src/train.py": "print(1)\n"}),
        Good(f"{_MAIN}\n\nresult = main()\n"),
        Good(f"@command\n{_MAIN}"),
        Good(_MAIN, path="src/model.py"),
        Good(
            _MAIN,
            path="src/train.py",
            files={"src/main.py": "import importlib\n\nimportlib.import_module('src.train').main()\n"},
        ),
        Good('"""Nothing at all is an empty file."""\n'),
    )
    BAD = (
        Bad(_MAIN, lines=(1,)),
        Bad(f"import sys\n\nX = 1\n\n\n{_MAIN}", path="src/evaluate.py", lines=(6,)),
        Bad(
            f"@hydra.main(config_name='config')\n{_MAIN}",
            path="src/train.py",
            files={"src/main.py": "import subprocess\n\nsubprocess.run(['python', '-m', 'src.train'])\n"},
            lines=(2,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The modules of the commands that start nothing."""
        paths = (subject.contract.entry_file, launched(subject), evaluate_path(subject.contract))
        for path in dict.fromkeys(paths):
            module = subject.modules.get(path)
            if module is None or module.tree is None or module.empty:
                continue
            function = _likely(module)
            if function is not None and _idle(subject, module):
                yield self.finding(
                    path,
                    function.lineno,
                    f"`python -m {module.name}` does nothing",
                    f"no statement of its top level calls anything; `{function.name}` is only defined",
                )


def _idle(subject: ParsedBundle, module: Module) -> bool:
    """Whether neither the module nor what it imports does anything beyond binding names."""
    assert module.tree is not None, "only parsed modules are asked"
    if not all(_quiet(module, statement) for statement in module.tree.body):
        return False
    others = [
        m for n in module.tree.body if isinstance(n, ast.ImportFrom | ast.Import) for m in _own(subject, n)
    ]
    return all(
        other.tree is not None and not any(isinstance(n, ast.Expr) and _calls(n) for n in other.tree.body)
        for other in others
    )


def _own(subject: ParsedBundle, node: ast.ImportFrom | ast.Import) -> Iterator[Module]:
    """The bundle's modules whose names an import statement holds."""
    words = set(ast.unparse(node).replace(".", " ").replace(",", " ").split())
    yield from (m for m in subject.modules.values() if m.name.rpartition(".")[2] in words)


def _quiet(module: Module, node: ast.stmt) -> bool:
    """Whether a statement only binds names, to nothing that the module's own functions compute."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return all(ast.unparse(d).partition("(")[0] in _DECORATORS for d in node.decorator_list)
    if isinstance(node, ast.Assign | ast.AnnAssign):
        assert module.tree is not None, "only parsed modules are asked"
        defined = {getattr(statement, "name", "") for statement in module.tree.body}
        return not any(isinstance(child, ast.Name) and child.id in defined for child in walk(node))
    return isinstance(node, _QUIET) or (isinstance(node, ast.Expr) and not _calls(node))


def _calls(node: ast.AST) -> bool:
    return any(isinstance(child, ast.Call | ast.Await) for child in walk(node))


def _likely(module: Module) -> ast.FunctionDef | None:
    """The function that the author meant to start: `main`, or else the last one."""
    assert module.tree is not None, "only parsed modules are asked"
    found = [node for node in module.tree.body if isinstance(node, ast.FunctionDef)]
    return next((node for node in found if node.name == "main"), found[-1] if found else None)
