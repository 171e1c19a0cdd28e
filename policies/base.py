"""What a check is: one class, one rule, with its documentation and its examples."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from policies.contract import Contract
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Rehearsal, ResearchContext, Severity


@dataclass(frozen=True)
class Api:
    """What a package of the bundle's environment offers, read from its sources without importing it.

    Source: `tools.trial.api_index`.
    """

    version: str
    modules: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Dotted module -> public names it defines or re-exports."""
    open_modules: frozenset[str] = frozenset()
    """Modules whose names cannot be listed (star imports, `__getattr__`): nothing is judged there."""
    signatures: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Dotted callable -> keywords it accepts; callables that take any keyword are left out."""


@dataclass(frozen=True)
class Evidence:
    """What is known beyond the source text."""

    rehearsals: tuple[Rehearsal, ...] = ()
    installed: Mapping[str, Api] = field(default_factory=dict)
    """Top-level import name -> API of the installed package; empty when no environment is known."""


@dataclass(frozen=True)
class Good:
    """An example on which a check must stay silent.

    `source` is the text of `path`; `files` adds others. Nothing else is in the bundle.
    """

    source: str
    path: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    run_configs: Mapping[str, str] = field(default_factory=dict)
    evidence: Evidence = field(default_factory=Evidence)
    context: ResearchContext = field(default_factory=ResearchContext)


@dataclass(frozen=True)
class Bad(Good):
    """An example that a check must report, on exactly these lines of `path`.

    `fixed` is the text of `path` after every fix; `fixed_files` the texts of other files that change.
    None: the check only reports.
    """

    lines: tuple[int, ...] = ()
    fixed: str | None = None
    fixed_files: Mapping[str, str] = field(default_factory=dict)


class Check:
    """One rule of a policy. Subclasses set the class variables and write `find`, and `fix` if they can."""

    ID: ClassVar[str] = ""
    CRITERION: ClassVar[int] = 0
    SEVERITY: ClassVar[Severity] = Severity.BLOCKING
    PATH: ClassVar[str] = "src/train.py"
    """The file that examples are put into when they do not say."""
    STAGE: ClassVar[int] = 50
    """Fixing order, low first: 10 files, 20 pyproject, 30 config, 40 imports, 50 code."""
    GOOD: ClassVar[tuple[Good, ...]] = ()
    BAD: ClassVar[tuple[Bad, ...]] = ()
    REGISTRY: ClassVar[dict[str, type[Check]]] = {}

    def __init_subclass__(cls, abstract: bool = False) -> None:
        """Register the check; refuse one that lacks an id, a docstring or examples."""
        if abstract:
            return
        assert (
            cls.ID and cls.ID not in Check.REGISTRY
        ), f"{cls.__name__}: the id is empty or taken: {cls.ID!r}"
        assert cls.__doc__, f"{cls.ID}: a docstring must say why"
        assert cls.GOOD and cls.BAD, f"{cls.ID}: GOOD and BAD examples are its tests"
        assert 1 <= cls.CRITERION <= 9, f"{cls.ID}: criterion {cls.CRITERION} is not one of the nine"
        Check.REGISTRY[cls.ID] = cls

    @classmethod
    def why(cls) -> str:
        """The docstring, dedented."""
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def can_fix(cls) -> bool:
        """Whether the check brings a codemod."""
        return cls.fix is not Check.fix

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every place where the rule is broken, in file and line order."""
        raise AssertionError("every check writes find")

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The bundle with `finding` mended, or None when no single right answer exists."""
        return None

    def finding(self, file: str, line: int, message: str, evidence: str) -> Finding:
        """A finding of this check."""
        return Finding(
            check=self.ID,
            criterion=self.CRITERION,
            severity=self.SEVERITY,
            file=file,
            line=line,
            message=message,
            evidence=evidence,
        )


class ModuleCheck(Check, abstract=True):
    """A check that looks at one parsable module at a time."""

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every finding of every module."""
        for module in subject.parsable:
            yield from self.find_in(module, subject, evidence)

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every place in `module` where the rule is broken."""
        raise AssertionError("every module check writes find_in")


def subject_of(example: Good, check: type[Check], contract: Contract) -> ParsedBundle:
    """The bundle that an example describes."""
    path = example.path or check.PATH
    bundle = Bundle(files={**example.files, path: example.source}, run_configs=example.run_configs)
    return ParsedBundle(bundle, contract, example.context)
