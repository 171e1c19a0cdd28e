"""Plain projects are repaired until their tests pass: by codemods, and with the model's recorded answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from agent.library import repair
from agent.settings import Settings
from policies.python_tests import POLICY
from tests.command import suture
from tools.llm.cassette import read_cassette
from tools.llm.scripted import ScriptedModel

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "small_algorithms"
CASSETTE = ROOT / "tests" / "cassettes" / "python_tests.json"
CODE = "def total(rows):\n    return math.fsum(rows) + offset()\n"
TEST = "from sums.core import total\n\n\ndef test_total():\n    assert total([0.5, 0.5]) == 3\n"


def recorded() -> ScriptedModel:
    """The answers of the cassette, in order: prompts quote output that differs between versions of pytest."""
    return ScriptedModel([e.reply for e in read_cassette(CASSETTE).exchanges if e.reply], name="relay")


def test_the_example_ends_ready(tmp_path: Path) -> None:
    model = recorded()
    settings = Settings(llm="off", env=sys.executable, trial_seconds=120.0)
    result = repair(EXAMPLE, workspace=tmp_path, settings=settings, model=model, policy=POLICY)
    assert (result.reason, result.attempts, result.budget.calls) == ("ready", 2, 1), result.detail
    before, after = (next(r for r in rs if r.phase == "trial") for rs in (result.before, result.rehearsals))
    counts = [(r.proof.tests_passed, r.proof.tests_failed) for r in (before, after) if r.proof]
    assert counts == [(11, 15), (26, 0)]
    assert [(c.title, c.status) for c in result.verdict.criteria] == [
        ("Installs", "met"),
        ("Imports", "met"),
        ("Tests pass", "met"),
    ]
    assert {f.finding.file.rpartition("/")[2] for f in result.fixed} == {
        "intervals.py",
        "partitions.py",
        "roman.py",
        "runs.py",
        "spread.py",
        "tally.py",
    }
    assert "test_most_common_breaks_ties_by_alphabet" in model.requests[0].messages[1].content


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in `src` layout whose only defects have one right answer each."""
    files = {
        "pyproject.toml": '[project]\nname = "sums"\nversion = "1"\n',
        "src/sums/__init__.py": "",
        "src/sums/core.py": f"from sums.offsets import offset\n\n\n{CODE}",
        "src/sums/shift.py": "def offset():\n    return 2\n",
        "tests/test_core.py": TEST,
        "tests/data/blob.bin": b"\xff\x00",
    }
    root = tmp_path / "sums"
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def test_codemods_alone_repair_names_and_imports(project: Path, tmp_path: Path) -> None:
    options = ("--policy", "python-tests", "--llm", "off", "--env", sys.executable, "--json")
    done = suture("fix", str(project), *options, cwd=tmp_path)
    result = json.loads(done.stdout)
    assert (done.returncode, result["reason"], result["attempts"]) == (0, "ready", 1), done.stderr
    out = tmp_path / "repaired"
    assert suture("export", result["ledger"], "--as", "dir", "--out", str(out), cwd=tmp_path).returncode == 0
    repaired = (out / "src/sums/core.py").read_text()
    assert repaired.split("\n\n")[0] == "import math\nfrom sums.shift import offset"
    assert repaired.endswith(f"\n{CODE}")
    assert (out / "tests/test_core.py").read_text() == TEST
    assert (out / "tests/data/blob.bin").read_bytes() == b"\xff\x00"


def test_a_project_without_tests_is_not_ready(project: Path, tmp_path: Path) -> None:
    (project / "tests" / "test_core.py").unlink()
    options = ("--policy", "python-tests", "--llm", "off", "--env", sys.executable, "--json", "-q")
    done = suture("review", str(project), *options, cwd=tmp_path)
    verdict = json.loads(done.stdout)
    blocking = [f["message"] for f in verdict["findings"] if f["severity"] == "blocking"]
    assert (done.returncode, blocking) == (1, ["trial fails with NoWork: pytest found no test"])
