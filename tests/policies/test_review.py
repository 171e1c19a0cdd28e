"""The verdict: ready only when nothing blocks and every run was seen to train."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from policies.base import Bad, Check, Evidence, Good
from policies.contract import STANDARD
from policies.contract_reader import read_contract
from policies.parsed import ParsedBundle
from policies.records import (
    Bundle,
    Failure,
    Finding,
    Phase,
    Proof,
    Rehearsal,
    RehearsalStatus,
    Rejection,
    Severity,
)
from policies.review import find_all, review

RUNS = {"config/runs/a.yaml": "run_id: a\n", "config/runs/b.yaml": "run_id: b\n"}
SUBJECT = ParsedBundle(Bundle(files={"src/train.py": "x = 1\n"}, run_configs=RUNS), STANDARD)
TRAINED = Proof(optimizer_steps=2, parameters_moved=True)


class Said(Check, abstract=True):
    """Reports what it was told to."""

    ID, CRITERION = "said", 3
    GOOD, BAD = (Good(""),), (Bad(""),)

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        yield from self.findings


def finding(
    file: str, line: int, message: str, *, criterion: int = 3, severity: Severity = Severity.BLOCKING
) -> Finding:
    return Finding(
        check="said",
        criterion=criterion,
        severity=severity,
        file=file,
        line=line,
        message=message,
        evidence=f"see {message}",
    )


def ran(
    phase: Phase, run_id: str, status: RehearsalStatus = "passed", proof: Proof | None = TRAINED
) -> Rehearsal:
    failure = Failure(phase=phase, exception="KeyError", message="'x'", file="src/train.py", line=1)
    return Rehearsal(
        phase=phase,
        run_id=run_id,
        status=status,
        wall_s=1.0,
        failure=failure if status == "failed" else None,
        proof=proof if phase in ("trial", "full") else None,
    )


INSTALL, COMPOSE = ran("install", ""), (ran("compose", "a"), ran("compose", "b"))
TRIALS = (ran("trial", "a"), ran("trial", "b"))


def test_findings_are_sorted_and_each_counts_once() -> None:
    late, early, other = finding("b.py", 9, "m"), finding("b.py", 2, "m"), finding("a.py", 5, "m")
    checks = (Said(late, early), Said(early, other))
    assert find_all(SUBJECT, Evidence(), checks) == (other, early, late)
    assert find_all(SUBJECT, Evidence(), ()) == ()


def test_a_bundle_that_nothing_ran_is_not_ready() -> None:
    verdict = review(SUBJECT, Evidence(), checks=())
    issue = "Not shown to run:\n  - Nothing was rehearsed, so nothing shows that it runs."
    assert (verdict.is_code_ready, verdict.code_issue, verdict.findings) == (False, issue, ())
    assert {c.number: c.status for c in verdict.criteria} == {
        n: "met" if n == 5 else "unproven" for n in range(1, 10)
    }
    assert [c.title for c in verdict.criteria] == [c.title for c in STANDARD.criteria]


def test_blocking_findings_are_written_out_by_file() -> None:
    first, second = finding("src/model.py", 3, "no forward"), finding(
        "src/train.py", 0, "is empty", criterion=1
    )
    advice = finding("src/train.py", 7, "long", severity=Severity.ADVISORY, criterion=4)
    verdict = review(SUBJECT, Evidence(), checks=(Said(second, advice, first),))
    assert not verdict.is_code_ready
    assert verdict.code_issue == (
        "2 blocking defects in 2 files:\n\n"
        "src/model.py\n  - line 3: no forward [said, criterion 3]\n    evidence: see no forward\n\n"
        "src/train.py\n  - is empty [said, criterion 1]\n    evidence: see is empty"
    )
    rows = {c.number: (c.status, c.findings) for c in verdict.criteria}
    assert rows[1] == rows[3] == ("violated", 1)
    assert rows[4] == ("unproven", 1)


def test_what_is_said_of_several_lines_is_written_out_once() -> None:
    same = [finding("src/model.py", line, "no such key") for line in (9, 4, 6)]
    shown = [f.model_copy(update={"evidence": text}) for f, text in zip(same, "aba", strict=True)]
    verdict = review(SUBJECT, Evidence(), checks=(Said(*shown, finding("src/model.py", 5, "no forward")),))
    assert verdict.code_issue == (
        "4 blocking defects in 1 file:\n\nsrc/model.py\n"
        "  - lines 4, 6, 9: no such key [said, criterion 3]\n    evidence: b\n    evidence: a\n"
        "  - line 5: no forward [said, criterion 3]\n    evidence: see no forward"
    )


def test_ready_needs_a_trial_that_trained_for_every_run() -> None:
    verdict = review(SUBJECT, Evidence((INSTALL, *COMPOSE, *TRIALS)), checks=())
    assert (verdict.is_code_ready, verdict.code_issue) == (True, "")
    assert {c.number: c.status for c in verdict.criteria} == {
        1: "unproven",
        2: "met",
        3: "met",
        4: "unproven",
        5: "met",
        6: "unproven",
        7: "met",
        8: "unproven",
        9: "met",
    }


@pytest.mark.parametrize(
    ("rehearsals", "reason"),
    [
        ((INSTALL, *COMPOSE, TRIALS[1]), "No trial of a was rehearsed."),
        ((*TRIALS[:1],), "No trial of b was rehearsed."),
        ((TRIALS[0], ran("trial", "b", "skipped")), "No trial of b was rehearsed."),
        (
            (TRIALS[0], ran("trial", "b", proof=None)),
            "The trial of b took no optimizer step that moved a parameter.",
        ),
        (
            (TRIALS[0], ran("trial", "b", proof=Proof(optimizer_steps=3))),
            "The trial of b took no optimizer step that moved a parameter.",
        ),
        ((TRIALS[0], ran("trial", "b", "failed")), "trial of b failed: KeyError: 'x' (src/train.py:1)"),
        ((ran("install", "", "failed"), *TRIALS), "install failed: KeyError: 'x' (src/train.py:1)"),
    ],
)
def test_what_was_not_shown_keeps_it_from_being_ready(rehearsals: tuple[Rehearsal, ...], reason: str) -> None:
    verdict = review(SUBJECT, Evidence(rehearsals), checks=())
    assert not verdict.is_code_ready
    assert verdict.code_issue == f"Not shown to run:\n  - {reason}"


def test_a_failure_that_a_finding_tells_is_told_once() -> None:
    told = finding("src/train.py", 1, "KeyError: 'x' in the trial of b")
    rehearsals = (TRIALS[0], ran("trial", "b", "failed"))
    verdict = review(SUBJECT, Evidence(rehearsals), checks=(Said(told),))
    assert "Not shown to run" not in verdict.code_issue


def test_claims_of_a_rejection_are_tested_but_not_those_of_an_approval() -> None:
    def claims_of(ready: Literal[True, False]) -> list[tuple[str, str]]:
        rejection = Rejection(is_code_ready=ready, code_issue="1. src/model.py is missing.")
        return [
            (c.text, c.status) for c in review(SUBJECT, Evidence(), rejection=rejection, checks=()).claims
        ]

    assert claims_of(False) == [("src/model.py is missing.", "confirmed")]
    assert claims_of(True) == []


def test_a_contract_of_other_order_keeps_its_titles() -> None:
    contract = read_contract("1. Use of Hydra\n - x\n2. Model code\n - y\n3. Energy report\n - z\n")
    subject = ParsedBundle(SUBJECT.bundle, contract)
    rows = [(c.number, c.title) for c in review(subject, Evidence(), checks=()).criteria]
    assert rows[1] == (2, "Use of Hydra")
    assert rows[3] == (4, "Model code")
    assert rows[9:] == [(10, "Energy report")]
    assert len(rows) == 10


def test_all_checks_run_on_a_bundle_in_which_everything_is_odd() -> None:
    files = {
        "src/train.py": "def f(:\n",
        "src/main.py": "\0",
        "pyproject.toml": "[",
        "config/config.yaml": "a: [",
        "x.py": "",
    }
    subject = ParsedBundle(Bundle(files=files, run_configs={"config/runs/r.yaml": "- 1"}), STANDARD)
    verdict = review(
        subject, Evidence(), rejection=Rejection(is_code_ready=False, code_issue="x.py is empty.")
    )
    assert not verdict.is_code_ready
