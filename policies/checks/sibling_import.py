"""Modules in `src/` import each other through the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.build_backend import installs_modules
from policies.edit import rewrite, split_lines
from policies.first_party import import_path, runs_elsewhere
from policies.imported import is_optional, is_sibling
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Severity
from policies.retarget import retarget

MODEL = {"src/model.py": "def build():\n    return 1\n"}
SETUPTOOLS = '[build-system]\nrequires = ["setuptools"]\n'


class SiblingImport(ModuleCheck):
    """`from model import build` asks for a module beside the working directory's `src/`, not inside it.

    `python -m src.main` puts the working directory on the import path. `src.model` or `.model` is found from
    there, `model` is not. It works where a build backend installs the modules one by one, so then the
    finding does not block. Code that extends `sys.path`, or starts `src/train.py` by its file name, is left
    alone.
    """

    ID = "sibling-import"
    CRITERION = 1
    STAGE = 41
    GOOD = (
        Good("from src.model import build\nfrom .model import build\n", files=MODEL),
        Good("import sys\nsys.path.append('src')\nfrom model import build\n", files=MODEL),
        Good("import evaluate\nmetric = evaluate.load('f1')\n", files={"src/evaluate.py": "X = 1\n"}),
        Good("try:\n    from model import build\nexcept ImportError:\n    build = None\n", files=MODEL),
        Good(
            "from model import build\n",
            files={**MODEL, "src/main.py": 'subprocess.run(["python", "src/train.py"])\n'},
        ),
        Good("from models import build\n", files=MODEL),
    )
    BAD = (
        Bad(
            "from model import build  # ours\n",
            files=MODEL,
            lines=(1,),
            fixed="from src.model import build  # ours\n",
        ),
        Bad(
            "from .data import x\n\nif x:\n    import model\n    import model as m\n",
            files={**MODEL, "src/data.py": "x = 1\n"},
            lines=(4, 5),
            fixed="from .data import x\n\nif x:\n    from . import model\n    from . import model as m\n",
        ),
        Bad("import os, model\n", files=MODEL, lines=(1,)),
        Bad(
            "from model import build\n",
            files={**MODEL, "pyproject.toml": SETUPTOOLS},
            lines=(1,),
            fixed="from src.model import build\n",
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every import of a neighbour by its bare name, in line order."""
        if runs_elsewhere(subject) or not module.path.startswith("src/"):
            return
        document = subject.pyproject
        installed = bool(document and document.data and installs_modules(document.data))
        for node, name in _bare(subject, module):
            message = f"`{name}` is not importable where `python -m {module.name}` is started"
            why = f"the module is `src/{name}.py`; line {node.lineno} reads `{module.line(node.lineno)}`"
            finding = self.finding(module.path, node.lineno, message, why)
            yield finding.model_copy(update={"severity": Severity.ADVISORY}) if installed else finding

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The same import through the package, in the style of the module."""
        module = subject.modules[finding.file]
        for node, name in _bare(subject, module):
            if node.lineno != finding.line:
                continue
            path = import_path(subject, module, subject.modules[f"src/{name}.py"])
            if isinstance(node, ast.ImportFrom):
                text = retarget(module, node, dict.fromkeys((alias.name for alias in node.names), path))
            else:
                text = _from_package(module, node, path)
            return rewrite(subject.bundle, module.path, text)
        return None


def _bare(subject: ParsedBundle, module: Module) -> list[tuple[ast.Import | ast.ImportFrom, str]]:
    """Imports of `src/<name>.py` as `<name>`."""
    found: list[tuple[ast.Import | ast.ImportFrom, str]] = []
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        own = [name for name in names if is_sibling(subject, node, name)]
        if own and not is_optional(module, node):
            found.append((node, own[0]))
    return sorted(found, key=lambda item: item[0].lineno)


def _from_package(module: Module, node: ast.Import, path: str) -> str | None:
    """`import model as m` as `from src import model as m`; None when the line imports more."""
    if len(node.names) != 1:
        return None
    lines = split_lines(module.text)
    line = lines[node.lineno - 1]
    package, _, name = path.rpartition(".")
    alias = f" as {node.names[0].asname}" if node.names[0].asname else ""
    code = f"from {package or '.'} import {name}{alias}"
    lines[node.lineno - 1] = line[: node.col_offset] + code + line[node.end_col_offset :]
    return "".join(lines)
