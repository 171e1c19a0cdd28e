"""Statements about facts of the code: what is launched, dropped, constant, or follows from another."""

from __future__ import annotations

import pytest

from policies import claims
from policies.base import Evidence
from policies.contract import STANDARD, Contract, Criterion
from policies.parsed import ParsedBundle
from policies.records import (
    Bundle,
    Claim,
    ClaimStatus,
    Failure,
    Finding,
    Proof,
    Rehearsal,
    ResearchContext,
    Severity,
)

TRAIN = """import wandb
from datasets import load_metric
from omegaconf import DictConfig
from .helpers import seed


def report(cfg: DictConfig, run, loss):
    for name, space in cfg.optuna.search_space.items():
        print(name, space.low)
    wandb.init()
    wandb.log({"loss": loss})


def _stats(batch, cfg):
    width = cfg.model.width
    length = batch["mask"].sum()
    return width, length


def objective(trial, model):
    model.train()
    return trial.suggest_float("lr", 0, 1)


def warm_up(model, loader, cfg):
    for _ in range(cfg.model.warm_steps):
        model(next(loader))


def step(model, batch):
    labels = batch.pop("labels")
    return model(batch, labels)


def volume(good, cost, limit):
    return good * (limit.cost - cost)


def gap(ours, theirs):
    return ours - theirs
"""
MODEL = """from typing import Dict


def sizes(raw):
    found: Dict[str, Any] = {}
    return found


def build(cfg: Config):
    return cfg
"""
PREPROCESS = """from datasets import load_dataset


def rows(data, tokenizer):
    def tok(ex):
        return tokenizer(ex["text"], truncation=True)

    return data.map(tok, batched=True, remove_columns=data.column_names)
"""
EVALUATE = """import wandb


def curve(folder, run_id, plt):
    plt.savefig(folder / f"{run_id}_curve.pdf")
    plt.savefig(folder / "comparison_bars.pdf")


def load(api, run_id):
    return api.run(f"team/project/{run_id}")


def store(best):
    return {"primary_metric": best}
"""
MAIN = """import subprocess
import sys

import hydra


@hydra.main(version_base=None, config_path="../config", config_name="config")
def main(cfg):
    subprocess.run([sys.executable, "-m", "src.train"], check=True)
"""
FILES = {
    "src/train.py": TRAIN,
    "src/model.py": MODEL,
    "src/preprocess.py": PREPROCESS,
    "src/evaluate.py": EVALUATE,
    "src/main.py": MAIN,
    "pyproject.toml": "",
    "config/config.yaml": "",
}
RUNS = {
    "config/runs/a.yaml": "run_id: a\nmodel:\n  width: 8\n  warm_steps: 90\n"
    "optuna:\n  search_space:\n    lr:\n      low: 1\n"
}
CRITERIA = (
    Criterion(number=1, title="Complete implementation", sentences=("No placeholders.",)),
    Criterion(number=5, title="File structure", sentences=("Exactly these files and NO other files.",)),
    Criterion(number=8, title="Evaluation script independence", sentences=("`comparison_{topic}.pdf`",)),
    Criterion(number=9, title="Mode-based implementation", sentences=("1-2 batches in a trial.",)),
)
CONTRACT: Contract = STANDARD.model_copy(update={"criteria": CRITERIA})
CONTEXT = ResearchContext(primary_metric="Mean score over all seeds")
SUBJECT = ParsedBundle(Bundle(files=FILES, run_configs=RUNS), CONTRACT, CONTEXT)


def held(
    prose: str, evidence: Evidence | None = None, findings: tuple[Finding, ...] = ()
) -> tuple[Claim, ...]:
    split = claims.split_claims(prose)
    return claims.test_claims(split, SUBJECT, findings, evidence or Evidence())


