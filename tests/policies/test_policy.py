"""Policies are composed from left to right, choose among checks, weigh them, and leave no trace."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.contract import STANDARD
from policies.errors import UsageError
from policies.parsed import Module, ParsedBundle
from policies.policy import STANDARD_POLICY, Policy, PolicySource, changes_of, composed
from policies.python_tests import CONTRACT
from policies.python_tests import POLICY as PYTHON_TESTS
from policies.records import Bundle, Finding, Request, Severity
from policies.registry import all_checks, checks_for
from policies.review import find_all, review

BLOCKING, ADVISORY = Severity.BLOCKING, Severity.ADVISORY


class NoPrint(ModuleCheck):
    """Output of a run goes to the log."""

    ID = "no-print"
    CRITERION = 1
    GOOD = (Good("x = 1\n"),)
    BAD = (Bad("print(1)\n", lines=(1,)),)

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        for node in module.nodes:
            if isinstance(node, ast.Name) and node.id == "print":
                yield self.finding(module.path, node.lineno, "`print` is used", module.line(node.lineno))


OWN = Policy(name="own", checks=(NoPrint,))
SUBJECT = ParsedBundle(Bundle(files={"src/train.py": "print(missing)\n"}), STANDARD)


def found(policy: Policy) -> dict[str, Severity]:
    """Check id -> severity of what the policy finds in `src/train.py`."""
    findings = find_all(SUBJECT, Evidence(), policy.checks_for())
    return {f.check: f.severity for f in findings if f.file == "src/train.py"}


def test_a_check_from_outside_belongs_to_its_policy_alone() -> None:
    assert found(OWN).keys() - found(STANDARD_POLICY).keys() == {"no-print"}
    assert "no-print" not in {check.ID for check in all_checks()}


def test_checks_are_switched_off_and_weighed() -> None:
    changed = Policy(
        name="mine", disable=frozenset({"undefined-name"}), severity={"no-print": ADVISORY}, checks=(NoPrint,)
    )
    assert found(OWN)["undefined-name"] == BLOCKING and found(OWN)["no-print"] == BLOCKING
    assert "undefined-name" not in found(changed) and found(changed)["no-print"] == ADVISORY
    again = composed([changed, Policy(name="strict", severity={"undefined-name": BLOCKING})])
    assert (again.name, found(again)["undefined-name"]) == ("mine+strict", BLOCKING)


def test_a_weighed_check_still_fixes_and_explains_itself() -> None:
    plain = {c.ID: c for c in checks_for("experiment")}["undefined-name"]
    policy = Policy(name="x", severity={"undefined-name": ADVISORY})
    weighed = {c.ID: c for c in policy.checks_for()}["undefined-name"]
    assert (weighed.why(), weighed.can_fix(), weighed.SEVERITY) == (plain.why(), True, ADVISORY)


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (
            Policy(name="p", disable=frozenset({"undefined"})),
            "there is no check 'undefined'; did you mean 'undefined-name'",
        ),
        (Policy(name="p", severity={"§": ADVISORY}), "policy p: there is no check '§'"),
    ],
)
def test_an_unknown_id_is_a_usage_error(policy: Policy, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        composed([policy])


def test_a_class_without_examples_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"the check Bare has no GOOD or no BAD examples"):

        class Bare(ModuleCheck):
            """Why."""

            ID = "bare"
            CRITERION = 1


def test_the_contract_is_read_changed_and_titled() -> None:
    request = Request(source="x", kind="directory", bundle=SUBJECT.bundle)
    policy = Policy(name="p", contract_changes={"cache_dir": "models/"}, criteria={1: "Whole"})
    contract = policy.contract_for(request)
    assert (contract.cache_dir, contract.criteria[0].title, contract.trial) == (
        "models/",
        "Whole",
        STANDARD.trial,
    )
    with pytest.raises(UsageError, match="policy p: the contract's `trial`"):
        Policy(name="p", contract_changes={"trial": 3}).contract_for(request)


def test_a_plain_project_is_judged_by_its_own_checks_and_criteria() -> None:
    ids = {check.ID for check in PYTHON_TESTS.checks_for()}
    assert {"failing-test", "undefined-name", "rehearsal-failure"} <= ids
    assert not {i for i in ids if i.startswith(("hydra", "wandb", "hub", "run-", "evaluate"))}
    assert "failing-test" not in {check.ID for check in checks_for("experiment")}
    verdict = review(
        ParsedBundle(Bundle(files={"a.py": "print(missing)\n"}), CONTRACT),
        Evidence(),
        checks=PYTHON_TESTS.checks_for(),
    )
    assert [(f.check, f.criterion, f.severity) for f in verdict.findings] == [("undefined-name", 2, ADVISORY)]
    assert [(c.number, c.title, c.status) for c in verdict.criteria] == [
        (1, "Installs", "unproven"),
        (2, "Imports", "unproven"),
        (3, "Tests pass", "unproven"),
    ]


def test_everything_but_failures_is_advice_in_a_plain_project() -> None:
    blocking = {c.ID for c in PYTHON_TESTS.checks_for() if c.SEVERITY is BLOCKING}
    assert blocking == {"failing-test", "rehearsal-failure"}


def test_the_contract_of_a_project_has_the_files_of_the_project() -> None:
    request = Request(source="x", kind="directory", bundle=Bundle(files={"b.py": "", "a.py": ""}))
    contract = PYTHON_TESTS.contract_for(request)
    assert (contract.files, contract.entry_file, contract.per_run) == (("a.py", "b.py"), "", False)


def test_a_changed_policy_is_told() -> None:
    before = (PolicySource(name="a.toml", digest="1"), PolicySource(name="standard"))
    now = (PolicySource(name="a.toml", digest="2"), PolicySource(name="standard"))
    assert list(changes_of(before, before)) == []
    assert list(changes_of(before, now)) == [
        "The policy a.toml changed since the repair began; it is used as it is now."
    ]
