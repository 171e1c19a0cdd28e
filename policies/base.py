"""What a check is: one class, one rule, with its documentation and its examples."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from policies.api_signature import Signature
from policies.contract import Contract, Kind
from policies.errors import UsageError
from policies.lost_files import Part
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Rehearsal, ResearchContext, Severity

SHIPPED = "policies.checks."
"""Where the modules of the checks that ship with Suture lie."""


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
    homes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Module -> public name of a class or function -> dotted name where it is defined, its home name.
    Everything below is keyed by home names."""
    classes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Class -> public names that its body binds or its methods set; inherited ones are those of `bases`."""
    bases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Class -> its bases; `?Name` for a plain one of the standard library, `??Name` for one not found."""
    partial: frozenset[str] = frozenset()
    """Classes that may have other names as well (`__getattr__`, `setattr`)."""
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    """Function, class or `Class.method` -> what a call accepts; those that cannot be told are left out."""
    returns: Mapping[str, str] = field(default_factory=dict)
    """`function()`, `Class.method()` or `Class.property` -> class of what it gives."""
    oldest: str = ""
    """The first version described, when there are several: it then holds what any of them has."""


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
    given: Mapping[str, str] = field(default_factory=dict)
    """Path -> text of given files, such as tests."""
    binaries: Mapping[str, str] = field(default_factory=dict)
    """Path -> Base64 of files that are no text; they stand in for a text of the same path."""
    contract: Contract | None = None
    """None: the standard contract."""


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
    KINDS: ClassVar[tuple[tuple[Kind, int], ...]] = ()
    """Kinds of contract that the rule is for, with its criterion there.

    Left empty: experiments, under CRITERION; for a check from outside, wherever its policy applies.
    """
    SEVERITY: ClassVar[Severity] = Severity.BLOCKING
    RESTS_ON: ClassVar[tuple[Part, ...]] = ()
    """Parts of the bundle that must be readable for what is said: "nothing sets it", "no such key". While a
    file of theirs is empty or does not parse, the check is not asked; that file is the finding."""
    PATH: ClassVar[str] = "src/train.py"
    """The file that examples are put into when they do not say."""
    STAGE: ClassVar[int] = 50
    """Fixing order, low first: 10 files, 20 pyproject, 30 config, 40 imports, 50 code."""
    GOOD: ClassVar[tuple[Good, ...]] = ()
    BAD: ClassVar[tuple[Bad, ...]] = ()
    REGISTRY: ClassVar[dict[str, type[Check]]] = {}
    """The checks that ship with Suture; those from outside are chosen by a policy and never listed here."""

    def __init_subclass__(cls, abstract: bool = False) -> None:
        """Register the check; refuse one that lacks an id, a docstring or examples."""
        if abstract:
            return
        fault = cls._fault()
        if not cls.__module__.startswith(SHIPPED):
            if fault:
                raise UsageError(f"the check {cls.__name__} {fault}")
            return
        assert not fault, f"{cls.__name__} {fault}"
        assert cls.ID not in Check.REGISTRY, f"{cls.__name__}: the id {cls.ID!r} is taken"
        Check.REGISTRY[cls.ID] = cls

    @classmethod
    def _fault(cls) -> str:
        """What keeps the class from being a check; empty when nothing does."""
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cls.ID):
            return f"has the id {cls.ID!r}; an id is lower-case words with dashes"
        if not cls.__doc__:
            return "has no docstring; it must say why the rule exists"
        if not cls.GOOD or not cls.BAD:
            return "has no GOOD or no BAD examples; they are its tests"
        if not 1 <= cls.CRITERION <= 9:
            return f"has the criterion {cls.CRITERION}; criteria are numbered from 1 to 9"
        return "has no method find" if cls.find is Check.find else ""

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
    texts = {**example.files, path: example.source}
    files = {path: text for path, text in texts.items() if path not in example.binaries}
    bundle = Bundle(
        files=files, run_configs=example.run_configs, given=example.given, binaries=example.binaries
    )
    return ParsedBundle(bundle, example.contract or contract, example.context)
