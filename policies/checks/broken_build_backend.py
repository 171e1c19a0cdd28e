"""A declared build backend can build the bundle's layout."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.build_backend import Defect, defects, drop_build_system
from policies.edit import rewrite
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding
from policies.toml_lines import line_of

PATH = "pyproject.toml"
PROJECT = '[project]\nname = "my-exp"\nversion = "0.1.0"\n'
SETUPTOOLS = '\n[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n'
HATCH = '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
FILES = {"src/main.py": "X = 1\n", "config/config.yaml": "a: 1\n"}


class BrokenBuildBackend(Check):
    """With a `[build-system]`, `uv run` builds and installs the project before it runs anything.

    When the backend finds no package, or is not among its own requirements, that build fails and nothing
    runs. Hatchling, Flit, Poetry and uv's own backend look for a package with the project's name, which
    this layout does not have; setuptools takes the modules under `src/` and is content. An experiment is run
    from its folder and never distributed, so without the table everything works: uv installs the
    dependencies only.

    Source: `uv run` (0.13) on one project per case, with the backends' releases of late 2025.
    """

    ID = "broken-build-backend"
    CRITERION = 2
    KINDS = (("experiment", 2), ("tests", 1))
    PATH = PATH
    STAGE = 24
    GOOD = (
        Good(PROJECT, files=FILES),
        Good(PROJECT + SETUPTOOLS, files=FILES),
        Good(PROJECT + '[build-system]\nrequires = ["setuptools", "wheel"]\n', files=FILES),
        Good(PROJECT + SETUPTOOLS + '[tool.setuptools.packages.find]\nwhere = ["src"]\n', files=FILES),
        Good(PROJECT + SETUPTOOLS + '[tool.setuptools]\npackages = ["src"]\n', files=FILES),
        Good(PROJECT + HATCH + '[tool.hatch.build.targets.wheel]\npackages = ["src"]\n', files=FILES),
        Good(PROJECT + HATCH + "[tool.uv]\npackage = false\n", files=FILES),
        Good(PROJECT + HATCH, files={**FILES, "src/my_exp/__init__.py": ""}),
    )
    BAD = (
        Bad(PROJECT + HATCH, files=FILES, lines=(5,), fixed=PROJECT),
        Bad(
            PROJECT
            + '\n[build-system]  # poetry\nrequires = ["poetry-core>=1.0.0"]\n'
            + 'build-backend = "poetry.core.masonry.api"\n\n[tool.x]\na = 1\n',
            files=FILES,
            lines=(5,),
            fixed=PROJECT + "\n[tool.x]\na = 1\n",
        ),
        Bad(PROJECT + SETUPTOOLS.replace("setuptools>=61", "wheel"), files=FILES, lines=(6,), fixed=PROJECT),
        Bad(PROJECT + SETUPTOOLS.replace("build_meta", "buildmeta"), files=FILES, lines=(7,), fixed=PROJECT),
        Bad(
            PROJECT + SETUPTOOLS + '\n[tool.setuptools]\npackages = ["my_exp"]  # ours\n',
            files=FILES,
            lines=(10,),
            fixed=PROJECT,
        ),
        Bad(
            PROJECT + SETUPTOOLS + '\n[tool.setuptools.packages.find]\nwhere = ["lib"]\n',
            files=FILES,
            lines=(10,),
            fixed=PROJECT,
        ),
        Bad(
            PROJECT
            + 'readme = "README.md"\n'
            + HATCH
            + '[tool.hatch.build.targets.wheel]\npackages = ["src"]\n',
            files=FILES,
            lines=(4,),
            fixed=PROJECT + 'readme = "README.md"\n\n[tool.hatch.build.targets.wheel]\npackages = ["src"]\n',
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """What makes the build fail; one finding, as the build stops at the first."""
        document = subject.pyproject
        for defect in _defects(subject)[:1]:
            assert document is not None, "a defect was found in it"
            line = line_of(document.text, *defect.path)
            yield self.finding(PATH, line, defect.message, defect.evidence)

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The file without its build backend and without the backend's list of packages."""
        return rewrite(subject.bundle, PATH, drop_build_system(subject.bundle.files[PATH]))


def _defects(subject: ParsedBundle) -> list[Defect]:
    document = subject.pyproject
    if document is None or document.data is None or not isinstance(document.data.get("project"), dict):
        return []
    return list(defects(document.data, frozenset(subject.bundle.tree)))
