"""The loop on small bundles, with a rehearser that only reads text: ends, budgets, best, resume."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import git
import pytest

from agent.library import repair, resume
from agent.settings import Settings
from policies.base import Api
from policies.budget import Budget
from policies.contract import STANDARD, Contract
from policies.errors import Interrupted
from policies.hydra.examples import CONFIG, ENTRY, LOAD, RUNS
from policies.records import Bundle, Failure, Phase, Proof, Rehearsal, Request
from tools.ledger_read import LedgerReader
from tools.llm.base import ModelReply, ModelRequest
from tools.llm.scripted import ScriptedModel

PYPROJECT = (
    '[project]\nname = "x"\nversion = "0.1"\nrequires-python = ">=3.10"\n'
    'dependencies = ["hydra-core>=1.3", "omegaconf>=2.3", "wandb>=0.16"]\n\n[tool.uv]\npackage = false\n'
)
EVALUATE = "import json\nimport sys\n\nargs = dict(a.split('=', 1) for a in sys.argv[1:])\n"
EVALUATE += "FILES = ('metrics.json', 'comparison/aggregated_metrics.json')\n"
EVALUATE += "KEYS = ('primary_metric', 'metrics', 'best_proposed', 'best_baseline', 'gap')\n"
EVALUATE += "print(args['results_dir'], json.loads(args['run_ids']), FILES, KEYS)\n"
TRAIN = f"{ENTRY}{LOAD}    cfg = OmegaConf.merge(cfg, run_cfg)\n    print(cfg.model.name, results(cfg))\n"


class TextRehearser:
    """Passes a trial when `needle` is in train.py: a stand-in for running it."""

    def __init__(self, needle: str = "set_struct") -> None:
        self.needle = needle
        self.calls = 0

    @property
    def installed(self) -> Mapping[str, Api]:
        """No environment is known."""
        return {}

    def rehearse(
        self,
        bundle: Bundle,
        contract: Contract,
        *,
        phases: Sequence[Phase] = ("trial",),
        run_ids: Sequence[str] = (),
    ) -> tuple[Rehearsal, ...]:
        """One trial of run `a`."""
        self.calls += 1
        if self.needle in bundle.files["src/train.py"]:
            proof = Proof(optimizer_steps=2, backward_passes=2, parameters_moved=True, batches=2)
            return (Rehearsal(phase="trial", run_id="a", status="passed", wall_s=0.1, proof=proof),)
        failure = Failure(
            phase="trial", exception="NameError", message="it does not run", file="src/train.py", line=9
        )
        return (Rehearsal(phase="trial", run_id="a", status="failed", wall_s=0.1, failure=failure),)


def request(train: str) -> Request:
    """A small request around a train.py; the other files are filled in to satisfy the contract."""
    body = {path: f'"""{path}"""\n\nVALUE = 1\n' for path in STANDARD.files if path.endswith(".py")}
    files = {
        **body,
        **CONFIG,
        "pyproject.toml": PYPROJECT,
        "src/train.py": train,
        "src/evaluate.py": EVALUATE,
    }
    return Request(source="x", kind="directory", bundle=Bundle(files=files, run_configs=RUNS))


def answer(anchor: str, text: str) -> str:
    """A model's answer with one replacement in train.py."""
    edit = {"file": "src/train.py", "kind": "replace", "anchor": anchor, "text": text}
    return json.dumps({"analysis": "the name is not defined", "edits": [edit], "unresolved": []})


APPROVAL = json.dumps({"claims": [], "is_code_ready": True})
"""A reviewing model's answer that claims nothing."""


def off(**budget: float) -> Settings:
    """Settings without a model."""
    return Settings(llm="off", budget=Budget(**budget))  # type: ignore[arg-type]  # numbers of either kind


def checks_of(result: object) -> list[str]:
    return sorted({f.check for f in result.verdict.blocking})  # type: ignore[attr-defined]  # a RepairResult


GOOD = TRAIN.replace("results(cfg)", "cfg.mode")


def test_codemods_make_it_ready(tmp_path: Path) -> None:
    result = repair(request(GOOD), workspace=tmp_path, settings=off(), rehearser=TextRehearser())
    assert checks_of(result) == []
    assert (result.reason, result.attempts, result.verdict.is_code_ready) == ("ready", 1, True)
    repo = git.Repo(result.ledger)
    assert repo.commit("ready").hexsha == repo.commit("best").hexsha == repo.commit("main").hexsha
    assert "OmegaConf.set_struct(cfg, False)" in (Path(result.ledger) / "src/train.py").read_text()
    assert "struct-merge" in repo.git.log("--notes=suture", "main")


def test_without_a_model_the_rest_is_named(tmp_path: Path) -> None:
    result = repair(request(TRAIN), workspace=tmp_path, settings=off(), rehearser=TextRehearser("never"))
    assert result.reason == "cannot-repair"
    assert "no model is configured" in result.detail
    assert result.attempts == 1


def test_the_model_gets_what_codemods_leave(tmp_path: Path) -> None:
    model = ScriptedModel([answer("results(cfg)", "cfg.mode"), APPROVAL])
    rehearser = TextRehearser("cfg.mode")
    result = repair(request(TRAIN), workspace=tmp_path, settings=off(), rehearser=rehearser, model=model)
    assert (result.reason, result.attempts) == ("ready", 2)
    assert result.budget.calls == 2
    message = git.Repo(result.ledger).commit("attempt/2").message
    assert "Strategy: model" in str(message)


def test_a_model_that_changes_nothing_is_stuck(tmp_path: Path) -> None:
    def useless(request: ModelRequest) -> str:
        return json.dumps({"analysis": "", "edits": [], "unresolved": []})

    model = ScriptedModel(useless)
    result = repair(
        request(TRAIN), workspace=tmp_path, settings=off(), rehearser=TextRehearser("never"), model=model
    )
    assert (result.reason, result.attempts) == ("stuck", 4)


