"""Imports among the bundle's own modules find what they ask for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.bindings import bindings
from policies.edit import rewrite
from policies.first_party import Target, definer, import_path, provides, resolve
from policies.imported import is_optional
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.retarget import retarget

MODEL = {"src/model.py": "import os\n\n\ndef build(): ...\n\n\nif __name__ == '__main__':\n    late = 1\n"}
UTILS = {"src/model.py": "def build():\n    return 1\n", "src/preprocess.py": "def load():\n    return 1\n"}


class UnresolvedImport(ModuleCheck):
    """An import of a module that is not in the bundle, or of a name that its module does not have.

    It stops the run at its first second. Submodules, re-exports, star imports, conditional definitions and
    `__getattr__` are considered; imports whose failure is caught are not. When the name is defined in exactly
    one other module, the codemod imports it from there, unless that would close a cycle.
    """

    ID = "unresolved-import"
    CRITERION = 1
    KINDS = (("experiment", 1), ("tests", 2))
    STAGE = 40
    GOOD = (
        Good("from .model import build, os\nfrom src import model\nfrom . import model as m\n", files=MODEL),
        Good("from src.model import anything\n", files={"src/model.py": "from torch import *\n"}),
        Good("from src.model import anything\n", files={"src/model.py": "def __getattr__(name): ...\n"}),
        Good(
            "from src.model import build\n",
            files={"src/model.py": "from .deep import *\n", "src/deep.py": "build = 1\n"},
        ),
        Good(
            "from src.model import a\n",
            files={"src/model.py": "try:\n    import a\nexcept ImportError:\n    a = None\n"},
        ),
        Good("from src.model import a\n", files={"src/model.py": "def f():\n    global a\n    a = 1\n"}),
        Good("try:\n    from .utils import f\nexcept ImportError:\n    f = None\n", files=MODEL),
        Good("from src.model import build\n", files={"src/model.py": "def build(\n"}),
        Good("from torch.model import build\n", files=MODEL),
    )
    BAD = (
        Bad("from .utils import thing\nfrom .model import late\n", files=MODEL, lines=(1, 2)),
        Bad(
            "from .utils import build as b  # ours\n",
            files=MODEL,
            lines=(1,),
            fixed="from .model import build as b  # ours\n",
        ),
        Bad(
            "def f():\n    from src.utils import (\n        build,\n        load,\n    )\n",
            files=UTILS,
            lines=(2,),
            fixed="def f():\n    from src.model import build\n    from src.preprocess import load\n",
        ),
        Bad(
            "from src.model import (\n    build,  # model\n    load,\n)\n",
            files=UTILS,
            lines=(1,),
            fixed="from src.model import (\n    build,  # model\n    )\nfrom src.preprocess import load\n",
        ),
        Bad("from ..model import build\n", files=MODEL, lines=(1,), fixed="from .model import build\n"),
        Bad("import src.utils\n", files=MODEL, lines=(1,)),
        Bad(
            "from .utils import build\n",
            files={"src/model.py": "from .train import x\n\n\ndef build():\n    return x\n"},
            lines=(1,),
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every import statement that fails, in line order."""
        for node in _imports(module):
            if isinstance(node, ast.Import):
                yield from self._plain(subject, module, node)
                continue
            target = resolve(subject, module, node)
            missing = _missing(subject, node, target) if target else []
            if target and missing:
                message, why = _describe(subject, node, target, missing)
                yield self.finding(module.path, node.lineno, message, why)

    def _plain(self, subject: ParsedBundle, module: Module, node: ast.Import) -> Iterator[Finding]:
        for alias in node.names:
            target = resolve(subject, module, ast.ImportFrom(alias.name, [], 0))
            if target and not target.exists:
                present = ", ".join(subject.modules)
                yield self.finding(
                    module.path,
                    node.lineno,
                    f"there is no module `{alias.name}`",
                    f"the bundle has {present}",
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The import from the modules that define the names."""
        module = subject.modules[finding.file]
        for node in _imports(module):
            if not isinstance(node, ast.ImportFrom) or node.lineno != finding.line:
                continue
            target = resolve(subject, module, node)
            missing = _missing(subject, node, target) if target else []
            if not missing:
                continue
            sources = {name: definer(subject, name, besides=module) for name in missing}
            moved = {name: import_path(subject, module, m) for name, m in sources.items() if m}
            if len(moved) == len(missing):
                return rewrite(subject.bundle, module.path, retarget(module, node, moved))
        return None


def _imports(module: Module) -> list[ast.Import | ast.ImportFrom]:
    found = [n for n in of_kind(module, ast.Import, ast.ImportFrom) if not is_optional(module, n)]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _missing(subject: ParsedBundle, node: ast.ImportFrom, target: Target) -> list[str]:
    """The names that the import does not find."""
    names = [alias.name for alias in node.names]
    if not target.exists:
        return names
    return [name for name in names if name != "*" and provides(subject, target, name) is False]


def _describe(
    subject: ParsedBundle, node: ast.ImportFrom, target: Target, missing: list[str]
) -> tuple[str, str]:
    """Message and evidence."""
    shown = "." * node.level + (node.module or "")
    listed = ", ".join(f"`{name}`" for name in missing)
    if not target.dotted:
        return (
            f"`from {shown}` leaves the top package",
            f"{node.level} dots in a module that lies one folder deep",
        )
    if not target.exists:
        return (
            f"there is no module `{shown}` to import {listed} from",
            f"the bundle has {', '.join(subject.modules)}",
        )
    if target.module is None:
        return f"`{shown}` has no {listed}", f"`{target.dotted}` is a folder without such a module"
    names = sorted(bindings(target.module).defined)
    return (
        f"`{target.module.path}` does not define {listed}",
        f"it defines {', '.join(names[:25]) or 'nothing'}",
    )
