"""Requirements name the distribution that provides what the code imports."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.parsed import ParsedBundle
from policies.pyproject_edit import replace_requirement
from policies.records import Bundle, Finding
from policies.requirements import listed, name_of, parse_requirement, with_floor
from policies.tables import table
from policies.toml_lines import line_of_string

PATH = "pyproject.toml"


class WrongDistribution(Check):
    """An import name is often not the name under which a package is published.

    `sklearn` and `pytorch` are published only to stop whoever installs them, `hydra` is an unrelated
    program, `cv2`, `yaml` and the modules of the standard library are not published at all.
    """

    ID = "wrong-distribution"
    CRITERION = 2
    KINDS = (("experiment", 2), ("tests", 1))
    PATH = PATH
    STAGE = 22
    GOOD = (Good('[project]\ndependencies = ["hydra-core", "scikit-learn>=1.3", "argparse", "pyyaml"]\n'),)
    BAD = (
        Bad(
            """\
[project]
dependencies = [
  "hydra>=1.3",  # configs
  "sklearn",
  "json",
  "torch",
]
""",
            lines=(3, 4, 5),
            fixed="""\
[project]
dependencies = [
  "hydra-core>=1.3.2",  # configs
  "scikit-learn>=1.3",
  "torch",
]
""",
        ),
        Bad(
            '[project]\ndependencies = ["torch", "pytorch==2.1"]\n',
            lines=(2,),
            fixed='[project]\ndependencies = ["torch"]\n',
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every requirement on something that is not the package it looks like."""
        text = subject.bundle.files.get(PATH, "")
        for entry in _wrong(subject):
            meant = table("wrong_names")[name_of(entry)]
            evidence_text = (
                f"the package is published as `{meant}`" if meant else "it is in the standard library"
            )
            message = f"the requirement `{entry}` does not name the package that the code imports"
            yield self.finding(PATH, line_of_string(text, entry), message, evidence_text)

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The published name; the version bound was made for another package and goes."""
        text = subject.bundle.files[PATH]
        entry = next((e for e in _wrong(subject) if f"`{e}`" in finding.message), None)
        if entry is None:
            return None
        meant = table("wrong_names")[name_of(entry)]
        present = any(name_of(other) == meant for other in listed(subject))
        better = with_floor(meant) if meant and not present else None
        return rewrite(subject.bundle, PATH, replace_requirement(text, entry, better))


def _wrong(subject: ParsedBundle) -> Iterator[str]:
    names = table("wrong_names")
    return (e for e in listed(subject) if name_of(e) in names and not (_url(e)))


def _url(entry: str) -> bool:
    """Whether the entry says itself where its package lies."""
    requirement = parse_requirement(entry)
    return bool(requirement and requirement.url)
