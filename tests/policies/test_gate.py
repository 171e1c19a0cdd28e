"""Every rule refuses its cheats; the whole gate accepts every honest repair."""

from __future__ import annotations

import pytest

from policies.contract import STANDARD
from policies.gate import GateDecision, all_rules, judge
from policies.gate.base import Change, GateRule, Pair
from policies.gate.judge import demands
from policies.parsed import ParsedBundle
from policies.records import Bundle

RULES = all_rules()
REFUSED = [pytest.param(r, c, id=f"{r.ID}-{i}") for r in RULES for i, c in enumerate(r.REFUSED)]
ACCEPTED = [pytest.param(r, c, id=f"{r.ID}-{i}") for r in RULES for i, c in enumerate(r.ACCEPTED)]


def sides(example: Change) -> tuple[ParsedBundle, ParsedBundle]:
    after_configs = example.run_configs if example.run_configs_after is None else example.run_configs_after
    # Files of the contract that an example leaves out are the same on both sides.
    given = example.given if example.given_after is None else example.given_after
    contract = example.contract or STANDARD
    before = Bundle(files=example.before, run_configs=example.run_configs, given=example.given)
    after = Bundle(files=example.after, run_configs=after_configs, given=given)
    return ParsedBundle(before, contract), ParsedBundle(after, contract)


@pytest.mark.parametrize(("rule", "example"), REFUSED)
def test_cheats_are_refused(rule: GateRule, example: Change) -> None:
    base, attempt = sides(example)
    pair = Pair(base, attempt, example.findings)
    open_objections = [
        o for o in rule.objections(pair) if not any(demands(finding, o) for finding in example.findings)
    ]
    assert open_objections
    decision = judge(base, attempt, example.findings)
    assert not decision.accepted
    assert any(reason.startswith(f"{rule.ID}: ") for reason in decision.reasons)


@pytest.mark.parametrize(("rule", "example"), ACCEPTED)
def test_honest_repairs_are_accepted(rule: GateRule, example: Change) -> None:
    base, attempt = sides(example)
    decision = judge(base, attempt, example.findings)
    assert decision.reasons == ()
    assert decision.accepted


@pytest.mark.parametrize(("rule", "example"), REFUSED + ACCEPTED)
def test_a_bundle_that_stays_as_it_is_is_accepted(rule: GateRule, example: Change) -> None:
    for subject in sides(example):
        assert judge(subject, subject, ()) == GateDecision(accepted=True)


def test_there_are_enough_examples() -> None:
    assert len(REFUSED) >= 40
    assert len(ACCEPTED) >= 40
    assert all(len(rule.REFUSED) >= 2 for rule in RULES)


@pytest.mark.parametrize(("rule", "example"), REFUSED + ACCEPTED)
def test_an_example_changes_something_and_parses(rule: GateRule, example: Change) -> None:
    base, attempt = sides(example)
    assert base.bundle != attempt.bundle
    if rule.ID != "given-files":
        assert all(module.tree for module in attempt.modules.values())
