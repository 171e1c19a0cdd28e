"""Which extra files are deleted; an example of a check cannot say that a file goes."""

from __future__ import annotations

import pytest

from policies.base import Evidence
from policies.checks.extra_file import ExtraFile
from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle, Severity


@pytest.mark.parametrize(
    ("path", "text", "deleted"),
    [
        ("src/__init__.py", "", True),
        ("src/__init__.py", '"""Package."""\n', True),
        ("src/__init__.py", "X = 1\n", False),
        ("src/broken.py", "x = (\n", False),
        ("setup.cfg", "\n", True),
        ("setup.cfg", "[metadata]\n", False),
    ],
)
def test_only_files_without_content_are_deleted(path: str, text: str, deleted: bool) -> None:
    bundle = Bundle(files={"src/main.py": "X = 1\n", path: text})
    subject = ParsedBundle(bundle, STANDARD)
    (finding,) = ExtraFile().find(subject, Evidence())
    assert (finding.file, finding.severity) == (path, Severity.BLOCKING)
    expected = bundle.without_file(path) if deleted else None
    assert ExtraFile().fix(subject, finding) == expected
