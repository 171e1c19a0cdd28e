"""The reading commands as a person and a program meet them: real processes on a real ledger."""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from agent.cli import app
from agent.cli_run import run_app
from agent.results import result_of
from policies.contract import STANDARD
from policies.records import (
    Bundle,
    Finding,
    Rejection,
    Request,
    ResearchContext,
    Run,
    Severity,
    Spent,
    Verdict,
)
from tools.intake import read_request
from tools.ledger import Ledger
from tools.ledger_records import AttemptRecord

ROOT = Path(__file__).parents[2]
WHEN = datetime(2025, 3, 1, 12, 30, 15, tzinfo=UTC)
FILES = {path: f"# {path}\n" for path in STANDARD.files}
BUNDLE = Bundle(files=FILES, run_configs={"config/runs/r1.yaml": "lr: 1\n"})
FIXED = BUNDLE.with_file("src/train.py", "x = '\x1b[2J ü'\n" * 2000)
FOUND = Finding(
    check="empty-file",
    criterion=1,
    severity=Severity.BLOCKING,
    file="src/train.py",
    line=0,
    message="empty",
    evidence="0 statements",
)
VERDICT = Verdict(is_code_ready=False, code_issue="src/model.py is empty")
REQUEST = Request(
    source="in.txt",
    kind="transcript",
    bundle=BUNDLE,
    context=ResearchContext(
        hypothesis="h",
        design="- Evaluation Metrics: ['f1']",
        metrics=("f1",),
        primary_metric="f1",
        runs=(Run(run_id="r1"),),
    ),
    rejection=Rejection(is_code_ready=False, code_issue="it does nothing"),
)
PROGRAM = (sys.executable, "-m", "agent")


class Done(NamedTuple):
    """How a command line ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


def suture(*args: str | Path) -> Done:
    """One command line, inside this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        status = run_app(app, [str(arg) for arg in args])
    out.flush()
    err.flush()
    assert isinstance(out.buffer, io.BytesIO) and isinstance(err.buffer, io.BytesIO)
    return Done(status, out.buffer.getvalue(), err.buffer.getvalue())


def process(*args: str | Path, **env: str) -> Done:
    """The same as a process of its own."""
    done = subprocess.run(
        [*PROGRAM, *map(str, args)], cwd=ROOT, capture_output=True, check=False, env={**os.environ, **env}
    )
    return Done(done.returncode, done.stdout, done.stderr)


