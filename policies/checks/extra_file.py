"""No file beside those of the contract."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Severity

HARMLESS = (".md", ".rst", ".txt", ".lock", ".cff")
HARMLESS_NAMES = {".gitignore", ".gitattributes", ".python-version", "LICENSE", ".env.example"}


class ExtraFile(Check):
    """The bundle is taken over file by file, by name: whatever else it brings is lost.

    Code that relies on an extra module then fails. An empty `src/__init__.py` is not needed either, because
    a folder without one is a namespace package; the codemod deletes extra files that hold no code. Notes and
    lock files are reported without blocking.
    """

    ID = "extra-file"
    CRITERION = 5
    PATH = "src/utils.py"
    STAGE = 11
    GOOD = (
        Good("X = 1\n", path="src/train.py"),
        Good("", path="src/train.py", run_configs={"config/runs/run-1.yaml": "a: 1\n"}),
    )
    BAD = (
        Bad("def seed():\n    return 1\n", lines=(0,)),
        Bad("# notes\n", path="NOTES.md", lines=(0,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every file that the contract does not name."""
        for path in sorted(subject.bundle.files):
            if path not in subject.contract.files:
                message = f"`{path}` is not one of the files of the contract"
                wanted = f"the contract has {', '.join(subject.contract.files)}"
                finding = self.finding(path, 0, message, wanted)
                yield (
                    finding if _matters(path) else finding.model_copy(update={"severity": Severity.ADVISORY})
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The bundle without the file, when it holds nothing."""
        module = subject.modules.get(finding.file)
        empty = module.empty if isinstance(module, Module) else not subject.bundle.files[finding.file].strip()
        return subject.bundle.without_file(finding.file) if empty else None


def _matters(path: str) -> bool:
    """Whether a program may read the file."""
    name = path.rsplit("/", 1)[-1]
    return not name.endswith(HARMLESS) and name not in HARMLESS_NAMES