@pytest.mark.parametrize(
    ("text", "status", "evidence"),
    [
        ("main.py launches the training in a subprocess.", "confirmed", "src/main.py:9 `subprocess.run("),
        ("A nested Hydra launch is not part of the CLI contract.", "refuted", "no sentence of the criteria"),
        ("1. Requirement 5 forbids extra files.", "confirmed", "criterion 5 says: Exactly these files"),
        ("preprocess.py drops the label column.", "confirmed", "src/preprocess.py:8 removes every column"),
        ('step() expects batch["labels"].', "confirmed", "src/train.py:31 `labels = batch.pop("),
        ("_stats uses a constant width value", "confirmed", "src/train.py:15 `width = cfg.model.width`"),
        ("objective re-uses the same model instance for every trial", "unverified", ""),
        ("`objective` re-uses the same model instance for every trial", "confirmed", "`model` from outside"),
        ("`volume` ignores metric direction", "refuted", "subtracts cost; good, limit enter"),
        ("Budget calibration is not implemented anywhere.", "confirmed", "mentions `calibr`"),
        ("No Optuna handling.", "confirmed", "no file of the bundle has Optuna"),
        ("model.py has no error handling.", "confirmed", "src/model.py has no error handling"),
        ("train.py calls `model.train()`.", "confirmed", "src/train.py:21 `model.train()`"),
        ("The W&B entity and project are hard-coded.", "confirmed", "spells `team/project/`"),
        (
            "Figure names do not follow the prescribed pattern.",
            "refuted",
            "src/evaluate.py:5 `f'{run_id}_curve",
        ),
        (
            "evaluate.py stores another string instead of the exact primary metric.",
            "confirmed",
            "src/evaluate.py:14 stores `best`",
        ),
        (
            "AutoModelForSequenceClassification is unavailable for Llama-2.",
            "refuted",
            "maps the model type `llama`",
        ),
        ("AutoModelForSeq2SeqLM does not exist for Qwen3.", "confirmed", "no class of AutoModelForSeq2SeqLM"),
        (
            "In trial mode warm_up still runs cfg.model.warm_steps batches.",
            "confirmed",
            "`model.warm_steps` (90)",
        ),
        ("model.py: NameError for `Any` when the module is imported.", "refuted", "never evaluates"),
        (
            "model.py: NameError for `Config` when the module is imported.",
            "confirmed",
            "src/model.py:9 evaluates",
        ),
        ("`space` is a dict, but the code reads `space.low`.", "refuted", "yields sections of the config"),
        ("model.py never creates `prompt_mask`.", "confirmed", "src/model.py nowhere mentions `prompt_mask`"),
        ("Only `loss` and `acc` are logged.", "unverified", ""),
        ("Only `loss` is logged.", "confirmed", "src/train.py:11, log no other key"),
        ("`acc` is never logged.", "confirmed", "logs `acc`"),
        ("`loss` is never logged.", "refuted", "`loss` is logged at src/train.py:11"),
        ("train.py logs `loss`.", "confirmed", "src/train.py:11"),
        ("`load_metric` was removed from datasets.", "confirmed", "has no datasets.load_metric"),
        ("`tokenizer.as_target_tokenizer()` was removed in 4.38.", "refuted", "transformers 4.57.1 has"),
        ("evaluate.py produces only a learning-curve and a bar chart.", "confirmed", "no other figure"),
        ("evaluate.py generates only a bar-chart.", "unverified", ""),
        ("Annotations are evaluated eagerly since Python 3.10.", "unverified", "Partly so. annotations of"),
    ],
)
def test_one_statement(text: str, status: ClaimStatus, evidence: str) -> None:
    (claim,) = held(text)
    assert (claim.status, evidence in claim.evidence) == (status, True), claim


@pytest.mark.parametrize(
    "text",
    [
        "`gap` ignores metric direction",
        "The subprocess gets no mode, which is outside the CLI contract.",
        "main.py launches evaluate.py via subprocess, which is forbidden by the criteria.",
        "The figures are missing axis names.",
        "AutoModelForSequenceClassification for Llama-2 will fail without a pad token.",
        "There is no label smoothing field.",
        "No data pipeline for the second task.",
        'step() expects batch["labels"] to be floats.',
        "train.py calls `model.train()` too late.",
        "_stats uses a constant length value",
        "train.py does not run validation.",
    ],
)
def test_what_the_tests_leave_alone(text: str) -> None:
    assert {claim.status for claim in held(text)} <= {"unverified", "judgement"}


