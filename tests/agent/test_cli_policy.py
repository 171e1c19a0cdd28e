"""The command line with policies of one's own: exit status, one line of complaint, and resuming."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from agent.cli import app
from agent.cli_run import run_app
from agent.library import repair, resume
from agent.settings import Settings
from policies.base import Api
from policies.contract import Contract
from policies.errors import UsageError
from policies.records import Bundle, Phase, Rehearsal
from tools.ledger import Ledger

EXAMPLE = Path(__file__).parents[2] / "examples" / "confidence_penalty"
CHECK = '''\
from policies.base import Bad, Good, ModuleCheck


class NoPrint(ModuleCheck):
    """Output of a run goes to the log."""

    ID = "no-print"
    CRITERION = 1
    GOOD = (Good("x = 1\\n"),)
    BAD = (Bad("print(1)\\n", lines=(1,)),)

    def find_in(self, module, subject, evidence):
        for node in module.nodes:
            if getattr(node, "id", "") == "print":
                yield self.finding(module.path, node.lineno, "`print` is used", "print")
'''


@pytest.fixture
def check(tmp_path: Path) -> Path:
    """A policy file with one check."""
    path = tmp_path / "no_print.py"
    path.write_text(CHECK)
    return path


def test_review_and_explain_know_the_check(check: Path, capsys: pytest.CaptureFixture[str]) -> None:
    review = ["review", str(EXAMPLE), "--no-rehearse", "--llm", "off", "-q", "--json"]
    assert run_app(app, [*review, "--policy", str(check)]) == 1
    mine = json.loads(capsys.readouterr().out)
    assert run_app(app, review) == 1
    plain = json.loads(capsys.readouterr().out)
    ids = [{f["check"] for f in verdict["findings"]} for verdict in (mine, plain)]
    assert ids[0] - ids[1] == {"no-print"}
    assert run_app(app, ["explain", "no-print", "--policy", str(check)]) == 0
    assert "Output of a run goes to the log." in capsys.readouterr().out
    assert run_app(app, ["explain", "no-print"]) == 2


def test_policy_test_runs_the_examples(check: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, ["policy-test", str(check)]) == 0
    assert capsys.readouterr().out == "passed  no-print  2 examples\n"
    check.write_text(CHECK.replace('"x = 1\\n"', '"print\\n"'))
    assert run_app(app, ["policy-test", str(check), "--json"]) == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["check"], told["passed"], len(told["faults"])) == ("no-print", False, 1)


@pytest.mark.parametrize("command", ["fix", "review", "rehearse"])
def test_a_bad_policy_is_bad_input(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, [command, str(EXAMPLE), "--policy", "absent.toml"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("suture: ") and said.endswith("absent.toml: there is no such policy file\n")
    assert said.count("\n") == 1


class NoRehearser:
    """Rehearses nothing, so that a repair ends at once."""

    @property
    def installed(self) -> Mapping[str, Api]:
        """No environment is known."""
        return {}

    def rehearse(
        self, bundle: Bundle, contract: Contract, *, phases: Sequence[Phase] = (), run_ids: Sequence[str] = ()
    ) -> tuple[Rehearsal, ...]:
        """Nothing."""
        return ()


def test_a_resumed_repair_uses_the_same_policy_and_tells_of_a_change(check: Path, tmp_path: Path) -> None:
    settings = Settings(llm="off", policies=(str(check),))
    bundle = tmp_path / "bundle"
    (bundle / "src").mkdir(parents=True)
    (bundle / "src" / "train.py").write_text("print(1)\n")
    result = repair(bundle, workspace=tmp_path / "w", settings=settings, rehearser=NoRehearser())
    assert "no-print" in {f.check for f in result.verdict.findings}
    with Ledger.open(Path(result.ledger)) as ledger:
        data = json.loads((ledger.private_dir / "settings.json").read_text())
    assert data["policies"] == [str(check)] and len(data["policy_sources"][0]["digest"]) == 64
    said: list[str] = []
    resume(Path(result.ledger), rehearser=NoRehearser(), progress=said.append)
    assert not [line for line in said if "changed" in line]
    check.write_text(CHECK + "\n# another day\n")
    resume(Path(result.ledger), rehearser=NoRehearser(), progress=said.append)
    changed = f"The policy {check} changed since the repair began; it is used as it is now."
    assert said.count(changed) == 1
    check.unlink()
    with pytest.raises(UsageError, match="there is no such policy file"):
        resume(Path(result.ledger), rehearser=NoRehearser())
