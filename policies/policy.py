"""A policy: what a bundle is held to. Which checks judge it, how much each weighs, and by which contract.

Pure values; `tools/policy_load.py` finds and reads them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from policies.base import Check, Evidence
from policies.contract import Contract, Kind
from policies.contract_reader import contract_of
from policies.errors import UsageError
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding, Record, Request, Severity
from policies.registry import adapted, all_checks, checks_for, derived, kinds_of


class PolicySource(Record):
    """Where a policy came from, for the record of a repair."""

    name: str
    """As it was asked for: the name of a policy, or the absolute path of a file."""
    digest: str = ""
    """SHA-256 of the file and of the files that it names; empty for a policy that ships."""


@dataclass(frozen=True)
class Policy:
    """What a bundle is held to. Policies are composed from left to right with `then`."""

    name: str = "standard"
    contract: Contract | None = None
    """None: the contract is read from the request."""
    contract_changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the contract that the policy sets, whatever contract it is."""
    disable: frozenset[str] = frozenset()
    """Ids of checks that are switched off."""
    checks: tuple[type[Check], ...] = ()
    """Checks that do not ship with Suture."""
    severity: Mapping[str, Severity] = field(default_factory=dict)
    """Check id -> what all its findings weigh."""
    criteria: Mapping[int, str] = field(default_factory=dict)
    """Number of a criterion -> its title in the verdict."""
    sources: tuple[PolicySource, ...] = ()
    """Everything that it was read from; a file that names others comes after them."""
    asked: tuple[PolicySource, ...] = ()
    """Those of the sources that a user named."""

    def then(self, other: Policy) -> Policy:
        """Both, where the other has the last word."""
        own = {check.ID: check for check in (*self.checks, *other.checks)}
        return Policy(
            name=other.name if self == STANDARD_POLICY else f"{self.name}+{other.name}",
            contract=other.contract or self.contract,
            contract_changes={**self.contract_changes, **other.contract_changes},
            disable=(self.disable - set(other.severity)) | other.disable,
            checks=tuple(own.values()),
            severity={**self.severity, **other.severity},
            criteria={**self.criteria, **other.criteria},
            sources=tuple(dict.fromkeys((*self.sources, *other.sources))),
            asked=(*self.asked, *other.asked),
        )

    @property
    def kind(self) -> Kind:
        """What kind of bundle it judges."""
        kind: Kind = self.contract_changes.get("kind", self.contract.kind if self.contract else "experiment")
        return kind

    def contract_for(self, request: Request) -> Contract:
        """The contract that a request is judged by. Raises UsageError for values that make none."""
        contract = self.contract or contract_of(request)
        titled = [
            c.model_copy(update={"title": self.criteria.get(c.number, c.title)}) for c in contract.criteria
        ]
        data = {**contract.model_dump(), "criteria": titled, **self.contract_changes}
        if not data["files"]:
            data["files"] = tuple(sorted(request.bundle.files))
        try:
            return Contract.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise UsageError(f"policy {self.name}: the contract's `{where}`: {first['msg']}") from error

    def contract_for_none(self) -> Contract:
        """The contract of an empty request: what can be said before there is an input."""
        return self.contract_for(Request(source="", kind="directory", bundle=Bundle(files={})))

    def checks_for(self, kind: Kind | None = None) -> tuple[Check, ...]:
        """The checks that judge a bundle, in fixing order. Raises UsageError for an id that no check has."""
        self._verify()
        kind = kind or self.kind
        own = (adapted(check(), kind) for check in self.checks if not check.KINDS or kind in kinds_of(check))
        chosen = [c for c in (*checks_for(kind), *own) if c.ID not in self.disable]
        weighed = (_weighed(c, self.severity[c.ID]) if c.ID in self.severity else c for c in chosen)
        return tuple(sorted(weighed, key=lambda c: (c.STAGE, c.ID)))

    def _verify(self) -> None:
        shipped = {check.ID for check in all_checks()}
        for check in self.checks:
            if check.ID in shipped:
                raise UsageError(f"policy {self.name}: the id {check.ID!r} is that of a check that ships")
        known = shipped | {check.ID for check in self.checks}
        for check_id in (*sorted(self.disable), *self.severity):
            if check_id not in known:
                near = difflib.get_close_matches(check_id, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise UsageError(f"policy {self.name}: there is no check {check_id!r}{hint}")


STANDARD_POLICY = Policy()
"""All checks that ship, and the contract that the request states."""


def composed(policies: Iterable[Policy]) -> Policy:
    """The policies from left to right as one, verified."""
    result = STANDARD_POLICY
    for policy in policies:
        result = result.then(policy)
    result.checks_for()
    return result


def _weighed(check: Check, severity: Severity) -> Check:
    """The check, with findings that all have this severity."""
    kind = type(check)

    def find(self: Check, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        for finding in kind.find(self, subject, evidence):
            yield finding.model_copy(update={"severity": severity})

    return derived(kind, SEVERITY=severity, find=find)()


def known_as(policy: Policy, source: PolicySource) -> Policy:
    """The policy under the name it was asked for by, with where it came from."""
    return replace(policy, name=source.name, sources=(*policy.sources, source), asked=(source,))


def changes_of(before: Sequence[PolicySource], now: Sequence[PolicySource]) -> Iterator[str]:
    """What changed between two readings of the same policies, one sentence each."""
    known = {source.name: source.digest for source in before}
    for source in now:
        if known.get(source.name, source.digest) != source.digest:
            yield f"The policy {source.name} changed since the repair began; it is used as it is now."
