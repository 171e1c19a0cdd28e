"""Every file that is read as text is UTF-8."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import ParsedBundle, parse_module, parse_toml, parse_yaml
from policies.records import Bundle, Finding
from policies.undecoded import readings, why_no_text

TEXTS = (".py", ".toml", ".yaml", ".yml")
_LATIN = base64.b64encode("NAME = 'Café'\n".encode("latin-1")).decode("ascii")
_NOISE = base64.b64encode(bytes(range(128, 256))).decode("ascii")


class NotText(Check):
    """Python, TOML and YAML are read as UTF-8, and the first byte that is none ends the reading.

    Such files were saved in another encoding, or are no text at all. The codemod reads them as Windows-1252
    or UTF-16, and keeps that reading when the file then parses.
    """

    ID = "not-text"
    CRITERION = 5
    KINDS = (("experiment", 5), ("tests", 2))
    STAGE = 9
    PATH = "src/model.py"
    GOOD = (Good("NAME = 'Café'\n"), Good("X = 1\n", binaries={"data/weights.bin": _NOISE}))
    BAD = (
        Bad("", path="src/train.py", binaries={"src/train.py": _LATIN}, lines=(1,), fixed="NAME = 'Café'\n"),
        Bad("", path="src/train.py", binaries={"src/train.py": _NOISE}, lines=(1,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every source or config file that cannot be decoded."""
        for path, data in sorted(subject.bundle.binaries.items()):
            if path.endswith(TEXTS):
                reason, line = why_no_text(base64.b64decode(data))
                yield self.finding(path, line, f"`{path}` is no UTF-8 text", reason)

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The bundle with the file decoded, where one reading makes it parse."""
        bundle = subject.bundle
        if finding.file not in subject.contract.files:
            return None
        for text in readings(base64.b64decode(bundle.binaries[finding.file])):
            if _parses(finding.file, text):
                others = {path: data for path, data in bundle.binaries.items() if path != finding.file}
                return bundle.with_file(finding.file, text).model_copy(update={"binaries": others})
        return None


def _parses(path: str, text: str) -> bool:
    if path.endswith(".py"):
        return parse_module(path, text).tree is not None
    document = parse_toml(path, text) if path.endswith(".toml") else parse_yaml(path, text)
    return document.data is not None
