"""What training code logs and what the evaluation reads, followed through the bundle."""

from __future__ import annotations

from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle
from policies.wandb_logged import OWN, logged
from policies.wandb_reads import key_reads

TRAIN = """import wandb


def scores(name):
    out = {"f1": 1.0, f"{name}_em": 2.0}
    return out, 3


def report(run, row, prefix="eval"):
    row["lr"] = 0.1
    run.log({f"{prefix}_{k}": v for k, v in row.items()})


def fit(cfg):
    run = wandb.init()
    values, _ = scores("dev")
    report(run, values)
    wandb.log({**values, "epoch": 1} | {"step": 2})
    for key in ("a", "b"):
        run.summary[f"best_{key}"] = 0
    run.summary.update({"final": 1})
    run.log(dict(loss=1), step=cfg.step)
    run.log({"lr2": 1}, step=cfg.step)
"""
EVALUATE = """import wandb

KEY = "eval_f1"


def load(run_id):
    run = wandb.Api().run(run_id)
    history = run.history(samples=9)
    return history, run.summary._json_dict


def draw(table):
    print(table[KEY].max())
    if "loss" in table.columns:
        print(table["loss"])


tables = {}
for run_id in ids:
    rows, summary = load(run_id)
    tables[run_id] = rows
    print(summary.get("best_a") or summary.get("best_c"), summary["final"])
for name, one in tables.items():
    draw(one)
    one["made"] = 1
    print(one["made"], one[["_step", "epoch"]])
"""


def bundle(**texts: str) -> ParsedBundle:
    files = {f"src/{name}.py": text for name, text in texts.items()}
    return ParsedBundle(Bundle(files=files), STANDARD)


def test_keys_are_followed_through_helpers_merges_and_patterns() -> None:
    known = logged(bundle(train=TRAIN))
    assert not known.unknown
    # What a helper adds to a dictionary it is given counts everywhere: more is included, never less.
    assert known.history - OWN == {
        "eval_f1",
        "eval_dev_em",
        "eval_lr",
        "f1",
        "dev_em",
        "lr",
        "epoch",
        "step",
        "loss",
        "lr2",
    }
    assert known.written == {"best_a", "best_b", "final"}


def test_calls_that_name_one_step_are_one_row() -> None:
    assert {"loss", "lr2"} in logged(bundle(train=TRAIN)).rows
    apart = "import wandb\n\nfor i in r:\n    wandb.log({'a': 1}, step=i)\n    if i % 9 == 0:\n"
    rows = logged(bundle(train=apart + "        wandb.log({'b': 1}, step=i)\n")).rows
    assert sorted(map(sorted, rows)) == [["a"], ["b"]]


def test_what_cannot_be_read_makes_everything_possible() -> None:
    for text in (
        "import wandb\n\nwandb.log(f())\n",
        "from transformers import TrainingArguments\n\nTrainingArguments(report_to='wandb')\n",
        "def broken(:\n",
    ):
        assert logged(bundle(train=text)).has("anything", summary=True)
    assert not logged(bundle(train="import math\n\nmath.log(2)\n")).unknown


def test_reads_are_found_through_returns_collections_and_parameters() -> None:
    reads = key_reads(bundle(train=TRAIN, evaluate=EVALUATE))
    assert {(r.key, r.kind, r.hard) for r in reads} == {
        ("eval_f1", "history", True),
        ("loss", "history", False),
        ("best_a", "summary", False),
        ("best_c", "summary", False),
        ("final", "summary", True),
        ("_step", "history", True),
        ("epoch", "history", True),
    }
    groups = {r.key: r.group for r in reads}
    assert groups["best_a"] == groups["best_c"] != groups["final"]


def test_a_name_that_also_holds_something_else_is_left_alone() -> None:
    text = "import wandb\n\nrun = wandb.Api().run('r')\ndf = run.history()\ndf = other()\nprint(df['x'])\n"
    assert key_reads(bundle(evaluate=text)) == ()
