"""Rehearsals in the real sandbox. The interpreter of the tests is enough for everything that must fail."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from policies.contract import STANDARD
from policies.errors import BackendError, UsageError
from policies.records import Bundle, Failure, Phase, Proof, Rehearsal
from tools.sandbox.base import Limits
from tools.trial.base import Rehearser
from tools.trial.environment import default_cache_root
from tools.trial.rehearsal import SandboxRehearser, in_parallel, reconciled, run_ids_of, skipped

ML_PYTHON = os.environ.get("SUTURE_TEST_ENV", "")
needs_ml = pytest.mark.skipif(
    not ML_PYTHON, reason="SUTURE_TEST_ENV does not name an interpreter with the ML libraries"
)
PYPROJECT = '[project]\nname = "b"\nversion = "0"\ndependencies = []\n'
CONFIG = "defaults:\n  - run: null\n  - _self_\nmode: full\nresults_dir: out\n"
HYDRA_MAIN = """\
import subprocess, sys
import hydra
@hydra.main(version_base=None, config_path="../config", config_name="config")
def main(cfg):
    given = [f"run='{cfg.run.run_id}'", f"results_dir={cfg.results_dir}", f"mode={cfg.mode}"]
    subprocess.run(["uv", "run", "python", "-u", "-m", "src.train", *given], check=True)
main()
"""
TRAIN = """\
from pathlib import Path
import hydra
import torch
from torch.utils.data import DataLoader
@hydra.main(version_base=None, config_path="../config", config_name="config")
def main(cfg):
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.run.lr)
    loader = DataLoader(torch.randn(16, 2), batch_size=4)
    for at, batch in enumerate(loader):
        model(batch).pow(2).mean().backward()
        optimizer.step()
        if cfg.mode == "trial" and at == 1:
            break
    Path(cfg.results_dir).mkdir(exist_ok=True)
    Path(cfg.results_dir, "done.txt").write_text(cfg.run.run_id)
main()
"""
LOADS = """\
import torch
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased", cache_dir=".cache/")
model = AutoModelForSequenceClassification.from_pretrained("bert-base-uncased", cache_dir=".cache/")
rows = load_dataset("glue", "sst2", split="train", cache_dir=".cache/").select(range(2))
batch = tokenizer(list(rows["sentence"]), padding=True, return_tensors="pt")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
model(**batch, labels=torch.tensor(list(rows["label"]))).loss.backward()
optimizer.step()
"""


@pytest.fixture(scope="module")
def ml_cache() -> Path:
    """The cache of the user: the hub's store for the ML libraries takes a minute to build, once."""
    return default_cache_root()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the whole module: the hub's store is built once."""
    return tmp_path_factory.mktemp("cache")


def bundle_of(main: str | None, runs: Sequence[str] = ("a",), **modules: str) -> Bundle:
    """A bundle whose entry module is `main`."""
    files = {"pyproject.toml": PYPROJECT, "config/config.yaml": CONFIG}
    files |= {f"src/{name}.py": text for name, text in modules.items()}
    files |= {} if main is None else {"src/main.py": main}
    configs = {f"config/run/{run}.yaml": f"run_id: {run}\nlr: 0.1\n" for run in runs}
    return Bundle(files=files, run_configs=configs)


def trial_of(
    cache: Path,
    bundle: Bundle,
    *,
    python: str = sys.executable,
    limits: Limits | None = None,
    wall_s: float = 60.0,
) -> Rehearsal:
    """The trial of the bundle's run."""
    rehearser: Rehearser = SandboxRehearser(env=python, cache_root=cache, limits=limits, trial_wall_s=wall_s)
    (rehearsal,) = rehearser.rehearse(bundle, STANDARD, phases=("trial",))
    assert rehearsal.wall_s >= 0
    return rehearsal.model_copy(update={"wall_s": 0.0})


def test_a_failure_is_a_record(cache: Path) -> None:
    rehearsal = trial_of(cache, bundle_of("import src.train\n", train="def f(:\n"))
    failure = cast(Failure, rehearsal.failure)
    assert failure.model_copy(update={"tail": ""}) == Failure(
        phase="trial", exception="SyntaxError", message="invalid syntax", file="src/train.py", line=1
    )
    assert failure.tail.endswith("SyntaxError: invalid syntax")
    assert rehearsal == Rehearsal(
        phase="trial", run_id="a", status="failed", wall_s=0.0, failure=failure, proof=Proof()
    )


