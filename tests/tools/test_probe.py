"""The probes, in real processes, on libraries small enough to be written down here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from policies.records import Proof
from tools.sandbox.base import FileEntry
from tools.trial.inside import probes
from tools.trial.proof import proof_of, written

PROBES = Path(probes.__file__).parent
OPTUNA = {
    "optuna/__init__.py": "from optuna.study.study import Study\n",
    "optuna/study/__init__.py": "",
    "optuna/study/study.py": "class Study:\n    def ask(self):\n        return 'trial'\n",
}
WANDB = {"wandb/__init__.py": "def init(*args, **kwargs):\n    return kwargs\n"}
ASKS = "import optuna\nassert optuna.Study().ask() == 'trial'\n"
ML_PYTHON = os.environ.get("SUTURE_TEST_ENV", "")
needs_ml = pytest.mark.skipif(
    not ML_PYTHON, reason="SUTURE_TEST_ENV does not name an interpreter with the ML libraries"
)
MODEL = """\
import os
import torch
model = torch.nn.Linear(2, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=LR)
def step(graded=True):
    if graded:
        model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
"""


def probed(
    root: Path,
    files: Mapping[str, str],
    code: str,
    *,
    python: str = sys.executable,
    env: Mapping[str, str] = {},
) -> tuple[Proof, str]:
    """What the probes saw of a program, and what it printed."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "program.py").write_text(code)
    log = root / "probe.jsonl"
    basic = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{PROBES}{os.pathsep}{root}",
        "SUTURE_PROBE": str(log),
    }
    done = subprocess.run(
        [python, "program.py"],
        cwd=root,
        env={**basic, "SUTURE_KEEP": "SUTURE_PROBE,SUTURE_KEEP", **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return proof_of(log.read_bytes() if log.exists() else b"", b""), done.stdout


def test_a_program_that_does_nothing_leaves_no_trace(tmp_path: Path) -> None:
    assert probed(tmp_path, {}, "print('done')\n") == (Proof(), "done\n")


def test_calls_are_counted_after_a_lazy_import(tmp_path: Path) -> None:
    code = f"import sys\nassert 'optuna' not in sys.modules\n{ASKS}optuna.Study().ask()\n"
    assert probed(tmp_path, OPTUNA, code)[0] == Proof(optuna_trials=2)


def test_a_probed_module_looks_like_itself(tmp_path: Path) -> None:
    code = (
        "import optuna, optuna.study.study as s, inspect\n"
        "assert 'exec_module' not in vars(s.__loader__) and s.__spec__.loader is s.__loader__\n"
        "assert 'def ask' in inspect.getsource(s) and s.Study.ask.__name__ == 'ask'\n"
    )
    assert probed(tmp_path, OPTUNA, code)[0] == Proof()


def test_wandb_modes_follow_its_own_precedence(tmp_path: Path) -> None:
    code = (
        "import os, wandb\n"
        "wandb.init()\n"
        "wandb.init(settings={'mode': 'offline'})\n"
        "os.environ['WANDB_MODE'] = 'disabled'\n"
        "wandb.init()\n"
        "assert wandb.init(mode='online', project='p') == {'mode': 'online', 'project': 'p'}\n"
    )
    assert probed(tmp_path, WANDB, code)[0] == Proof(wandb_modes=("online", "offline", "disabled", "online"))


@pytest.mark.parametrize("env", ["None", "{'PATH': '/usr/bin'}", "{**os.environ, 'PYTHONPATH': os.getcwd()}"])
def test_children_are_counted_whatever_environment_they_get(tmp_path: Path, env: str) -> None:
    files = {**OPTUNA, "child.py": ASKS}
    start = f"subprocess.run([sys.executable, 'child.py'], env={env}, check=True)\n"
    code = f"import os, subprocess, sys\n{start}{ASKS}"
    assert probed(tmp_path, files, code)[0] == Proof(optuna_trials=2)


def test_forks_and_hard_exits_are_counted_once(tmp_path: Path) -> None:
    code = f"{ASKS}import os\nif os.fork() == 0:\n    optuna.Study().ask()\n    os._exit(0)\nos.wait()\n"
    assert probed(tmp_path, OPTUNA, code)[0] == Proof(optuna_trials=2)


def test_network_attempts_are_noted_but_loopback_is_not(tmp_path: Path) -> None:
    code = (
        "import socket\n"
        "for host in ('127.0.0.1', 'localhost', '192.0.2.1', '192.0.2.1'):\n"
        "    s = socket.socket()\n"
        "    s.settimeout(0.05)\n"
        "    s.connect_ex((host, 9))\n"
        "    s.close()\n"
    )
    assert probed(tmp_path, {}, code)[0] == Proof(network_refused=("192.0.2.1:9",))


def test_the_hidden_sitecustomize_still_runs(tmp_path: Path) -> None:
    files = {"sitecustomize.py": "import builtins\nbuiltins.greeting = 'kept'\n"}
    code = (
        "import sitecustomize\nprint(greeting, sitecustomize.__file__.endswith('probes/sitecustomize.py'))\n"
    )
    assert probed(tmp_path, files, code) == (Proof(), "kept False\n")


def test_a_module_that_does_not_fit_is_left_alone(tmp_path: Path) -> None:
    assert probed(tmp_path, {"wandb.py": "x = 1\n"}, "import wandb\nprint(wandb.x)\n") == (Proof(), "1\n")


def test_without_a_log_nothing_is_installed(tmp_path: Path) -> None:
    code = "import sys\nprint([type(f).__name__ for f in sys.meta_path].count('Finder'))\n"
    assert probed(tmp_path, {}, code, env={"SUTURE_PROBE": ""}) == (Proof(), "0\n")


@needs_ml
@pytest.mark.parametrize(
    ("lr", "body", "expected"),
    [
        ("0.1", "step()\nstep()\n", Proof(optimizer_steps=2, backward_passes=2, parameters_moved=True)),
        ("0.0", "step()\n", Proof(optimizer_steps=1, backward_passes=1)),
        ("0.1", "step(graded=False)\n", Proof()),
        ("0.1", "step()\nos._exit(0)\n", Proof(optimizer_steps=1, backward_passes=1, parameters_moved=True)),
    ],
    ids=["moves", "learning rate 0", "no gradients", "hard exit"],
)
def test_training_steps(tmp_path: Path, lr: str, body: str, expected: Proof) -> None:
    code = MODEL.replace("LR", lr) + body
    assert probed(tmp_path, {}, code, python=ML_PYTHON)[0] == expected


@needs_ml
def test_batches_are_counted_with_worker_processes_too(tmp_path: Path) -> None:
    code = (
        "import torch\nfrom torch.utils.data import DataLoader\n"
        "for workers in (0, 2):\n"
        "    for batch in DataLoader(list(range(6)), batch_size=2, num_workers=workers):\n"
        "        pass\n"
    )
    assert probed(tmp_path, {}, code, python=ML_PYTHON)[0] == Proof(batches=6)


def line(**entry: Any) -> bytes:
    """One line of a probe's log."""
    return json.dumps(entry).encode() + b"\n"


def test_the_last_line_of_each_process_counts() -> None:
    probe_log = (
        line(process="1-a", counts={"batches": 1}, names={})
        + line(
            process="2-b", counts={"batches": 5, "parameters_moved": 1}, names={"wandb_modes": ["disabled"]}
        )
        + line(process="1-a", counts={"batches": 2, "optimizer_steps": "many"}, names=[])
        + b'{"process": "1-a", "counts": {"batc'
    )
    hub_log = (
        line(kind="refused", status=401, path="/api/models/x/y")
        + line(kind="refused", status=401, path="/api/models/x/y")
        + line(kind="assumption", text="x/z is served as a BERT model.")
    )
    assert proof_of(probe_log, hub_log) == Proof(
        batches=7,
        parameters_moved=True,
        wandb_modes=("disabled",),
        hub_requests=("401 /api/models/x/y",),
        assumptions=("x/z is served as a BERT model.",),
    )


def test_files_written_leave_out_the_bundle_and_fold_the_cache() -> None:
    paths = (
        "checkout/src/main.py",
        "checkout/src/__pycache__/main.cpython-311.pyc",
        "checkout/.cache/hub/a",
        "checkout/.cache/hub/b",
        "checkout/results/r/metrics.json",
        "probe.jsonl",
    )
    entries = [FileEntry(PurePosixPath(path), 1) for path in paths]
    found = written(entries, PurePosixPath("checkout"), ["src/main.py"], ".cache/")
    assert found == (".cache/", "results/r/metrics.json")