def data(*args: str | Path) -> dict[str, object]:
    """What a command prints with `--json`."""
    done = suture(*args, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    loaded = json.loads(done.stdout)
    assert isinstance(loaded, dict)
    return loaded


def repaired(workspace: Path) -> Ledger:
    """A ledger with a kept attempt, a refused one and one that was killed."""
    made = Ledger.create(workspace, "in", REQUEST, STANDARD)
    base = made.import_bundle(BUNDLE, at=WHEN)
    record = AttemptRecord(
        number=1,
        base=base,
        strategy="codemod",
        plan="fill it",
        resolved=(FOUND,),
        accepted=True,
        verdict=VERDICT,
        started_at=WHEN,
    )
    tip = made.record_attempt(record, FIXED)
    made.set_best(tip)
    made.record_attempt(record.model_copy(update={"number": 2, "base": tip, "accepted": False}), BUNDLE)
    made.begin_attempt(3, "once more", started_at=WHEN)
    return made


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with repaired(tmp_path_factory.mktemp("ws")) as made:
        yield made


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with repaired(tmp_path_factory.mktemp("ws")) as made:
        result = result_of(
            made,
            reason="cannot-repair",
            verdict=VERDICT,
            rehearsals=(),
            budget=Spent(attempts=2),
            detail="stop",
        )
        made.write_result(result.model_dump(mode="json"), at=WHEN)
        yield made


def test_log_lists_attempts(ledger: Ledger) -> None:
    listed = data("log", ledger.path)
    assert listed["reason"] is None
    assert listed["attempts"] == [entry.model_dump(mode="json") for entry in ledger.attempts()]
    assert listed["unfinished"] == [begun.model_dump(mode="json") for begun in ledger.unfinished()]
    shown = suture("log", ledger.path)
    assert [line.split()[:3:2] for line in shown.stdout.decode().splitlines()] == [
        ["1", "kept"],
        ["2", "refused"],
        ["3", "unfinished"],
    ]


def test_show_tells_an_attempt(ledger: Ledger) -> None:
    shown = data("show", ledger.path, "1")
    assert shown == {
        "entry": ledger.entry(1).model_dump(mode="json"),
        "record": ledger.record(1).model_dump(mode="json"),
    }
    text = suture("show", ledger.path, "1").stdout.decode()
    assert text.startswith(
        f"Fix src/train.py: empty\ncommit {ledger.entry(1).sha} (main, best), 2025-03-01 12:30:15"
    )
    assert "# Attempt 1: accepted\n" in text


def test_show_without_a_number_tells_how_it_ended(finished: Ledger) -> None:
    shown = data("show", finished.path)
    assert shown["result"] == finished.read_result()
    assert shown["request"] == REQUEST.model_dump(mode="json", exclude={"bundle"})
    text = suture("show", finished.path).stdout.decode()
    assert text.startswith("\nNOT READY: what is left cannot be repaired here  in.txt\n")
    assert "  attempt 1, by codemods\n    src/train.py  empty  [empty-file]\n" in text


def test_show_of_a_repair_under_way_tells_the_request(ledger: Ledger) -> None:
    text = suture("show", ledger.path).stdout.decode()
    assert text.startswith("UNFINISHED  unless it is running right now, go on with:\n  suture resume ")
    assert "3  -           unfinished" in text
    assert "\n# Request from in.txt (transcript)\nContract: standard" in text


def test_diff_is_one_that_applies(ledger: Ledger, tmp_path: Path) -> None:
    done = suture("diff", ledger.path)
    assert done.stdout.decode() == ledger.diff()
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    suture("export", ledger.path, "--as", "dir", "--out", tmp_path / "x", "--attempt", "2")
    subprocess.run(["git", "apply", "--directory=x", "-"], cwd=tmp_path, input=done.stdout, check=True)
    assert (tmp_path / "x/src/train.py").read_text() == FIXED.files["src/train.py"]
    shown = data("diff", ledger.path, "2")
    assert (shown["attempt"], shown["diff"], shown["added_lines"]) == (2, ledger.diff(2), 1)


def test_export_json_has_the_flat_keys(ledger: Ledger, tmp_path: Path) -> None:
    done = suture("export", ledger.path)
    flat = json.loads(done.stdout)
    assert list(flat) == [
        "train_py",
        "evaluate_py",
        "preprocess_py",
        "model_py",
        "main_py",
        "pyproject_toml",
        "config_yaml",
    ]
    assert flat["train_py"] == FIXED.files["src/train.py"]
    out = tmp_path / "b.json"
    assert data("export", ledger.path, "--out", out) == {"out": str(out), "files": [str(out)]}
    assert out.read_bytes() == done.stdout
    assert read_request(out).bundle.files == FIXED.files


def test_export_dir_does_not_overwrite(ledger: Ledger, tmp_path: Path) -> None:
    out = tmp_path / "new"
    assert data("export", ledger.path, "--as", "dir", "--out", out) == {
        "out": str(out),
        "files": sorted(FIXED.tree),
    }
    written = {p.relative_to(out).as_posix(): p.read_text() for p in out.rglob("*") if p.is_file()}
    assert written == FIXED.tree
    again = suture("export", ledger.path, "--as", "dir", "--out", out)
    assert (again.returncode, again.stderr.decode()) == (
        2,
        f"suture: {out} is not empty; name a folder that is new or empty\n",
    )
    unnamed = suture("export", ledger.path, "--as", "dir")
    assert (unnamed.returncode, unnamed.stdout) == (2, b"")


def test_export_transcript_can_be_read_in_again(finished: Ledger, tmp_path: Path) -> None:
    out = tmp_path / "again.txt"
    done = suture("export", finished.path, "--as", "transcript", "--out", out)
    assert (done.returncode, done.stderr.decode()) == (0, f"wrote 1 file to {out}\n")
    again = read_request(out)
    assert (again.bundle, again.context) == (FIXED, REQUEST.context)
    assert again.rejection == Rejection(is_code_ready=False, code_issue="src/model.py is empty")
    assert suture("export", finished.path, "--as", "transcript").stdout == out.read_bytes()


def test_explain_knows_checks_and_near_misses() -> None:
    one = data("explain", "empty-file")
    assert (one["check"], one["criterion"], one["severity"]) == ("empty-file", 1, "blocking")
    assert suture("explain", "empty-file").stdout.startswith(b"### empty-file\n\nCriterion 1 (")
    missed = suture("explain", "emptyfile")
    assert (missed.returncode, missed.stdout) == (2, b"")
    assert missed.stderr.startswith(b"suture: there is no check 'emptyfile'; did you mean empty-file")
    table = suture("explain", "--all").stdout.decode()
    assert "\n  empty-file " in table
    assert (
        "\n  Nothing is abridged, left as a stub or marked to be done later.\n      checks: placeholder"
        in table
    )
    assert "not covered" not in table
    assert suture("explain").returncode == 2


def test_explain_tells_what_covers_the_text_that_an_input_brings(tmp_path: Path) -> None:
    source = tmp_path / "input.json"
    source.write_text(json.dumps({"src/main.py": "X = 1\n"}))
    told = data("explain", "--all", "--for", source)
    assert list(told) == ["checks", "coverage"]
    assert isinstance(told["coverage"], dict)
    assert told["coverage"]["contract"] == "standard"
    assert all(row["covered"] for row in told["coverage"]["sentences"])
    lost = suture("explain", "empty-file", "--for", source)
    assert lost.returncode == 2
    assert lost.stderr == b"suture: --for goes with --all: it says whose contract to explain\n"


@pytest.mark.parametrize("command", ["log", "show", "diff", "export"])
def test_what_is_no_ledger_gets_one_line_and_status_2(command: str, tmp_path: Path) -> None:
    done = suture(command, tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"suture: {tmp_path} is not a ledger; `suture fix` makes one\n"


def test_an_attempt_that_is_not_there_is_named(ledger: Ledger) -> None:
    done = suture("diff", ledger.path, "9")
    assert (done.returncode, done.stderr.decode()) == (
        2,
        f"suture: {ledger.path} has no attempt 9; it has 1 to 2\n",
    )


@pytest.mark.parametrize(
    "command", [("diff",), ("export", "--as", "transcript"), ("show", "1"), ("log", "--json")]
)
def test_a_reader_that_goes_away_is_no_fault(ledger: Ledger, command: tuple[str, ...]) -> None:
    argv = [*PROGRAM, command[0], str(ledger.path), *command[1:]]
    child = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None and child.stderr is not None
    child.stdout.close()
    assert (child.stderr.read(), child.wait(timeout=60)) == (b"", 0)
    child.stderr.close()


def test_output_does_not_depend_on_the_locale(ledger: Ledger) -> None:
    plain = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert process("diff", ledger.path, **plain).stdout.decode() == ledger.diff()
    assert process("show", ledger.path, "1", **plain).returncode == 0


def test_help_answers_at_once() -> None:
    # Processor time: what a person waits for on an idle machine, whatever else runs on this one.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process("--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_help_loads_nothing_heavy() -> None:
    script = "import sys, agent.cli, agent.cli_run; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"langgraph", "openai", "git", "libcst", "pydantic", "docker"}
    assert heavy.intersection(done.stdout.split()) == set()


def test_doctor_says_what_works(tmp_path: Path) -> None:
    cache = {
        "SUTURE_CACHE": str(tmp_path),
        "OPENAI_BASE_URL": "http://me:secret@localhost:1/v1",
        "PATH": "/nowhere",
    }
    done = process("doctor", "--quick", "--json", **cache)
    assert done.returncode == 3, "neither git nor a sandbox is on this PATH"
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert found["git"]["status"] == "missing"
    assert found["git"]["advice"].startswith("apt install git")
    assert found["sandbox bwrap"]["status"] == "missing"
    assert found["model"]["detail"] == "configured: http://localhost:1/v1 (not asked)"
    assert found["cache"]["detail"] == f"{tmp_path}, 0 MB"
    here = suture("doctor", "--quick")
    assert here.returncode in (0, 3)
    assert here.stdout.startswith(b"works     python")