def test_ending_well_without_work_is_a_failure(cache: Path) -> None:
    rehearsal = trial_of(cache, bundle_of("import sys\nprint(sys.argv[1:])\n"))
    counted = "0 optimizer steps, 0 backward passes and 0 batches were counted"
    assert rehearsal.failure == Failure(
        phase="trial",
        exception="NoWork",
        message=f"exit status 0, but nothing was trained: {counted}",
        file="src/main.py",
        tail="['run=a', 'results_dir=results', 'mode=trial']",
    )


@pytest.mark.parametrize("main", ["", '"""Only words."""\n', "# a comment\n"])
def test_an_empty_entry_is_a_failure(cache: Path, main: str) -> None:
    failure = cast(Failure, trial_of(cache, bundle_of(main)).failure)
    assert (failure.exception, failure.message) == ("NoWork", "src/main.py holds no statement")


def test_a_missing_entry_is_skipped(cache: Path) -> None:
    expected = skipped("trial", "a", "src/main.py is missing.")
    assert trial_of(cache, bundle_of(None, train="x = 1\n")) == expected


def test_running_on_is_a_failure_with_a_place(cache: Path) -> None:
    rehearsal = trial_of(cache, bundle_of("import time\ndef wait():\n    time.sleep(99)\nwait()\n"), wall_s=3)
    failure = cast(Failure, rehearsal.failure)
    assert (failure.exception, failure.message) == ("Timeout", "still running after 3 s")
    assert (failure.file, failure.line, failure.function) == ("src/main.py", 3, "wait")


def test_the_memory_limit_is_a_failure(cache: Path) -> None:
    rehearsal = trial_of(
        cache,
        bundle_of("x = [bytearray(10**8) for _ in range(99)]\n"),
        limits=Limits(memory_bytes=400 * 2**20),
    )
    assert cast(Failure, rehearsal.failure).exception == "MemoryLimit"


def test_the_checkout_holds_the_bundle_and_what_is_written_is_proof(cache: Path) -> None:
    code = (
        "import os\nfrom pathlib import Path\n"
        "print(sorted(str(p) for p in Path().rglob('*') if p.is_file() and '__pycache__' not in p.parts))\n"
        "Path('results').mkdir()\nPath('results/x').write_text('1')\nos.makedirs('.cache/y')\n"
        "Path('.cache/y/z').write_text('1')\n"
    )
    rehearsal = trial_of(cache, bundle_of(code))
    assert rehearsal.proof == Proof(files_written=(".cache/", "results/x"))
    assert cast(Failure, rehearsal.failure).tail == str(
        ["config/config.yaml", "config/run/a.yaml", "pyproject.toml", "src/main.py"]
    )


def test_outside_there_is_nothing_to_reach_or_to_read(cache: Path) -> None:
    code = (
        "import os, socket\n"
        "for name in sorted(os.environ):\n    print(name)\n"
        "socket.create_connection(('192.0.2.1', 80), 1)\n"
    )
    os.environ["SUTURE_SECRET_FOR_TEST"] = "1"
    rehearsal = trial_of(cache, bundle_of(code))
    failure = cast(Failure, rehearsal.failure)
    assert "SUTURE_SECRET_FOR_TEST" not in failure.tail and "WANDB_API_KEY" in failure.tail
    assert rehearsal.proof == Proof(network_refused=("192.0.2.1:80",))
    assert (failure.file, failure.line) == ("src/main.py", 4)


def test_all_phases_in_order_and_nothing_runs_twice(cache: Path) -> None:
    said: list[str] = []
    rehearser = SandboxRehearser(env=sys.executable, cache_root=cache, progress=said.append)
    assert rehearser.installed == {}
    found = rehearser.rehearse(bundle_of("print(1)\n", ("b", "a")), STANDARD)
    assert [(r.phase, r.run_id, r.status) for r in found] == [
        ("install", "", "passed"),
        ("compose", "a", "skipped"),
        ("compose", "b", "skipped"),
        ("trial", "a", "failed"),
        ("trial", "b", "failed"),
    ]
    ended = [run_id for line in said for run_id in ("a", "b") if f"trial of {run_id} failed after" in line]
    assert sorted(ended) == ["a", "b"]


def test_requirements_that_cannot_be_had_leave_nothing_to_run(cache: Path) -> None:
    wanted = PYPROJECT.replace("[]", '["no-such-distribution-of-ours==9"]')
    bundle = bundle_of("print(1)\n").with_file("pyproject.toml", wanted)
    rehearser = SandboxRehearser(env="auto", cache_root=cache, pip_args=["--no-index"])
    phases: tuple[Phase, ...] = ("compose", "trial")
    found = rehearser.rehearse(bundle, STANDARD, phases=phases)
    assert [(r.phase, r.status) for r in found] == [("compose", "skipped"), ("trial", "skipped")]
    assert all(r.note.startswith("No environment: ") for r in found)


