"""What people see, as whole screens."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.render import render_interruption, render_rehearsals, render_result, render_verdict
from agent.render_base import QuietConsole, make_console
from agent.render_findings import decisive, render_failures
from agent.render_ledger import render_attempt, render_diagnoses, render_diff, render_log
from agent.render_progress import TerminalProgress, duration
from agent.results import Fixed, Refused, RepairResult
from policies.records import (
    Claim,
    CriterionResult,
    Failure,
    Finding,
    Proof,
    Rehearsal,
    Severity,
    Spent,
    Verdict,
)
from tools.ledger_records import AttemptEntry, Begun, DiffSize
from tools.machine import Diagnosis

WHEN = datetime(2025, 3, 1, 12, 30, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
LEFT = Finding(
    check="undefined-name",
    criterion=1,
    severity=Severity.BLOCKING,
    file="src/model.py",
    line=40,
    message="name 'foo' is not [bold]defined[/bold]",
    evidence="return foo(x)\x1b[2J",
)
ADVICE = LEFT.model_copy(
    update={"severity": Severity.ADVISORY, "check": "long-file", "line": 0, "evidence": ""}
)
PASSED = Rehearsal(
    phase="trial",
    run_id="r1",
    status="passed",
    wall_s=12.3,
    proof=Proof(optimizer_steps=2, batches=3, parameters_moved=True),
)
FAILED = Rehearsal(
    phase="trial",
    run_id="r2",
    status="failed",
    wall_s=0.5,
    failure=Failure(phase="trial", exception="KeyError", message="'lr'", file="src/train.py", line=7),
)
INSTALL = Rehearsal(phase="install", run_id="", status="passed", wall_s=75)
SKIPPED = Rehearsal(phase="compose", run_id="r2", status="skipped", wall_s=0, note="no run config")
VERDICT = Verdict(
    is_code_ready=False,
    code_issue="x",
    findings=(ADVICE, LEFT),
    claims=(Claim(text="`->` is a syntax error", status="refuted", evidence="it parses"),),
    criteria=(
        CriterionResult(number=1, title="Complete", status="violated", findings=2),
        CriterionResult(number=2, title="Hydra", status="unproven", findings=0),
    ),
)
RESULT = RepairResult(
    reason="budget",
    verdict=VERDICT,
    rehearsals=(INSTALL, PASSED, FAILED),
    ledger="work space/x",
    attempts=2,
    budget=Spent(attempts=2, seconds=80, tokens=12_000, usd=0.031, calls=1),
    detail="the attempts budget is used up",
    source="bundle.txt",
    before=(INSTALL.model_copy(update={"status": "failed"}), FAILED),
    fixed=(
        Fixed(finding=LEFT.model_copy(update={"line": 9}), attempt=1, how="codemod"),
        Fixed(finding=LEFT.model_copy(update={"line": 3}), attempt=1, how="codemod"),
        Fixed(finding=LEFT.model_copy(update={"check": "rehearsal-failure"}), attempt=1, how="codemod"),
        Fixed(finding=LEFT.model_copy(update={"line": 5}), attempt=2, how="model (m)"),
    ),
    refused=(Refused(attempt=2, reason="the seed changed"),),
    diff=DiffSize(files=1, added_lines=4, removed_lines=2),
    notes=("the standard contract is assumed",),
)


def screen(width: int = 100) -> QuietConsole:
    """A console that writes into memory."""
    return QuietConsole(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)


def text_of(console: QuietConsole) -> str:
    """What was written, without the blanks at the ends of lines."""
    assert isinstance(console.file, io.StringIO)
    return re.sub(r" +$", "", console.file.getvalue(), flags=re.MULTILINE)


def test_the_closing_summary_is_understood_at_once() -> None:
    console = screen()
    render_result(console, RESULT)
    assert text_of(console) == textwrap.dedent("""
        NOT READY: a budget is used up  bundle.txt
          the attempts budget is used up

        Criteria
          1  Complete  violated  2 findings
          2  Hydra     unproven
          unproven: no check objects, but a part of it needs judgement or a rehearsal that did not run

        Rehearsals, before and after
          install  failed         →  passed
          trial    0 of 1 passed  →  1 of 2 passed  3 batches, 2 optimizer steps, parameters moved in 1 of 1
          trial r2: KeyError at src/train.py:7: 'lr'

        Fixed (4)
          attempt 1, by codemods
            src/model.py:3, 9  name 'foo' is not [bold]defined[/bold]  [undefined-name]
            and with that 1 failure in rehearsals
          attempt 2, by the model (m)
            src/model.py:5  name 'foo' is not [bold]defined[/bold]  [undefined-name]

        To mend (1)
          src/model.py:40  name 'foo' is not [bold]defined[/bold]  [undefined-name]
            return foo(x)\\x1b[2J

        Advice, blocks nothing (1)
          src/model.py  name 'foo' is not [bold]defined[/bold]  [long-file]

        Claims that the evidence refutes (1)
          refuted  `->` is a syntax error
            it parses

        Attempts that the gate refused
          - 2: the seed changed

        Assumed
          - the standard contract is assumed

        Verdict  NOT READY: a budget is used up
        Changed  1 file, +4 -2 lines
        Spent    2 attempts, 1 min 20 s, 12,000 tokens in 1 call, $0.03
        Ledger   work space/x
          suture resume 'work space/x'
          suture diff 'work space/x'
          suture log 'work space/x'
          suture export 'work space/x' --as dir --out repaired
        """)


def test_a_ready_bundle_says_so_and_little_else() -> None:
    console = screen()
    ready = Verdict(is_code_ready=True, code_issue="")
    result = RepairResult(
        reason="ready", verdict=ready, rehearsals=(), ledger="l", attempts=0, budget=Spent(), source="b"
    )
    render_result(console, result)
    assert text_of(console) == textwrap.dedent("""
        READY  b

        Verdict  READY
        Changed  0 files, +0 -0 lines
        Spent    0 attempts, 0.0 s, no model asked
        Ledger   l
          suture diff l
          suture log l
          suture export l --as dir --out repaired
        """)


@pytest.mark.parametrize("width", [1, 5, 20, 40])
def test_a_narrow_terminal_loses_nothing_but_beauty(width: int) -> None:
    console = screen(width)
    render_result(console, RESULT)
    render_verdict(console, VERDICT, (PASSED, FAILED))
    lines = text_of(console).splitlines()
    assert "\x1b" not in text_of(console)
    assert any(line.startswith("NOT") for line in lines)


def test_a_review_shows_findings_with_evidence_and_claims() -> None:
    console = screen()
    render_verdict(console, VERDICT, (INSTALL, SKIPPED))
    assert text_of(console) == textwrap.dedent("""\
        NOT READY: 1 blocking, 1 advisory

        Criteria
          1  Complete  violated  2 findings
          2  Hydra     unproven
          unproven: no check objects, but a part of it needs judgement or a rehearsal that did not run

        Rehearsals
          install      passed   1 min 15 s
          compose  r2  skipped  0.0 s
          compose r2: no run config

        To mend (1)
          src/model.py:40  name 'foo' is not [bold]defined[/bold]  [undefined-name]
            return foo(x)\\x1b[2J

        Advice, blocks nothing (1)
          src/model.py  name 'foo' is not [bold]defined[/bold]  [long-file]

        Claims of the reviewer (1)
          refuted  `->` is a syntax error
            it parses
        """)


def test_rehearsals_say_what_was_counted() -> None:
    console = screen()
    render_rehearsals(console, (PASSED, FAILED))
    assert text_of(console) == textwrap.dedent("""
        Rehearsals
          trial  r1  passed  12 s   3 batches, 2 optimizer steps, parameters moved in 1 of 1
          trial  r2  failed  0.5 s
          trial r2: KeyError at src/train.py:7: 'lr'
        """)


def test_long_lists_end_with_how_many_more() -> None:
    console = screen()
    findings = tuple(
        LEFT.model_copy(update={"line": n, "message": f"{n}", "evidence": ""}) for n in range(1, 36)
    )
    render_verdict(console, Verdict(is_code_ready=False, code_issue="", findings=findings))
    assert text_of(console).splitlines()[-2:] == [
        "  src/model.py:30  30  [undefined-name]",
        "  and 5 more",
    ]


def test_the_same_at_many_places_is_said_once() -> None:
    console = screen()
    at = (
        (LEFT.file, 1),
        (LEFT.file, 2),
        ("src/train.py", 3),
        (LEFT.file, 4),
        ("src/z.py", 5),
        ("src/z.py", 6),
    )
    findings = tuple(LEFT.model_copy(update={"file": file, "line": line}) for file, line in at)
    render_verdict(console, Verdict(is_code_ready=False, code_issue="", findings=findings))
    assert "  src/model.py:1, 2, 4, src/train.py:3, src/z.py:5 and 1 more  name" in text_of(console)
    assert text_of(console).count("return foo") == 1


WALL = """\
runs: a, b
code: model(x)
assumed: something
KeyError: 'lr' is not in the config
output:
Traceback (most recent call last):
  File "src/train.py", line 7
KeyError: 'lr' is not in the config
"""


def test_a_wall_of_evidence_is_cut_to_where_and_what() -> None:
    finding = LEFT.model_copy(update={"evidence": WALL, "message": "trial fails"})
    assert decisive(finding) == ["runs: a, b", "code: model(x)", "KeyError: 'lr' is not in the config"]
    same = LEFT.model_copy(
        update={"evidence": "KeyError: 'lr'", "message": "trial fails with KeyError: 'lr'"}
    )
    assert decisive(same) == []
    long = LEFT.model_copy(update={"evidence": "x" * 500})
    assert [len(line) for line in decisive(long)] == [160]


def test_failures_of_runs_are_said_once_and_not_beside_their_finding() -> None:
    console = screen()
    other = FAILED.model_copy(update={"run_id": "r1"})
    render_failures(console, (FAILED, other, SKIPPED, INSTALL))
    assert text_of(console) == (
        "  trial of 2 runs: KeyError at src/train.py:7: 'lr'\n  compose r2: no run config\n"
    )
    told = LEFT.model_copy(update={"check": "rehearsal-failure", "file": "src/train.py", "line": 7})
    silent = screen()
    render_failures(silent, (FAILED, other), (told,))
    assert text_of(silent) == ""


def test_claims_are_sorted_and_stock_evidence_is_said_once() -> None:
    console = screen()
    stock = "nothing speaks to it"
    claims = (
        Claim(text="a", status="unverified", evidence=stock),
        Claim(text="b", status="confirmed", evidence="line 3"),
        Claim(text="c", status="unverified", evidence=stock),
    )
    render_verdict(console, Verdict(is_code_ready=True, code_issue="", claims=claims))
    assert text_of(console).splitlines()[2:] == [
        "Claims of the reviewer (3)",
        "  confirmed  b",
        "    line 3",
        "  unverified  a",
        "  unverified  c",
        f"    {stock}",
    ]


def test_claims_of_the_model_show_their_place_and_lateness() -> None:
    console = screen()
    said = Claim(text="b", status="confirmed", evidence="line 3", source="model", file="src/a.py", line=3)
    late = said.model_copy(update={"text": "c", "evidence": "line 4", "line": 4, "late": True})
    unplaced = said.model_copy(update={"text": "d", "status": "unverified", "evidence": "none", "line": 0})
    render_verdict(console, Verdict(is_code_ready=True, code_issue="", claims=(said, late, unplaced)))
    assert text_of(console).splitlines()[2:] == [
        "Claims of the reviewer (3)",
        "  confirmed  b  [model, src/a.py:3]",
        "    line 3",
        "  confirmed  c  [model, src/a.py:4, late]",
        "    line 4",
        "  unverified  d  [model]",
        "    none",
    ]


def test_an_interruption_is_told_briefly() -> None:
    console = screen()
    render_interruption(console, RESULT.model_copy(update={"reason": "interrupted"}))
    assert text_of(console) == textwrap.dedent("""
        INTERRUPTED  bundle.txt
          so far: 2 attempts recorded, 1 blocking finding left, 2 of 3 rehearsals passed

        Changed  1 file, +4 -2 lines
        Spent    2 attempts, 1 min 20 s, 12,000 tokens in 1 call, $0.03
        Ledger   work space/x
          suture resume 'work space/x'
          suture show 'work space/x'
        """)


def entry(**update: object) -> AttemptEntry:
    """An entry of a log."""
    base = AttemptEntry(
        number=1,
        sha="a" * 40,
        repair_sha="a" * 40,
        base="b" * 40,
        subject="Fix \x07 it",
        date=WHEN,
        strategy="codemod",
        resolves="x x1",
        introduces="none",
        gate="accepted",
        accepted=True,
        kept=True,
        rehearsal="trial=1/2",
        model="none",
        tokens=0,
        usd=0,
        wall_s=3661,
        marks=("main", "best"),
    )
    return base.model_copy(update=update)


def test_a_log_has_an_attempt_a_line() -> None:
    console = screen()
    refused = entry(number=2, sha="c" * 40, accepted=False, kept=False, wall_s=59.7, marks=())
    worse = entry(number=3, sha="d" * 40, kept=False, wall_s=1, marks=())
    begun = Begun(number=4, status="begun", plan="codemods", started_at=WHEN)
    render_log(console, (entry(), refused, worse), (begun,))
    assert text_of(console) == textwrap.dedent("""\
        1  aaaaaaaaaa  kept        1 h 01 min  main best  trial=1/2  Fix \\x07 it
        2  cccccccccc  refused     1 min 00 s             trial=1/2  Fix \\x07 it
        3  dddddddddd  not kept    1.0 s                  trial=1/2  Fix \\x07 it
        4  -           unfinished                                    codemods
        """)
    empty = screen()
    render_log(empty, ())
    assert text_of(empty) == "no attempts\n"


def test_an_attempt_is_shown_with_its_story() -> None:
    console = screen()
    render_attempt(console, entry(repair_sha="e" * 40), "# Attempt 1\n\x1b[31mred")
    assert text_of(console) == textwrap.dedent(f"""\
        Fix \\x07 it
        commit {'a' * 40} (main, best), 2025-03-01 12:30:00 UTC, on bbbbbbbbbb
        repair eeeeeeeeee, formatting aaaaaaaaaa

        # Attempt 1
        \\x1b[31mred
        """)


def test_a_diff_on_a_terminal_cannot_move_the_cursor() -> None:
    console = QuietConsole(file=io.StringIO(), width=40, force_terminal=True, color_system="standard")
    render_diff(console, "+++ b/x\n+a\x1b[2J\n-b\n@@ -1 +1 @@\n c\n")
    assert text_of(console) == (
        "\x1b[1m+++ b/x\x1b[0m\n\x1b[32m+a\\x1b[2J\x1b[0m\n\x1b[31m-b\x1b[0m\n"
        "\x1b[36m@@ -1 +1 @@\x1b[0m\n c\n"
    )


def test_diagnoses_say_how_to_get_what_is_missing() -> None:
    console = screen()
    found = (
        Diagnosis(name="git", status="works", detail="git version 2.39"),
        Diagnosis(name="uv", status="optional", detail="not found", advice="pip install uv"),
    )
    render_diagnoses(console, found)
    assert text_of(console) == (
        "works     git                   git version 2.39\n"
        "optional  uv                    not found\n"
        "                                pip install uv\n"
    )


def test_durations_are_for_people() -> None:
    assert [duration(s) for s in (0.04, 9.94, 9.96, 59.4, 59.6, 3599, 3600, 7322)] == [
        "0.0 s",
        "9.9 s",
        "10.0 s",
        "59 s",
        "1 min 00 s",
        "59 min 59 s",
        "1 h 00 min",
        "2 h 02 min",
    ]


def test_progress_elsewhere_is_one_plain_line_a_step() -> None:
    console = screen(10)
    with TerminalProgress(console) as progress:
        progress("installing\n\x1b[2J twelve packages")
        progress("installing\n\x1b[2J twelve packages")
        progress("")
        progress("composing")
    assert text_of(console) == "installing \\x1b[2J twelve packages\ncomposing\n"
    counting = screen()
    with TerminalProgress(counting) as progress:
        for seconds in (5, 10, 15):
            progress(f"downloading torch ({seconds} s)")
    assert text_of(counting) == "downloading torch (5 s)\n"
    quiet = screen()
    with TerminalProgress(quiet, quiet=True) as progress:
        progress("composing")
    assert text_of(quiet) == ""


LIVE = """
import sys, time
from agent.render_base import make_console
from agent.render_progress import TerminalProgress
with TerminalProgress(make_console()) as progress:
    progress("installing " + "very " * 40 + "much")
    time.sleep(1.1)
    progress("composing")
    time.sleep(0.3)
sys.stderr.write("done\\n")
"""


@pytest.mark.parametrize("columns", ["60", "18"])
def test_progress_on_a_terminal_is_one_live_line_that_goes_away(columns: str) -> None:
    shown = on_terminal(LIVE, {"COLUMNS": columns, "TERM": "xterm", "NO_COLOR": "1"})
    rows = [row for row in re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)) if row.strip()]
    assert max(len(row) for row in rows) <= int(columns)
    assert rows[-1] == "done"
    kept = [row for row in rows if row.startswith("·")]
    assert len(kept) == 1, "the long step stays, the short one does not"
    assert kept[0].startswith("· installing")
    assert columns == "18" or re.search(r"…  1\.\d s$", kept[0])
    assert "composing" in shown
    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", shown) is None, "NO_COLOR"
    if columns == "60":
        assert re.search(r"0\.\d s, 1\.\d s in all", shown)


def on_terminal(script: str, env: dict[str, str]) -> str:
    """What a script writes to a terminal that is its standard error."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stderr=theirs, env={"PATH": os.environ["PATH"], **env}
    )
    os.close(theirs)
    parts: list[bytes] = []
    try:
        while data := os.read(ours, 65536):
            parts.append(data)
    except OSError:
        pass  # Linux reports the closed terminal as an error
    os.close(ours)
    assert child.wait(timeout=60) == 0
    return b"".join(parts).decode()


def test_a_stream_that_cannot_show_a_character_shows_its_escape() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    console = make_console(stream)
    render_rehearsals(console, (PASSED.model_copy(update={"run_id": "rün → 1"}),))
    stream.flush()
    assert b"r\\xfcn \\u2192 1" in raw.getvalue()
