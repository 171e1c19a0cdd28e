"""A real rejected bundle goes to ready: codemods, the model's recorded edits and review, trials that pass."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.library import repair
from agent.settings import Settings
from tests.seal_cassette import SealedModel
from tools.intake import read_request

ROOT = Path(__file__).parents[2]
SEED = ROOT.parent / "shared" / "corpus" / "seeds" / "003.txt"
CASSETTE = ROOT / "tests" / "cassettes" / "seed_003.json"


def test_seed_003_ends_ready_with_green_trials(tmp_path: Path) -> None:
    python = os.environ.get("SUTURE_TEST_ENV")
    if not python:
        pytest.skip("SUTURE_TEST_ENV names no interpreter with the experiment libraries")
    if not SEED.exists():
        pytest.skip(f"the corpus is not beside the project: {SEED}")
    request = read_request(SEED)
    model = SealedModel(CASSETTE, request.bundle)
    result = repair(
        request,
        workspace=tmp_path,
        settings=Settings(llm="off", env=python, trial_seconds=60.0),
        model=model,
    )
    anew = "record it anew: repair the seed with a model, then python tests/seal_cassette.py LEDGER CASSETTE"
    assert (model.missing, model.unused) == ([], 0), f"the cassette does not fit the requests: {anew}"
    trials = [
        (r.status, r.proof.trained if r.proof else False) for r in result.rehearsals if r.phase == "trial"
    ]
    assert (result.reason, result.attempts, result.budget.calls) == ("ready", 2, 2), result.detail
    assert trials == [("passed", True), ("passed", True)]
    assert result.verdict.code_issue == ""