def test_the_attempt_budget_ends_it(tmp_path: Path) -> None:
    model = ScriptedModel(lambda _: json.dumps({"analysis": "", "edits": [], "unresolved": []}))
    settings = off(max_attempts=2)
    result = repair(
        request(TRAIN), workspace=tmp_path, settings=settings, rehearser=TextRehearser("never"), model=model
    )
    assert (result.reason, result.attempts, result.detail) == (
        "budget",
        2,
        "the attempts budget is used up",
    )


class Killed(TextRehearser):
    """Interrupts the second rehearsal, as Ctrl-C would."""

    def rehearse(self, *args: object, **options: object) -> tuple[Rehearsal, ...]:  # type: ignore[override]  # passes all on
        if self.calls == 1:
            self.calls += 1
            raise KeyboardInterrupt
        return super().rehearse(*args, **options)  # type: ignore[arg-type]  # passes all on


def test_an_interrupted_repair_goes_on_without_losing_or_doubling(tmp_path: Path) -> None:
    rehearser = Killed()
    first = repair(request(GOOD), workspace=tmp_path, settings=off(), rehearser=rehearser)
    assert (first.reason, first.attempts) == ("interrupted", 0)
    second = resume(Path(first.ledger), rehearser=rehearser)
    assert (second.reason, second.attempts, second.budget.attempts) == ("ready", 1, 1)
    assert rehearser.calls == 3
    again = resume(Path(first.ledger), rehearser=rehearser)
    assert again == second
    assert rehearser.calls == 3


def test_an_interruption_before_the_first_review_says_how_to_go_on(tmp_path: Path) -> None:
    rehearser = Killed()
    rehearser.calls = 1
    with pytest.raises(Interrupted, match=r"before the first review; go on with: suture resume /"):
        repair(request(GOOD), workspace=tmp_path, settings=off(), rehearser=rehearser)
    (ledger,) = tmp_path.iterdir()
    assert (resume(ledger, rehearser=rehearser).reason, rehearser.calls) == ("ready", 4)


def test_time_between_an_interruption_and_going_on_is_not_spent(tmp_path: Path) -> None:
    rehearser = Killed()
    first = repair(request(GOOD), workspace=tmp_path, settings=off(), rehearser=rehearser)
    time.sleep(0.6)
    second = resume(Path(first.ledger), rehearser=rehearser)
    with LedgerReader.open(Path(first.ledger)) as book:
        (entry,) = book.attempts()
    assert 0 < entry.wall_s <= second.budget.seconds
    assert entry.wall_s < 0.6


def test_a_killed_model_attempt_does_not_ask_again(tmp_path: Path) -> None:
    class Once(ScriptedModel):
        calls = 0

        def complete(self, request: ModelRequest) -> ModelReply:
            Once.calls += 1
            return super().complete(request)

    class KilledLater(TextRehearser):
        def rehearse(self, *args: object, **options: object) -> tuple[Rehearsal, ...]:  # type: ignore[override]  # passes all on
            if self.calls == 2:
                self.calls += 1
                raise KeyboardInterrupt
            return super().rehearse(*args, **options)  # type: ignore[arg-type]  # passes all on

    model, rehearser = Once([answer("results(cfg)", "cfg.mode"), APPROVAL]), KilledLater("cfg.mode")
    first = repair(request(TRAIN), workspace=tmp_path, settings=off(), rehearser=rehearser, model=model)
    assert first.reason == "interrupted"
    second = resume(Path(first.ledger), rehearser=rehearser, model=model)
    assert (second.reason, second.attempts, Once.calls) == ("ready", 2, 2)


def test_a_repair_interrupted_while_asking_can_go_on_without_the_model(tmp_path: Path) -> None:
    def interrupted(_: ModelRequest) -> str:
        raise KeyboardInterrupt

    rehearser = TextRehearser("cfg.mode")
    model = ScriptedModel(interrupted)
    first = repair(request(TRAIN), workspace=tmp_path, settings=off(), rehearser=rehearser, model=model)
    assert (first.reason, first.attempts) == ("interrupted", 1)
    second = resume(Path(first.ledger), rehearser=rehearser)
    assert (second.reason, second.attempts) == ("cannot-repair", 2)
    assert second.detail == "the model cannot be asked: none is configured any more"
    model = ScriptedModel([answer("results(cfg)", "cfg.mode"), APPROVAL])
    third = resume(Path(first.ledger), rehearser=rehearser, model=model)
    assert (third.reason, third.attempts) == ("ready", 3)


def test_more_budget_lets_an_ended_repair_go_on(tmp_path: Path) -> None:
    rehearser = TextRehearser("cfg.mode")
    first = repair(request(TRAIN), workspace=tmp_path, settings=off(), rehearser=rehearser)
    assert first.reason == "cannot-repair"
    model = ScriptedModel([answer("results(cfg)", "cfg.mode"), APPROVAL])
    second = resume(Path(first.ledger), rehearser=rehearser, model=model)
    assert (second.reason, second.attempts) == ("ready", 2)


@pytest.mark.parametrize("changed", ["config/runs/a.yaml", "notes.md"])
def test_the_checkout_holds_exactly_the_bundle(tmp_path: Path, changed: str) -> None:
    result = repair(request(GOOD), workspace=tmp_path, settings=off(), rehearser=TextRehearser())
    folder = Path(result.ledger)
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    expected = {*STANDARD.files, "config/runs/a.yaml"}
    assert {p for p in found if not p.startswith(".git/")} == expected
