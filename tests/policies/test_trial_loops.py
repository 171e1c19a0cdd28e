"""How many rounds the loops of a trial make."""

from __future__ import annotations

import pytest

from policies.contract import STANDARD
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.parsed import ParsedBundle
from policies.records import Bundle
from policies.trial_loops import trial_loops

MERGED = f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
RUNS = {"config/runs/a.yaml": "run_id: a\ntraining:\n  epochs: 3\n  limit: 7\n  accumulate: 4\n"}
MAIN = (
    "import subprocess\nimport sys\n"
    f"{ENTRY}    command = [sys.executable, '-m', 'src.train', f'run={{cfg.run}}']\n"
    "    if cfg.mode == 'trial':\n        command += ['++training.limit=2']\n    subprocess.run(command)\n"
)


def rounds(body: str, main: str = "") -> list[tuple[int | None, int | None, str]]:
    """Rounds, total and late test of every training loop, in line order."""
    files = {**CONFIG, "src/train.py": f"{MERGED}{body}"} | ({"src/main.py": main} if main else {})
    subject = ParsedBundle(Bundle(files=files, run_configs=RUNS), STANDARD)
    return [(f.loop.rounds, f.loop.total, f.loop.late) for f in trial_loops(subject) if f.trains]


def loop(head: str, *, top: str = "pass", bottom: str = "pass") -> str:
    """A loop that trains."""
    return f"    {head}\n        {top}\n        loss.backward()\n        {bottom}\n"


DATA = "for step, batch in enumerate(train_loader):"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (loop("for batch in train_loader:"), (None, None, "")),
        (loop(DATA, top="if step >= 2: break"), (2, 2, "")),
        (loop(DATA, top="if step > 2: break"), (3, 3, "")),
        (loop(DATA, bottom="if step >= 1: break"), (2, 2, "step >= 1")),
        (loop(DATA, bottom="if step > 1: break"), (3, 3, "step > 1")),
        (loop(DATA, bottom="if step + 1 >= 2: break"), (2, 2, "")),
        (loop(DATA, bottom="if cfg.mode == 'trial': break"), (1, 1, "")),
        (loop(DATA, bottom="if cfg.mode == 'full': break"), (None, None, "")),
        (loop(DATA, top="if cfg.training.limit and step >= cfg.training.limit: break"), (7, 7, "")),
        (loop("for _ in range(cfg.training.epochs):"), (3, 3, "")),
        (loop("for _ in range(1 if cfg.mode == 'trial' else 9):"), (1, 1, "")),
        (loop("for _ in range(min(2, cfg.training.limit)):"), (2, 2, "")),
    ],
)
def test_rounds(body: str, expected: tuple[int | None, int | None, str]) -> None:
    assert rounds(body) == [expected]


@pytest.mark.parametrize(
    "body",
    [
        loop("for batch in train_loader:", top="if unknown(): break"),
        loop("for batch in train_loader:", top="if unknown(): continue"),
        loop("for _ in range(unknown()):"),
        loop("for row in rows:"),
        "    if unknown():\n        for batch in train_loader:\n            loss.backward()\n",
    ],
)
def test_what_cannot_be_counted_is_left_out(body: str) -> None:
    assert rounds(body) == []


def test_epochs_multiply_what_starts_anew() -> None:
    body = (
        "    for epoch in range(cfg.training.epochs):\n        for step, batch in enumerate(train_loader):\n"
        "            if step >= 2:\n                break\n            loss.backward()\n"
    )
    assert rounds(body) == [(2, 6, "")]


def test_a_counter_that_goes_on_is_not_multiplied() -> None:
    body = (
        "    done = 0\n    while done < 2:\n        for batch in train_loader:\n            loss.backward()\n"
        "            done += 1\n            if done >= 2:\n                break\n"
    )
    assert rounds(body) == [(2, 2, "")]


def test_the_parent_process_sets_the_limit() -> None:
    body = loop(DATA, top="if cfg.training.limit and step >= cfg.training.limit: break")
    direct = body.replace("cfg.training.limit", "cfg.limit")
    passed = MAIN.replace("training.limit", "limit")
    assert rounds(direct, passed) == [(2, 2, "")]


def test_an_optimizer_behind_a_test_waits() -> None:
    body = loop(
        DATA, top="if step >= 2: break", bottom="if (step + 1) % cfg.training.accumulate == 0: opt.step()"
    )
    files = {**CONFIG, "src/train.py": f"{MERGED}{body}"}
    subject = ParsedBundle(Bundle(files=files, run_configs=RUNS), STANDARD)
    assert [f.loop.accumulates for f in trial_loops(subject)] == [4]
