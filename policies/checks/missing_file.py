"""Every file of the contract is there."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import ParsedBundle
from policies.records import Finding

OTHERS = {
    "src/evaluate.py": "X = 1\n",
    "src/preprocess.py": "X = 1\n",
    "src/model.py": "X = 1\n",
    "src/main.py": "X = 1\n",
    "pyproject.toml": "[project]\n",
}
CONFIG = {"config/config.yaml": "a: 1\n"}


class MissingFile(Check):
    """The command lines of the contract start modules and read configs by name.

    A bundle without one of them stops at the first command that needs it, and nobody can judge the part of
    the experiment that belongs there.
    """

    ID = "missing-file"
    CRITERION = 5
    STAGE = 10
    GOOD = (Good("X = 1\n", files={**OTHERS, **CONFIG}),)
    BAD = (Bad("X = 1\n", files=OTHERS),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every file that the contract names and the bundle lacks."""
        present = ", ".join(sorted(subject.bundle.files)) or "nothing"
        for path in subject.contract.files:
            if path not in subject.bundle.files and path not in subject.bundle.binaries:
                yield self.finding(path, 0, f"`{path}` is missing", f"the bundle consists of {present}")