@pytest.mark.parametrize(
    ("prose", "statuses"),
    [
        (
            "1. train.py imports `from .helpers import seed`, but src/helpers.py is not provided. "
            "This causes an ImportError and breaks the file-structure rule (requirement 5).",
            ["confirmed", "confirmed", "confirmed"],
        ),
        (
            "1. train.py imports `from .helpers import seed`, but src/helpers.py is not provided. "
            "This breaks both training and the Optuna objective.",
            ["confirmed", "confirmed"],
        ),
        (
            "1. In trial mode warm_up still runs cfg.model.warm_steps batches. "
            "This contradicts requirement 9.",
            ["confirmed", "confirmed"],
        ),
        (
            '1. preprocess.py drops the label column; step() expects batch["labels"]. '
            "Any classification data will raise a KeyError.",
            ["confirmed", "confirmed", "confirmed"],
        ),
        ("1. model.py is empty. This breaks training.", ["refuted", "refuted"]),
        ("1. model.py is empty. It is never imported.", ["refuted", "unverified"]),
        ("1. The schedule is odd. This contradicts requirement 9.", ["unverified", "judgement"]),
        ("1. model.py is empty.\n2. This breaks training.", ["refuted", "unverified"]),
    ],
)
def test_what_follows_is_as_sure_as_what_it_rests_on(prose: str, statuses: list[str]) -> None:
    assert [claim.status for claim in held(prose)] == statuses


def test_an_error_that_comes_second_is_not_immediate() -> None:
    sooner = Finding(
        check="struct-merge",
        criterion=2,
        severity=Severity.BLOCKING,
        file="src/main.py",
        line=8,
        message="the merge fails",
        evidence="x",
    )
    prose = (
        "1. train.py imports `from .helpers import seed`, but src/helpers.py is not provided. "
        "This causes an immediate ImportError."
    )
    claim = held(prose, findings=(sooner,))[1]
    assert claim.status == "unverified"
    assert claim.evidence.startswith("Partly so. line 4 does fail, but not first: src/main.py:8 stops")


def ran(*, status: str = "passed", exception: str = "ValueError") -> Evidence:
    proof = Proof(optimizer_steps=2, parameters_moved=True)
    failure = Failure(phase="trial", exception=exception, message="bad", file="src/train.py", line=3)
    passed = status == "passed"
    trial = Rehearsal(
        phase="trial",
        run_id="a",
        status="passed" if passed else "failed",
        wall_s=1,
        proof=proof if passed else None,
        failure=None if passed else failure,
    )
    return Evidence((trial, Rehearsal(phase="full", run_id="a", status="passed", wall_s=1, proof=proof)))


@pytest.mark.parametrize(
    ("text", "evidence", "status"),
    [
        ("The code cannot be executed as is.", ran(), "refuted"),
        ("The code cannot be executed as is.", ran(status="failed"), "confirmed"),
        ("The code cannot be executed as is.", Evidence(), "unverified"),
        ("The code cannot be executed when CUDA is missing.", ran(), "unverified"),
        ("A KeyError is raised before any training starts.", ran(status="failed"), "unverified"),
        ("A ValueError is raised before any training starts.", ran(status="failed"), "confirmed"),
        ("The code cannot be executed as is.", Evidence(ran().rehearsals[:1]), "unverified"),
    ],
)
def test_rehearsals_tell_whether_it_runs(text: str, evidence: Evidence, status: str) -> None:
    (claim,) = claims.test_claims((text,), SUBJECT, (), evidence)
    assert claim.status == status, claim


STILL = "In trial mode warm_up still runs cfg.model.warm_steps batches."


def test_trials_that_were_counted_refute_a_claim_about_their_length() -> None:
    assert claims.test_claims((STILL,), SUBJECT, (), Evidence())[0].status == "confirmed"
    (claim,) = claims.test_claims((STILL,), SUBJECT, (), ran())
    told = "the trials were rehearsed and passed with 0 batches at most, not"
    assert (claim.status, claim.evidence[: len(told)]) == ("refuted", told)


def test_a_length_that_is_changed_after_it_was_read_is_left_open() -> None:
    head = "    for _ in range(cfg.model.warm_steps):\n"
    shorter = "    count = cfg.model.warm_steps\n    if loader.small:\n        count = 2\n"
    shorter += "    for _ in range(count):\n"
    assert head in TRAIN
    changed = SUBJECT.bundle.with_file("src/train.py", TRAIN.replace(head, shorter))
    (claim,) = claims.test_claims((STILL,), SUBJECT.replace(changed), (), Evidence())
    assert claim.status == "unverified"