def test_the_real_hub_is_refused_with_a_reason() -> None:
    with pytest.raises(UsageError, match="network"):
        SandboxRehearser(hub="real")


def test_a_cache_that_cannot_be_written_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    rehearser = SandboxRehearser(env=sys.executable, cache_root=tmp_path / "file" / "cache")
    with pytest.raises(
        BackendError, match=r"^the cache .*/file/cache cannot be written: Not a directory; set"
    ):
        rehearser.verify()


def test_run_ids_are_the_names_of_the_run_configs() -> None:
    configs = {"config/runs/b c.yaml": "", "config/runs/a.yml": "", "config/runs/notes.txt": ""}
    assert run_ids_of(Bundle(files={}, run_configs=configs)) == ("a", "b c")


def test_a_passed_trial_overrules_a_module_that_does_not_compose_on_its_own() -> None:
    rehearsal = partial(Rehearsal, run_id="a", wall_s=1.0)
    failure = Failure(phase="compose", exception="E", message="no key", file="src/train.py")
    failed = rehearsal(phase="compose", status="failed", failure=failure)
    passed = rehearsal(phase="trial", status="passed")
    note = "On its own src/train.py fails: no key"
    assert reconciled([failed], [passed]) == [rehearsal(phase="compose", status="passed", note=note), passed]
    lost = rehearsal(phase="trial", status="failed")
    assert reconciled([failed], [lost]) == [failed, lost]


def test_an_interrupt_does_not_wait_for_the_rest() -> None:
    def work(item: str) -> Rehearsal:
        raise KeyboardInterrupt(item)

    with pytest.raises(KeyboardInterrupt):
        in_parallel(work, ["a", "b", "c"], 2)


@needs_ml
def test_a_good_bundle_trains_in_a_child_process(ml_cache: Path) -> None:
    rehearser = SandboxRehearser(env=ML_PYTHON, cache_root=ml_cache)
    bundle = bundle_of(HYDRA_MAIN, ("plain", "odd (1)"), train=TRAIN)
    found = rehearser.rehearse(bundle, STANDARD, phases=("compose", "trial"))
    assert [(r.phase, r.run_id, r.status) for r in found] == [
        ("compose", "odd (1)", "passed"),
        ("compose", "plain", "passed"),
        ("trial", "odd (1)", "passed"),
        ("trial", "plain", "passed"),
    ]
    for rehearsal in found[2:]:
        proof = cast(Proof, rehearsal.proof)
        assert "results/done.txt" in proof.files_written
        assert proof.model_copy(update={"files_written": ()}) == Proof(
            optimizer_steps=2, backward_passes=2, parameters_moved=True, batches=2
        )
    assert "torch" in rehearser.installed


@needs_ml
def test_a_config_that_does_not_compose_is_not_started(ml_cache: Path) -> None:
    bundle = bundle_of(HYDRA_MAIN, train=TRAIN).with_file(
        "config/config.yaml", "mode: full\nresults_dir: out\n"
    )
    rehearser = SandboxRehearser(env=ML_PYTHON, cache_root=ml_cache)
    compose, trial = rehearser.rehearse(bundle, STANDARD, phases=("compose", "trial"))
    assert (compose.status, cast(Failure, compose.failure).file) == ("failed", "config/config.yaml")
    assert trial == skipped("trial", "a", "Not started: the entry module's config does not compose.")


@needs_ml
def test_models_and_data_come_from_the_double(ml_cache: Path) -> None:
    rehearsal = trial_of(ml_cache, bundle_of(LOADS), python=ML_PYTHON, wall_s=120)
    proof = cast(Proof, rehearsal.proof)
    assert (rehearsal.status, proof.trained, proof.hub_requests) == ("passed", True, ())
    assert proof.files_written == (".cache/",)


@needs_ml
def test_what_the_double_refuses_is_told(ml_cache: Path) -> None:
    code = "from transformers import AutoTokenizer\nAutoTokenizer.from_pretrained('nobody/no-such-thing')\n"
    rehearsal = trial_of(ml_cache, bundle_of(code), python=ML_PYTHON)
    assert cast(Failure, rehearsal.failure).exception == "OSError"
    assert any("nobody/no-such-thing" in request for request in cast(Proof, rehearsal.proof).hub_requests)
