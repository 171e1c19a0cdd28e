"""The example bundle is repaired for real: sandbox, hub double, trials, ledger; plain git reads it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.command import suture

ROOT = Path(__file__).parents[2]
EXPECTED = {
    "cache-dir",
    "child-override-unknown",
    "evaluate-cli",
    "extra-file",
    "hydra-config-name",
    "hydra-node",
    "hydra-version-base",
    "optuna-in-trial",
    "pep621-dependencies",
    "run-id-has-no-keys",
    "run-not-selectable",
    "struct-assignment",
    "struct-merge",
    "undeclared-import",
    "undefined-name",
    "unknown-api-name",
    "unresolved-import",
    "wandb-not-disabled",
    "wandb-summary-json",
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One real repair, shared by the tests."""
    python = os.environ.get("SUTURE_TEST_ENV")
    if not python:
        pytest.skip("SUTURE_TEST_ENV names no interpreter with the experiment libraries")
    folder = tmp_path_factory.mktemp("example")
    bundle = str(ROOT / "examples" / "confidence_penalty")
    done = suture("fix", bundle, "--llm", "off", "--env", python, "--json", cwd=folder)
    return done, folder


def test_it_ends_ready_with_proof(outcome: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, _ = outcome
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["reason"], result["attempts"], result["verdict"]["code_issue"]) == ("ready", 1, "")
    trials = [r for r in result["rehearsals"] if r["phase"] == "trial"]
    proofs = [(r["status"], r["proof"]["optimizer_steps"], r["proof"]["parameters_moved"]) for r in trials]
    assert proofs == [("passed", 2, True), ("passed", 2, True)]


def test_every_planted_defect_was_fixed(outcome: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    result = json.loads(outcome[0].stdout)
    fixed = {f["finding"]["check"] for f in result["fixed"]}
    assert fixed - {"rehearsal-failure"} == EXPECTED


def test_plain_git_tells_the_story(outcome: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    ledger = json.loads(outcome[0].stdout)["ledger"]
    log = subprocess.run(
        ["git", "-C", ledger, "log", "--notes=suture", "main"], capture_output=True, text=True, check=True
    ).stdout
    for word in ("Attempt: 1", "Strategy: codemod", "Gate: accepted", "trial=2/2", "struct-merge"):
        assert word in log
    status = subprocess.run(
        ["git", "-C", ledger, "status", "--porcelain"], capture_output=True, text=True, check=True
    ).stdout
    assert status == ""


def test_repairing_the_repaired_bundle_changes_nothing(
    outcome: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = outcome
    ledger = json.loads(done.stdout)["ledger"]
    assert suture("export", ledger, "--as", "dir", "--out", "repaired", cwd=folder).returncode == 0
    again = suture("review", "repaired", "--no-rehearse", "--json", cwd=folder)
    verdict = json.loads(again.stdout)
    unproven = "Not shown to run:\n  - Nothing was rehearsed, so nothing shows that it runs."
    assert (verdict["findings"], verdict["code_issue"]) == ([], unproven)
