"""A check that fails costs its own judgement and no other."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Check, Evidence
from policies.codemods import MAX_IN_VAIN, apply_codemods
from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding, Severity
from policies.review import find_all
from policies.run_check import FAILED, broken_files


class _Broken(Check, abstract=True):
    """Fails on sight."""

    ID = "broken"
    CRITERION = 3

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        yield self.finding("src/a.py", 1, "seen before the failure", "x")
        raise ValueError("no such thing")

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        raise KeyError("fix")


class _Sound(Check, abstract=True):
    """Finds one thing."""

    ID = "sound"
    CRITERION = 1

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        yield self.finding("src/a.py", 1, "a defect", "x")


SUBJECT = ParsedBundle(Bundle(files={"src/a.py": "x = 1\n"}), STANDARD)


def test_the_other_checks_still_judge() -> None:
    broken, sound = find_all(SUBJECT, Evidence(), [_Broken(), _Sound()])
    assert (broken.check, broken.message, broken.severity) == ("broken", FAILED, Severity.ADVISORY)
    assert broken.evidence.startswith("ValueError: no such thing at test_run_check.py:")
    assert (sound.check, sound.severity) == ("sound", Severity.BLOCKING)


def test_a_codemod_that_fails_offers_nothing() -> None:
    result = apply_codemods(SUBJECT, Evidence(), [_Broken(), _Sound()])
    assert (result.bundle, result.fixed) == (SUBJECT.bundle, ())


class _Clumsy(_Sound, abstract=True):
    """Mends one line and breaks the file."""

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        return subject.bundle.with_file(finding.file, "x = (\n")


def test_a_codemod_that_breaks_a_sound_file_offers_nothing() -> None:
    result = apply_codemods(SUBJECT, Evidence(), [_Clumsy()])
    assert (result.bundle, result.fixed) == (SUBJECT.bundle, ())


def test_broken_files_are_those_that_parsed_before() -> None:
    before = Bundle(
        files={"a.py": "x\n", "b.py": "(", "c.toml": "a = 1\n", "d.yaml": "a: 1\n", "e": "", "f.py": ""}
    )
    after = Bundle(files={"a.py": "(", "b.py": "((", "c.toml": "[", "d.yaml": "a: [", "e": "("})
    assert list(broken_files(before, after)) == ["a.py", "c.toml", "d.yaml"]


class _Vain(Check, abstract=True):
    """Adds a line for every finding, and finds as many afterwards."""

    ID = "vain"
    CRITERION = 2

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        yield self.finding("src/a.py", 1, "still the same", "x")

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        return subject.bundle.with_file("src/a.py", subject.bundle.files["src/a.py"] + "y = 2\n")


def test_a_codemod_that_mends_nothing_is_soon_taken_no_more() -> None:
    result = apply_codemods(SUBJECT, Evidence(), [_Vain(), _Sound()])
    assert result.bundle.files["src/a.py"] == "x = 1\n" + "y = 2\n" * MAX_IN_VAIN
