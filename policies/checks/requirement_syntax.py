"""Every entry of the dependency list is a PEP 508 requirement on a package."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.parsed import ParsedBundle
from policies.pyproject_edit import replace_requirement, set_project_key, toml_string
from policies.records import Bundle, Finding
from policies.requirements import is_environment_spec, listed, name_of, parse_requirement, repair
from policies.toml_lines import line_of_string

PATH = "pyproject.toml"


class RequirementSyntax(Check):
    """One requirement that does not parse stops the installation of all of them.

    The usual cases are Poetry's `^` inside a PEP 621 list, a single `=`, and `>=2.1.*`. `python` is no
    package: the interpreter is stated in `requires-python`. The codemod rewrites what has one meaning.

    Source: PEP 508 and PEP 440, as the `packaging` library reads them.
    """

    ID = "requirement-syntax"
    CRITERION = 2
    KINDS = (("experiment", 2), ("tests", 1))
    PATH = PATH
    STAGE = 21
    GOOD = (
        Good(
            '[project]\ndependencies = ["torch==2.1.*", "a[b,c] (>=1) ; python_version < \'4\'", "x~=1.2"]\n'
        ),
        Good('[project]\ndependencies = ["pkg @ git+https://example.org/pkg.git@v1"]\n'),
        Good('[project.dependencies]\ntorch = "^2.1"\n'),
    )
    BAD = (
        Bad(
            """\
[project]
dependencies = [
  "torch ^2.1",  # core
  # two more
  "numpy=1.26", "tqdm>=4.0.*",
]
""",
            lines=(3, 5, 5),
            fixed="""\
[project]
dependencies = [
  "torch>=2.1,<3",  # core
  # two more
  "numpy==1.26", "tqdm>=4.0",
]
""",
        ),
        Bad(
            '[project]\nname = "x"\ndependencies = ["python>=3.10", "torch"]\n',
            lines=(3,),
            fixed='[project]\nname = "x"\ndependencies = ["torch"]\nrequires-python = ">=3.10"\n',
        ),
        Bad('[project]\ndependencies = ["git+https://example.org/pkg.git"]\n', lines=(2,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every entry that no installer reads, in file order."""
        text = subject.bundle.files.get(PATH, "")
        for entry in listed(subject):
            line = line_of_string(text, entry)
            if is_environment_spec(name_of(entry)):
                message = f"`{entry}` in the dependencies is no package"
                yield self.finding(PATH, line, message, "the interpreter belongs into `requires-python`")
            elif parse_requirement(entry) is None:
                message = f"`{entry}` is not a PEP 508 requirement"
                yield self.finding(
                    PATH, line, message, f"`packaging.requirements.Requirement({entry!r})` raises"
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The entry with its one meaning, or moved to `requires-python`."""
        text = subject.bundle.files[PATH]
        entry = next((e for e in listed(subject) if f"`{e}`" in finding.message), None)
        if entry is None:
            return None
        if is_environment_spec(name_of(entry)):
            return rewrite(subject.bundle, PATH, _move_python(subject, text, entry))
        better = repair(entry)
        return rewrite(subject.bundle, PATH, replace_requirement(text, entry, better)) if better else None


def _move_python(subject: ParsedBundle, text: str, entry: str) -> str | None:
    """Take the entry out and say `requires-python` unless it is said already."""
    document = subject.pyproject
    assert document is not None and document.data is not None, "the entry was found in it"
    requirement = parse_requirement(entry) or parse_requirement(repair(entry) or "")
    shorter = replace_requirement(text, entry, None)
    stated = "requires-python" in document.data["project"]
    if shorter is None or stated or requirement is None or not str(requirement.specifier):
        return shorter
    return set_project_key(shorter, "requires-python", toml_string(str(requirement.specifier)))
