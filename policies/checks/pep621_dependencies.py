"""`pyproject.toml` states the project and its dependencies the way installers read them."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.parsed import ParsedBundle
from policies.pep621 import problems
from policies.records import Bundle, Finding
from policies.toml_lines import line_of

PATH = "pyproject.toml"


class Pep621Dependencies(Check):
    """Installers read `[project]` as PEP 621 defines it and refuse the file otherwise.

    `dependencies` is a list of PEP 508 strings; a table of `name = "^1.2"` lines is Poetry's notation, and
    an installer stops at it before anything is installed. The same goes for a `[project]` table without a
    name or version. A file with only `[tool.poetry]` is read without complaint and nothing is installed.

    The codemod keeps order and comments. `^2.1` becomes `>=2.1,<3`, `*` the bare name. On a zero major a
    caret or tilde becomes a plain floor: `^0.15` pins the one minor release that was new when the line was
    written, and the rest of the file, free to move on, no longer works with it.

    Source: PEP 621; the messages of uv and pip for each of these files.
    """

    ID = "pep621-dependencies"
    CRITERION = 2
    PATH = PATH
    STAGE = 20
    GOOD = (
        Good('[project]\nname = "x"\nversion = "1"\ndependencies = ["torch>=2.1,<3", "numpy"]\n'),
        Good('[project]\nname = "x"\ndynamic = ["version"]\ndependencies = []\n'),
        Good("""\
[project]
name = "x"
version = "0.1"
requires-python = ">=3.10,<3.13"

[project.optional-dependencies]
dev = ["pytest"]

[tool.poetry.dependencies]
torch = "^2"
"""),
        Good("[project\n"),
    )
    BAD = (
        Bad(
            """\
[project]
name = "x"
version = "1"

[project.dependencies]
# core
torch = "^2.1"  # pinned
wandb = "^0.15"
tqdm = "*"

lightning = {version = "~2.1.0", extras = ["extra"]}  # with '#'
python = "^3.10"

[tool.x]
a = 1
""",
            lines=(5,),
            fixed="""\
[project]
name = "x"
version = "1"
dependencies = [
  # core
  "torch>=2.1,<3",  # pinned
  "wandb>=0.15",
  "tqdm",

  "lightning[extra]>=2.1.0,<2.2",  # with '#'
]
requires-python = ">=3.10,<4"

[tool.x]
a = 1
""",
        ),
        Bad(
            """\
[tool.poetry]
name = "my exp"
version = "0.2.0"
authors = ["A B <a@b.org>"]

[tool.poetry.dependencies]
python = ">=3.10"
torch = "2.1.0"
""",
            lines=(1,),
            fixed="""\
[project]
name = "my-exp"
version = "0.2.0"
authors = [{ name = "A B", email = "a@b.org" }]
dependencies = [
  "torch==2.1.0",
]
requires-python = ">=3.10"
""",
        ),
        Bad(
            '[build-system]\nrequires = ["setuptools"]\n',
            lines=(1,),
            fixed="""\
[project]
name = "experiment"
version = "0.1.0"
dependencies = []

[build-system]
requires = ["setuptools"]
""",
        ),
        Bad(
            'name = "x"\n\n[tool.ruff]\nline-length = 100\n',
            lines=(1,),
            fixed="""\
name = "x"

[tool.ruff]
line-length = 100

[project]
name = "experiment"
version = "0.1.0"
dependencies = []
""",
        ),
        Bad(
            """\
[project]
name = "My Exp"
version = "1.0-final!"
requires-python = "^3.9"
dependencies = {torch = "^2"}
""",
            lines=(2, 3, 4, 5),
            fixed="""\
[project]
name = "My-Exp"
version = "0.1.0"
requires-python = ">=3.9,<4"
dependencies = [
  "torch>=2,<3",
]
""",
        ),
        Bad(
            '[project]\ndependencies = [{name = "torch", version = "^2"}, "tqdm"]\n',
            lines=(1, 1, 2),
            fixed="""\
[project]
dependencies = [
  "torch>=2,<3",
  "tqdm",
]
name = "experiment"
version = "0.1.0"
""",
        ),
        Bad(
            """\
[project]
name = "x"
version = "1"

[project.dependencies]
local = {path = "../local"}
""",
            lines=(5,),
        ),
        Bad(
            """\
[project]
name = "x"
version = "1"

[project.optional-dependencies]
dev = "pytest"
""",
            lines=(6,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every statement that an installer refuses, in line order."""
        document = subject.pyproject
        if document is None or document.data is None:
            return
        lines = ((line_of(document.text, *p.path), p) for p in problems(document.data, document.text))
        for line, problem in sorted(lines, key=lambda item: item[0]):
            yield self.finding(PATH, line, problem.message, problem.evidence)

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The statement in PEP 621 form."""
        document = subject.pyproject
        if document is None or document.data is None:
            return None
        for problem in problems(document.data, document.text):
            if problem.message == finding.message and problem.mend:
                return rewrite(subject.bundle, PATH, problem.mend(document.text))
        return None
