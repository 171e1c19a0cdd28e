"""Claims are held against the bundle: true ones are never refuted, false ones a machine can test are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from policies import claims
from policies.base import Evidence
from policies.contract import STANDARD
from policies.contract_reader import contract_of
from policies.parsed import ParsedBundle
from policies.records import Bundle, Claim, Failure, Finding, Proof, Rehearsal, Severity
from policies.review import find_all
from tools.intake import read_request

SHARED = Path(__file__).parents[2].parent / "shared"
TRAIN = """import torch
from .model import build
from .helpers import seed


def train(cfg: DictConfig) -> None:
    # we skip the second stage for brevity
    model = build(cfg.model.size)
    data = data.shuffle()
    print(cfg.model.depth, model)


def later(results) -> None:
    pass
"""
MODEL = """import torch.nn as nn


class Net(nn.Module):
    def __init__(self) -> None:
        self.scale = 1.0


def build(size: int) -> Net:
    return Net()
"""
EVALUATE = """import argparse
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("results_dir")
parser.add_argument("run_ids")
"""
BROKEN = "def f( -> int:\n    return 1\n"
PYPROJECT = '[project]\nname = "x"\ndependencies = ["torch>=2", "scikit-learn"]\n'
FILES = {
    "src/train.py": TRAIN,
    "src/model.py": MODEL,
    "src/evaluate.py": EVALUATE,
    "src/preprocess.py": BROKEN,
    "src/main.py": "",
    "pyproject.toml": PYPROJECT,
    "config/config.yaml": "results_dir: out\n",
}
RUNS = {
    "config/runs/a.yaml": "run_id: a\nmodel:\n  size: 1\n  depth: 2\n  warm_start: true\n",
    "config/runs/b.yaml": "run_id: b\nmodel:\n  size: 1\n",
}
NOTHING = Evidence()
SUBJECT = ParsedBundle(Bundle(files=FILES, run_configs=RUNS), STANDARD)


def held(text: str, evidence: Evidence = NOTHING, findings: tuple[Finding, ...] = ()) -> Claim:
    (claim,) = claims.test_claims((text,), SUBJECT, findings, evidence)
    return claim


CONFIRMED = [
    (
        "train.py imports `from .helpers import seed`, but src/helpers.py is not provided.",
        "no src/helpers.py",
    ),
    ("src/helpers.py is missing.", "the bundle has no src/helpers.py"),
    ("preprocess.py contains a syntax error.", "src/preprocess.py:1 does not parse: "),
    ("train.py: DictConfig is used in annotations but never imported.", "src/train.py:6 uses `DictConfig`"),
    ("train.py misses `from omegaconf import DictConfig`.", "nothing in the file binds it"),
    ("NameError: name 'DictConfig' is not defined.", "src/train.py:6"),
    ("In train.py `data` is used before it is assigned.", "src/train.py:9 train() reads `data`"),
    ("Net has no forward() method.", "src/model.py:4 class Net has no forward; it has __init__, scale"),
    ("Class Net lacks a `config` attribute.", "has no config"),
    ("Required files are empty (main.py).", "src/main.py is empty"),
    (
        "The parameter warm_start from the run config is ignored.",
        "`warm_start` (set at config/runs/a.yaml:5)",
    ),
    ("model.warm_start is never read.", "no mention in the bundle's code"),
    ("train.later() is a stub.", "src/train.py:13 later() does nothing"),
    ('train.py has the comment "skip the second stage for brevity".', "src/train.py:7 `# we skip"),
    ("evaluate.py uses numpy but pyproject.toml does not list numpy.", "does not declare numpy"),
    ("cfg.model.depth is missing in the baseline configs.", "the config of b has no such key"),
    ("evaluate.py does not read config/config.yaml.", "nowhere names config.yaml"),
    ("evaluate.py takes positional arguments, so `results_dir=x` is wrong.", "src/evaluate.py:5"),
    ("evaluate.py draws no confusion matrix.", "no code in src/evaluate.py mentions a confusion matrix"),
    ("The `.cache/` cache directory is never used.", "no file of the bundle names `.cache`"),
]


@pytest.mark.parametrize(("text", "evidence"), CONFIRMED)
def test_confirmed(text: str, evidence: str) -> None:
    claim = held(text)
    assert (claim.status, evidence in claim.evidence) == ("confirmed", True), claim


REFUTED = [
    (
        "train.py imports `from .model import build`, but src/model.py does not exist.",
        "src/model.py is in the",
    ),
    ("src/model.py is not provided.", "src/model.py is in the bundle and has 10 lines"),
    ("model.py has a syntax error: `def build(size: int) -\\u003e Net`.", "src/model.py:9 reads `def build("),
    ("evaluate.py cannot be parsed.", "src/evaluate.py parses without error"),
    ("train.py never imports torch although `torch` is used.", ""),
    ("Net has no __init__() method.", "src/model.py:4 class Net has __init__"),
    (
        "Without src/__init__.py `python -m src.train` cannot import the package.",
        "namespace package (PEP 420)",
    ),
    ("pyproject.toml does not declare torch.", "pyproject.toml declares `torch>=2`"),
    ("The files config/runs/*.yaml are missing.", "run configs are given from outside"),
    ("There is only a JSON wrapper instead of real files.", "the JSON keys are the transport format"),
    ("model.py is empty.", "src/model.py has 10 lines"),
]


@pytest.mark.parametrize(("text", "evidence"), REFUTED)
def test_refuted(text: str, evidence: str) -> None:
    claim = held(text)
    expected = "unverified" if not evidence else "refuted"
    assert (claim.status, evidence in claim.evidence) == (expected, True), claim


@pytest.mark.parametrize(
    "text",
    [
        "The learning rate schedule is wrong.",
        "main.py and model.py are empty.",
        "train.py returns an empty dict on failure.",
        "cfg.model.size is missing in the baseline configs.",
        "The depth is ignored.",
        "This breaks both scripts.",
        "The Hydra override has a syntax error.",
        "An extra file would violate the rules.",
        "match statements are a syntax error on Python 3.9.",
        "Unknown has no forward() method.",
        "Net has no forward() method and will raise NotImplementedError.",
        "model.py is missing a forward method.",
        "evaluate.py: the run_ids argument cannot be parsed.",
        "train.py does not parse key=value arguments as JSON.",
        "The code does not compile the model with torch.compile.",
        "train.py passes an override with a syntax error to Hydra.",
        "train.py imports `from .model import build`, an ImportError caused by a circular import.",
        "pyproject.toml lacks a version bound for torch.",
        "pyproject.toml declares torch but lacks a build backend.",
        "Net.__init__ never calls the parent, so Python raises AttributeError.",
        "pip install finds no package because src/__init__.py is missing.",
        "model.py is essentially empty.",
        "src/helpers2.py does not parse.",
    ],
)
def test_what_cannot_be_shown_is_not_decided(text: str) -> None:
    assert held(text).status in ("unverified", "judgement")


def test_quality_is_a_matter_of_judgement() -> None:
    assert held("The baseline is not faithful to the paper.").status == "judgement"
    assert held("The results come out upside down.").status == "unverified"


def test_rehearsals_and_findings_confirm() -> None:
    failure = Failure(
        phase="trial", exception="KeyError", message="'labels'", file="src/train.py", line=8, function="train"
    )
    failed = Evidence((Rehearsal(phase="trial", run_id="a", status="failed", wall_s=1, failure=failure),))
    claim = held('train.py reads batch["labels"], which raises KeyError for `labels`.', failed)
    assert claim.status == "confirmed"
    assert claim.evidence == "trial of a: KeyError: 'labels' at src/train.py:8"
    finding = Finding(
        check="undeclared-import",
        criterion=2,
        severity=Severity.BLOCKING,
        file="src/evaluate.py",
        line=2,
        message="`seaborn` is not declared",
        evidence="import seaborn",
    )
    claim = held("evaluate.py imports `seaborn`, an undeclared dependency.", findings=(finding,))
    assert claim.status == "confirmed"
    assert "finding undeclared-import" in claim.evidence


def test_rehearsed_trials_tell_the_mode_of_wandb() -> None:
    def ran(mode: str) -> Evidence:
        proof = Proof(optimizer_steps=1, parameters_moved=True, wandb_modes=(mode,))
        return Evidence((Rehearsal(phase="trial", run_id="a", status="passed", wall_s=1, proof=proof),))

    text = "The wandb mode is not set to disabled in trial mode."
    assert [held(text, ran(mode)).status for mode in ("online", "disabled")] == ["confirmed", "refuted"]


def test_praise_is_refuted_by_what_the_checks_found() -> None:
    finding = Finding(
        check="pep621-dependencies",
        criterion=2,
        severity=Severity.BLOCKING,
        file="pyproject.toml",
        line=3,
        message="no list",
        evidence="x",
    )
    assert held("Everything else complies.", findings=(finding,)).status == "refuted"
    assert held("Everything else complies.").status != "refuted"


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z_]\w{2,}", text.lower()))


def nearest(text: str, found: tuple[Claim, ...]) -> Claim | None:
    """The claim of ours that shares most words with a statement, if it is most of them."""
    wanted = words(text)
    best = max(found, key=lambda c: len(wanted & words(c.text)) / len(wanted | words(c.text)), default=None)
    return best if best and len(wanted & words(best.text)) >= 0.5 * len(wanted) else None


def reviewed(path: Path) -> tuple[Claim, ...]:
    request = read_request(path)
    assert request.rejection is not None
    subject = ParsedBundle(request.bundle, contract_of(request), request.context)
    split = claims.split_claims(request.rejection.code_issue)
    return claims.test_claims(split, subject, find_all(subject, Evidence()), Evidence())


def test_against_the_adjudicated_rejections() -> None:
    truth_file = SHARED / "seeds_truth.json"
    if not truth_file.exists():
        pytest.skip(f"the adjudicated claims are not there: {truth_file}")
    statuses: dict[tuple[str, str], int] = {}
    for name, truth in json.loads(truth_file.read_text(encoding="utf-8")).items():
        found = reviewed(SHARED / "corpus" / name)
        for item in truth["claims"]:
            claim = nearest(item["text"], found)
            if claim is None:
                continue
            key = (item["verdict"], claim.status)
            statuses[key] = statuses.get(key, 0) + 1
            assert key != ("TRUE", "refuted"), (name, claim)
    assert statuses.get(("TRUE", "confirmed"), 0) >= 12
    assert statuses.get(("FALSE", "refuted"), 0) >= 4


@pytest.mark.parametrize(("name", "spelled", "count"), [("001", "-\\u003e", 2), ("004", "-\\>", 1)])
def test_escapes_are_no_syntax_errors(name: str, spelled: str, count: int) -> None:
    path = SHARED / "corpus" / "seeds" / f"{name}.txt"
    if not path.exists():
        pytest.skip(f"the corpus is not there: {path}")
    about = [c for c in reviewed(path) if spelled in c.text]
    assert [c.status for c in about] == ["refuted"] * count
    assert all(
        spelled in c.evidence and "-> " in c.evidence and re.search(r"\.py:\d+", c.evidence) for c in about
    )
