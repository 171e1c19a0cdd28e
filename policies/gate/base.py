"""What a gate rule is: one class, one way of gaming the checks, with examples of both kinds."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from policies.contract import Contract, Kind
from policies.gate.guards import Guards
from policies.gate.syntax import leaf
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity

EVERYWHERE: frozenset[Kind] = frozenset({"experiment", "tests"})


@dataclass(frozen=True)
class Objection:
    """One reason to refuse an attempt. A finding that names what was changed takes it away."""

    message: str
    file: str = ""
    lines: range = range(0)
    """Where it is: lines of the base for what is gone, of the attempt for what is new."""
    keys: tuple[str, ...] = ()
    """Names that a finding in the same place must mention to demand the change."""
    values: tuple[str, ...] = ()
    """Values, such as a model id, that a finding anywhere must mention to demand the change."""

    def __str__(self) -> str:
        place = f" ({self.file}:{self.lines.start})" if self.lines.start else f" ({self.file})"
        return self.message + (place if self.file else "")


@dataclass(frozen=True)
class Place:
    """A node in a module, compared across bundles by its signature."""

    module: Module
    node: ast.AST

    @cached_property
    def signature(self) -> str:
        """What it says, wherever it stands."""
        return ast.dump(self.node)

    @property
    def line(self) -> int:
        """First line, 1-based."""
        return getattr(self.node, "lineno", 1)

    def objection(self, message: str) -> Objection:
        """An objection to this place."""
        return Objection(message, self.module.path, range(self.line, self.line + 1))


class Side:
    """One of the two bundles, with what rules ask of it."""

    def __init__(self, subject: ParsedBundle) -> None:
        self.subject = subject
        self.modules = subject.parsable
        self.guards = Guards(subject)

    @cached_property
    def evaluate_file(self) -> str:
        """Path of the evaluation script; empty when the contract names none."""
        argv = self.subject.contract.evaluate
        return argv[argv.index("-m") + 1].replace(".", "/") + ".py" if "-m" in argv[:-1] else ""

    def places(self, *kinds: type[ast.AST]) -> Iterator[Place]:
        """Every node of these kinds in every parsable module."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> dict[type[ast.AST], list[Place]]:
        found: dict[type[ast.AST], list[Place]] = {}
        for module in self.modules:
            for node in module.nodes:
                found.setdefault(type(node), []).append(Place(module, node))
        return found

    @cached_property
    def uses(self) -> Counter[str]:
        """How often each name and attribute is read."""
        places = self.places(ast.Name, ast.Attribute)
        return Counter(leaf(p.node) for p in places if isinstance(getattr(p.node, "ctx", None), ast.Load))

    def trial_only(self, place: Place) -> bool:
        """Whether the place is reached in trial mode alone."""
        return self.guards.trial_only(place.module, place.node)


class Pair:
    """The base, the attempt built on it, and the findings that the attempt was to repair."""

    def __init__(self, base: ParsedBundle, attempt: ParsedBundle, findings: Sequence[Finding]) -> None:
        self.base = Side(base)
        self.attempt = Side(attempt)
        self.findings = tuple(findings)

    def fresh(self, select: Callable[[Side], Iterable[Place]]) -> Iterator[Place]:
        """The places that the attempt has more of than the base; moved code is not fresh.

        A file that did not parse before has no nodes to compare with, so its text speaks for it.
        """
        known = Counter(place.signature for place in select(self.base))
        for place in select(self.attempt):
            if known[place.signature] > 0:
                known[place.signature] -= 1
            elif not self._stood_in_broken_file(place):
                yield place

    def gone(self, select: Callable[[Side], Iterable[Place]]) -> Iterator[Place]:
        """The places that the base has more of than the attempt."""
        left = Counter(place.signature for place in select(self.attempt))
        for place in select(self.base):
            if left[place.signature] > 0:
                left[place.signature] -= 1
            else:
                yield place

    def _stood_in_broken_file(self, place: Place) -> bool:
        before = self.base.subject.modules.get(place.module.path)
        if before is None or before.tree is not None:
            return False
        return place.module.line(place.line) in {line.strip() for line in before.text.splitlines()}


@dataclass(frozen=True)
class Change:
    """An example: the files before and after, and the findings that asked for the change."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    run_configs: Mapping[str, str] = field(default_factory=dict)
    run_configs_after: Mapping[str, str] | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    given_after: Mapping[str, str] | None = None
    contract: Contract | None = None
    """None: the standard contract."""


class GateRule:
    """One way of gaming the checks. Subclasses set ID and examples, and write `objections`."""

    ID: ClassVar[str] = ""
    KINDS: ClassVar[frozenset[Kind]] = frozenset({"experiment"})
    """Kinds of contract whose bundles can be gamed in this way."""
    REFUSED: ClassVar[tuple[Change, ...]] = ()
    """Changes that this rule must refuse."""
    ACCEPTED: ClassVar[tuple[Change, ...]] = ()
    """Honest repairs near the line, which the whole gate must accept."""
    REGISTRY: ClassVar[dict[str, type[GateRule]]] = {}

    def __init_subclass__(cls) -> None:
        """Register the rule; refuse one that lacks an id, a docstring or examples."""
        assert (
            cls.ID and cls.ID not in GateRule.REGISTRY
        ), f"{cls.__name__}: the id is empty or taken: {cls.ID!r}"
        assert cls.__doc__, f"{cls.ID}: a docstring must say why"
        assert cls.REFUSED and cls.ACCEPTED, f"{cls.ID}: REFUSED and ACCEPTED examples are its tests"
        GateRule.REGISTRY[cls.ID] = cls

    @classmethod
    def why(cls) -> str:
        """The docstring, dedented."""
        return inspect.cleandoc(cls.__doc__ or "")

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every reason to refuse the attempt."""
        raise AssertionError("every rule writes objections")


def change(
    before: str,
    after: str,
    path: str = "src/train.py",
    *,
    findings: tuple[Finding, ...] = (),
    files: Mapping[str, str] | None = None,
    given: Mapping[str, str] | None = None,
    contract: Contract | None = None,
) -> Change:
    """An example in one file."""
    sides = {**(files or {}), path: before}, {**(files or {}), path: after}
    return Change(*sides, findings, given=given or {}, contract=contract)


def code(text: str) -> str:
    """The source of an example, dedented."""
    return textwrap.dedent(text).strip() + "\n"


def asked(
    message: str, *, check: str = "example", file: str = "src/train.py", line: int = 0, evidence: str = "-"
) -> Finding:
    """A finding for an example."""
    return Finding(
        check=check,
        criterion=1,
        severity=Severity.BLOCKING,
        file=file,
        line=line,
        message=message,
        evidence=evidence,
    )
