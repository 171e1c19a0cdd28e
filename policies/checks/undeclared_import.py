"""Every imported package is declared in `pyproject.toml`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.imported import Imported, known, module_distributions, third_party
from policies.parsed import ParsedBundle
from policies.pyproject_edit import append_requirement
from policies.records import Bundle, Finding, Severity
from policies.requirements import can_append, comes_with, declared, with_floor

PATH = "pyproject.toml"
PROJECT = '[project]\nname = "x"\nversion = "1"\n'


class UndeclaredImport(Check):
    """Only what `pyproject.toml` declares is installed where the experiment runs.

    An undeclared package is missing there although it is present on the author's machine. What another
    requirement cannot do without (`omegaconf` for `hydra-core`, `numpy` for `pandas`) comes along and is
    reported without blocking: the next release may drop it. Imports whose failure is caught do not count.
    """

    ID = "undeclared-import"
    CRITERION = 2
    KINDS = (("experiment", 2), ("tests", 1))
    STAGE = 25
    GOOD = (
        Good(
            "import torch, sklearn.metrics, os\n",
            files={PATH: PROJECT + 'dependencies = ["Torch", "scikit_learn"]\n'},
        ),
        Good("import cv2\n", files={PATH: PROJECT + 'dependencies = ["opencv-python"]\n'}),
        Good("import torch\n", files={PATH: '[project.dependencies]\ntorch = "^2"\n'}),
        Good("import torch\n"),
        Good("import foo\n", files={PATH: PROJECT + 'dependencies = ["foo-toolkit"]\n'}),
        Good(
            """\
from typing import TYPE_CHECKING

try:
    import apex
except ImportError:
    apex = None
if TYPE_CHECKING:
    import pandas as pd
""",
            files={PATH: PROJECT},
        ),
        Good(
            "import model\nfrom .model import f\nfrom src.model import f\n",
            files={PATH: PROJECT, "src/model.py": ""},
        ),
        Good("from evaluate import run\n", files={PATH: PROJECT, "src/evaluate.py": "def run(): ...\n"}),
    )
    BAD = (
        Bad(
            "import os\nimport torch\n\n\ndef f():\n    import yaml\n    import torch\n",
            files={PATH: PROJECT + 'dependencies = [\n    "wandb",  # logs\n]\n'},
            lines=(2, 6),
            fixed="import os\nimport torch\n\n\ndef f():\n    import yaml\n    import torch\n",
            fixed_files={
                PATH: PROJECT
                + 'dependencies = [\n    "wandb",  # logs\n    "torch>=2.1",\n    "pyyaml>=6.0",\n]\n'
            },
        ),
        Bad(
            "import evaluate\n",
            files={PATH: PROJECT + "dependencies = []\n", "src/evaluate.py": "X = 1\n"},
            lines=(1,),
            fixed="import evaluate\n",
            fixed_files={PATH: PROJECT + 'dependencies = ["evaluate>=0.4"]\n'},
        ),
        Bad("import torch\n", files={PATH: PROJECT + 'dependencies = {wandb = "*"}\n'}, lines=(1,)),
        Bad("import my_private_things\n", files={PATH: PROJECT + 'dependencies = ["torch"]\n'}, lines=(1,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first import of every distribution that is not declared."""
        names = declared(subject)
        if names is None:
            return
        for distribution, places in _missing(subject, names):
            first = places[0]
            files = ", ".join(f"{p.file}:{p.line}" for p in places[:5])
            along = distribution in comes_with(names)
            top = first.module.partition(".")[0]
            message = f"`{top}` is imported, but its distribution `{distribution}` is not declared"
            if not known(distribution):
                message = f"`{top}` is neither declared nor a module of the bundle"
            how = "only another requirement brings it" if along else "no requirement brings it"
            finding = self.finding(first.file, first.line, message, f"imported at {files}; {how}")
            yield finding.model_copy(update={"severity": Severity.ADVISORY}) if along else finding

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The requirement at the end of the list, with a floor."""
        for distribution, _ in _missing(subject, declared(subject) or frozenset()):
            if f"`{distribution}`" in finding.message and known(distribution) and can_append(subject):
                text = subject.bundle.files[PATH]
                return rewrite(subject.bundle, PATH, append_requirement(text, with_floor(distribution)))
        return None


def _missing(subject: ParsedBundle, names: frozenset[str]) -> list[tuple[str, list[Imported]]]:
    """Undeclared distributions with their imports, in the order of the first import."""
    found = [(module_distributions(item.module), item) for item in third_party(subject)]
    used = {name for providers, _ in found for name in providers}
    # A declared package that the tables do not know may provide a module of another name.
    unknown = {name for name in names if not known(name) and name not in used}
    open_ = [
        (providers[0], item)
        for providers, item in found
        if not names & set(providers) and (known(providers[0]) or not unknown)
    ]
    order = list(dict.fromkeys(name for name, _ in open_))
    grouped = groupby(sorted(open_, key=lambda pair: order.index(pair[0])), key=lambda pair: pair[0])
    return [(name, [item for _, item in pairs]) for name, pairs in grouped]
