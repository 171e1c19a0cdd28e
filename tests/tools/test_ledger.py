"""The ledger against real git repositories, read back through the ledger and through plain git."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policies.contract import STANDARD
from policies.errors import BackendError, UsageError
from policies.records import (
    Bundle,
    Failure,
    Finding,
    Rehearsal,
    Rejection,
    Request,
    ResearchContext,
    Run,
    Severity,
    Verdict,
)
from tools.ledger import Ledger
from tools.ledger_git import plain_environment
from tools.ledger_records import AttemptEntry, AttemptRecord, Begun, DiffSize
from tools.llm.base import Exchange, Message, ModelReply, ModelRequest, Usage

WHEN = datetime(2025, 3, 1, 12, 30, 15, tzinfo=UTC)
RUN_CONFIG = "config/runs/r1.yaml"
BUNDLE = Bundle(
    files={
        "src/train.py": "import  os\nprint('ü', os)\n",
        "src/model.py": "",
        "config/config.yaml": "run: ???\r\nmode: full\r\n",
        ".gitattributes": "* text eol=crlf ident\n*.py filter=evil\n",
    },
    run_configs={RUN_CONFIG: "lr: 1e-4\n"},
)
REQUEST = Request(
    source="review of ünit.txt",
    kind="transcript",
    bundle=BUNDLE,
    context=ResearchContext(primary_metric="accuracy", runs=(Run(run_id="r1"),)),
    criteria="1. **Complete**\n   - all of it\n",
    rejection=Rejection(is_code_ready=False, code_issue="src/model.py is empty\n```json\n{}\n```\n\x1b[2J"),
    notes=("a note",),
)
FOUND = Finding(
    check="empty-file",
    criterion=1,
    severity=Severity.BLOCKING,
    file="src/model.py",
    line=0,
    message="the file is empty",
    evidence="0 bytes",
)
TRIAL = Rehearsal(
    phase="trial",
    run_id="r1",
    status="failed",
    wall_s=1.5,
    failure=Failure(phase="trial", exception="KeyError", message="'lr'", file="src/train.py", line=2),
)
EXCHANGE = Exchange(
    request=ModelRequest(
        purpose="repair",
        messages=(Message(role="user", content="mend \ud800 it"),),
        schema_name="edits",
        json_schema={"type": "object"},
    ),
    reply=ModelReply(text="{}", usage=Usage(input_tokens=7, output_tokens=3), model="m-1"),
)


def record(number: int = 1, *, base: str, accepted: bool = True, model: str = "") -> AttemptRecord:
    """An attempt that says something in every part."""
    return AttemptRecord(
        number=number,
        base=base,
        strategy="codemod",
        plan="write the model\nthen look again",
        resolved=(FOUND, FOUND.model_copy(update={"check": "undefined-name", "line": 3})),
        introduced=(),
        accepted=accepted,
        gate_reasons=() if accepted else ("the seed changed", "a\nb"),
        rehearsals=(Rehearsal(phase="install", run_id="", status="passed", wall_s=0.1), TRIAL),
        verdict=Verdict(is_code_ready=False, code_issue="still failing", findings=(FOUND,)),
        model=model,
        tokens=10,
        usd=0.25,
        wall_s=2.5,
        started_at=WHEN,
        exchanges=(EXCHANGE,),
        notes=("slow",),
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.create(tmp_path / "ws", "unit", REQUEST, STANDARD) as made:
        made.import_bundle(BUNDLE, at=WHEN)
        yield made


def plain_git(path: Path, *args: str) -> str:
    """What a person's git prints there."""
    env = {"PATH": os.environ["PATH"], "HOME": str(path.parent)}
    return subprocess.run(
        ["git", "-C", str(path), *args], env=env, check=True, capture_output=True, encoding="utf-8"
    ).stdout


def checkout(path: Path) -> dict[str, str]:
    """Everything in the folder but git's own."""
    found = (p for p in path.rglob("*") if p.is_file() and ".git" not in p.relative_to(path).parts)
    return {p.relative_to(path).as_posix(): p.read_bytes().decode() for p in found}


def repaired(bundle: Bundle) -> tuple[Bundle, Bundle]:
    """A patched bundle and the same formatted."""
    patched = bundle.with_file("src/model.py", "class Net:\n    x=1\n")
    return patched, patched.with_file("src/model.py", "class Net:\n    x = 1\n")


def test_import_keeps_every_byte_and_the_request(ledger: Ledger) -> None:
    first = ledger.import_bundle(BUNDLE, at=WHEN)
    assert checkout(ledger.path) == BUNDLE.tree
    assert plain_git(ledger.path, "status", "--porcelain", "--ignored") == ""
    assert plain_git(ledger.path, "log", "--format=%an <%ae> %cn %at %s") == (
        "Suture <suture@localhost> Suture 1740832215 Import review of ünit.txt\n"
    )
    with Ledger.open(ledger.path) as again:
        assert again.request() == REQUEST
        assert again.contract == STANDARD
        assert again.bundle_at("import") == BUNDLE
        assert (again.best(), again.ready(), again.attempts()) == (first, None, ())
    assert (ledger.diff(), ledger.read_result()) == ("", None)


def test_attempt_is_a_commit_with_its_formatting_apart(ledger: Ledger) -> None:
    base = ledger.best()
    patched, formatted = repaired(BUNDLE)
    tip = ledger.record_attempt(record(base="best", model="m-1"), patched, formatted=formatted)
    repair = plain_git(ledger.path, "rev-parse", f"{tip}^").strip()
    assert plain_git(ledger.path, "show", "-s", "--format=%B", repair) == textwrap.dedent(f"""\
        Fix empty-file, undefined-name

        Resolved:
        - src/model.py [empty-file] the file is empty
        - src/model.py:3 [undefined-name] the file is empty

        Attempt: 1
        Base: {base}
        Strategy: codemod
        Resolves: empty-file x1, undefined-name x1
        Introduces: none
        Gate: accepted
        Rehearsal: install=passed trial=0/1
        Model: m-1
        Tokens: 10
        Cost-USD: 0.250000
        Wall-s: 2.500

        """)
    trailer = "--format=%(trailers:key=Gate,valueonly)"
    assert plain_git(ledger.path, "show", "-s", trailer, repair) == "accepted\n\n"
    assert plain_git(ledger.path, "rev-parse", "main", "attempt/1").split() == [tip, tip]
    assert plain_git(ledger.path, "diff", "--stat=60", f"{base}..{repair}").endswith("2 insertions(+)\n")
    assert checkout(ledger.path) == formatted.tree
    assert ledger.bundle_at("attempt/1") == formatted
    assert ledger.diff(1).count("\n+") == 3
    assert ledger.diff_size(1) == DiffSize(files=1, added_lines=2, removed_lines=0)
    assert ledger.record(1) == record(base=base, model="m-1")
    assert ledger.attempts() == (ledger.entry(1),)
    assert ledger.entry(1) == AttemptEntry(
        number=1,
        sha=tip,
        repair_sha=repair,
        base=base,
        subject="Fix empty-file, undefined-name",
        date=WHEN,
        strategy="codemod",
        resolves="empty-file x1, undefined-name x1",
        introduces="none",
        gate="accepted",
        accepted=True,
        kept=True,
        rehearsal="install=passed trial=0/1",
        model="m-1",
        tokens=10,
        usd=0.25,
        wall_s=2.5,
        marks=("main",),
    )


def test_notes_tell_the_story_to_people_and_to_programs(ledger: Ledger) -> None:
    tip = ledger.record_attempt(record(base="best"), repaired(BUNDLE)[0])
    shown = plain_git(ledger.path, "log", "--notes=suture", "--reverse")
    for line in (
        "# Request from review of ünit.txt (transcript)",
        "src/model.py is empty",
        "# Attempt 1: accepted",
        "- src/model.py [empty-file, blocking] the file is empty",
        "- trial r1: failed, 1.5 s; KeyError at src/train.py:2: 'lr'",
        "still failing",
        "- repair: m-1, 7 + 3 tokens, stop",
    ):
        assert f"    {line}\n" in shown
    assert "\x1b" not in shown
    assert ledger.note(tip) == {
        "kind": "attempt",
        "attempt": record(base=ledger.entry(1).base).model_dump(mode="json"),
    }
    assert ledger.note("import")["request"]["request"]["rejection"] == {
        "is_code_ready": False,
        "code_issue": "src/model.py is empty\n```json\n{}\n```\n\x1b[2J",
    }


def test_refused_attempt_stays_reachable_and_main_stays(ledger: Ledger) -> None:
    base = ledger.best()
    tip = ledger.record_attempt(record(base=base, accepted=False), repaired(BUNDLE)[0])
    assert plain_git(ledger.path, "rev-parse", "main", "attempt/1").split() == [base, tip]
    assert checkout(ledger.path) == BUNDLE.tree
    entry = ledger.entry(1)
    assert (entry.subject, entry.gate, entry.accepted, entry.marks) == (
        "Refused: fix empty-file, undefined-name",
        "refused: the seed changed; a b",
        False,
        (),
    )
    with pytest.raises(AssertionError, match="main moves only when the gate accepts"):
        ledger.record_attempt(record(2, base=base, accepted=False), BUNDLE, advance=True)


def test_an_accepted_attempt_that_made_things_worse_is_not_kept(ledger: Ledger) -> None:
    base = ledger.best()
    ledger.record_attempt(record(base=base), repaired(BUNDLE)[0], advance=False)
    ledger.record_attempt(record(2, base=base), repaired(BUNDLE)[1])
    assert [(e.accepted, e.kept, e.marks) for e in ledger.attempts()] == [
        (True, False, ()),
        (True, True, ("main",)),
    ]


def test_subjects_say_what_was_done_and_fit_a_line(ledger: Ledger) -> None:
    checks = [FOUND.model_copy(update={"check": f"a-rather-long-check-{n}"}) for n in range(4)]
    advice = FOUND.model_copy(update={"check": "advice", "severity": Severity.ADVISORY})
    symptom = FOUND.model_copy(update={"check": "rehearsal-failure"})
    cases = {
        (): "Write the model",
        (symptom, advice): "Fix advice, rehearsal-failure",
        (FOUND,): "Fix src/model.py: the file is empty",
        (advice, *checks[:1]): "Fix a-rather-long-check-0, advice",
        (advice, *checks): "Fix a-rather-long-check-0, a-rather-long-check-1 and 3 more",
    }
    base = ledger.best()
    for number, resolved in enumerate(cases, 1):
        done = record(number, base=base).model_copy(update={"resolved": resolved})
        ledger.record_attempt(done, BUNDLE.with_file("src/model.py", f"x = {number}\n"))
    assert [entry.subject for entry in ledger.attempts()] == list(cases.values())


def test_recording_again_neither_doubles_nor_loses(ledger: Ledger) -> None:
    patched, formatted = repaired(BUNDLE)
    tip = ledger.record_attempt(record(base="best"), patched, formatted=formatted)
    commits = plain_git(ledger.path, "rev-list", "--all", "--count")
    slower = record(base="best").model_copy(update={"wall_s": 99.0})
    assert ledger.record_attempt(slower, patched, formatted=formatted) == tip
    assert plain_git(ledger.path, "rev-list", "--all", "--count") == commits
    with pytest.raises(UsageError, match=r"attempt 1 is recorded in .* already, with other files"):
        ledger.record_attempt(record(base="best"), BUNDLE.with_file("src/model.py", "x"))


def test_an_earlier_attempt_recorded_again_does_not_move_main_back(ledger: Ledger) -> None:
    patched, formatted = repaired(BUNDLE)
    one = ledger.record_attempt(record(base="best"), patched)
    two = ledger.record_attempt(record(2, base=one), formatted)
    assert ledger.record_attempt(record(base="best"), patched) == one
    assert plain_git(ledger.path, "rev-parse", "main").strip() == two


def test_what_a_killed_process_left_undone_is_completed(ledger: Ledger) -> None:
    patched, formatted = repaired(BUNDLE)
    base = ledger.best()
    tip = ledger.record_attempt(record(base="best"), patched, formatted=formatted)
    plain_git(ledger.path, "update-ref", "refs/heads/main", base)
    plain_git(ledger.path, "checkout", "--quiet", "--detach", base)
    (ledger.private_dir / "attempts" / "1.json").unlink()
    for name in ("index.lock", "HEAD.lock", "refs/heads/main.lock", "refs/notes/suture.lock"):
        (ledger.path / ".git" / name).touch()
    with Ledger.open(ledger.path) as again:
        assert again.record_attempt(record(base="best"), patched, formatted=formatted) == tip
        known = again.begun(1)
    assert known is not None and (known.status, known.sha) == ("recorded", tip)
    assert plain_git(ledger.path, "rev-parse", "HEAD", "main").split() == [tip, tip]
    assert checkout(ledger.path) == formatted.tree
    # The same when the tag was never made: the same record gives the same commits.
    plain_git(ledger.path, "update-ref", "-d", "refs/tags/attempt/1")
    assert ledger.attempts() == ()
    assert ledger.record_attempt(record(base=base), patched, formatted=formatted) == tip


def test_the_same_record_gives_the_same_hashes_elsewhere(tmp_path: Path) -> None:
    tips = []
    for name in ("one", "two"):
        with Ledger.create(tmp_path / name, "unit", REQUEST, STANDARD) as made:
            base = made.import_bundle(BUNDLE, at=WHEN)
            patched, formatted = repaired(BUNDLE)
            tips.append((base, made.record_attempt(record(base=base), patched, formatted=formatted)))
            tips.append((plain_git(made.path, "rev-parse", "refs/notes/suture"), ""))
    assert tips[:2] == tips[2:]


def test_an_attempt_is_written_down_before_it_is_tried(ledger: Ledger) -> None:
    ledger.begin_attempt(1, "mend it", base="abc", strategy="codemod", started_at=WHEN)
    begun = Begun(number=1, status="begun", plan="mend it", strategy="codemod", base="abc", started_at=WHEN)
    assert ledger.unfinished() == (begun,)
    tip = ledger.record_attempt(record(base="best"), repaired(BUNDLE)[0])
    ledger.begin_attempt(1, "again", started_at=WHEN)
    assert (ledger.begun(1), ledger.unfinished()) == (
        begun.model_copy(update={"status": "recorded", "sha": tip}),
        (),
    )


KILLED = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from tools.ledger import Ledger
from tools.ledger_records import AttemptRecord
ledger = Ledger.open(Path(sys.argv[1]))
for n in range(ledger.read_result()["next"], 10_000):
    at = datetime.fromtimestamp(1_700_000_000 + n, UTC)
    record = AttemptRecord(number=n, base=ledger.best(), strategy="codemod", accepted=True, started_at=at)
    ledger.begin_attempt(n, "plan", started_at=at)
    bundle = ledger.bundle_at("import")
    tip = ledger.record_attempt(record, bundle.with_file("src/model.py", f"x = {n}\\n"))
    ledger.set_best(tip)
    ledger.write_result({"next": n + 1, "reason": "interrupted"})
    print(n, flush=True)
"""


def test_kill_at_any_moment_leaves_a_ledger_that_goes_on(ledger: Ledger) -> None:
    ledger.write_result({"next": 1})
    command = [sys.executable, "-c", KILLED, str(ledger.path)]
    root = Path(__file__).parents[2]
    for delay_steps in range(4):
        child = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert child.stdout is not None
        seen = [child.stdout.readline() for _ in range(delay_steps + 1)]
        assert all(seen), "the child goes on from whatever the last one left"
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with Ledger.open(ledger.path) as again:
            numbers = [e.number for e in again.attempts()]
            assert numbers == list(range(1, len(numbers) + 1))
            assert all(again.record(n).number == n for n in numbers)
    assert "error" not in plain_git(ledger.path, "fsck", "--full", "--strict")


def test_result_rides_on_best_and_moves_with_it(ledger: Ledger) -> None:
    ledger.write_result({"reason": "budget", "detail": "out of time"}, at=WHEN)
    assert ledger.note("import")["result"] == {"reason": "budget", "detail": "out of time"}
    tip = ledger.record_attempt(record(base="best"), repaired(BUNDLE)[0])
    ledger.set_best(tip)
    ledger.set_ready(tip)
    ledger.write_result({"reason": "ready"}, at=WHEN)
    assert ledger.read_result() == {"reason": "ready"}
    assert ("result" in ledger.note("import"), ledger.note("best")["result"]) == (False, {"reason": "ready"})
    assert ledger.story("best").endswith("## Result: ready")
    assert ledger.entry(1).marks == ("main", "best", "ready")
    (ledger.private_dir / "result.json").unlink()
    assert ledger.read_result() == {"reason": "ready"}


def test_names_of_folders_are_safe_and_never_shared(tmp_path: Path) -> None:
    made = [Ledger.create(tmp_path, "../a b/ü.txt", REQUEST, STANDARD).path.name for _ in range(3)]
    stem = f"a-b-txt-{BUNDLE.digest[:8]}"
    assert made == [stem, f"{stem}-2", f"{stem}-3"]


@pytest.mark.parametrize(
    "path",
    ["/etc/x", "../x", "a/../x", "a//b", ".git/hooks/post-commit", "a/.GIT/x", "a\\b", "a\nb", "", "git~1/x"],
)
def test_paths_that_leave_the_checkout_are_refused(tmp_path: Path, path: str) -> None:
    hostile = REQUEST.model_copy(update={"bundle": Bundle(files={path: "x"})})
    with pytest.raises(UsageError, match="the bundle has a path that cannot be kept"):
        Ledger.create(tmp_path / "ws", "x", hostile, STANDARD)
    assert not (tmp_path / "ws").exists()


def test_file_where_a_folder_is_needed_is_refused(tmp_path: Path) -> None:
    hostile = REQUEST.model_copy(update={"bundle": Bundle(files={"a": "x", "a/b": "y"})})
    with pytest.raises(UsageError, match="the bundle has a file where 'a/b' needs a folder"):
        Ledger.create(tmp_path, "x", hostile, STANDARD)


def test_what_is_not_a_ledger_gets_one_clear_line(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "other").mkdir()
    subprocess.run(["git", "init", "-q", str(tmp_path / "other")], check=True)
    cases = {
        "absent": "absent: no such folder",
        "plain": "plain is not a ledger; `suture fix` makes one",
        "ws": f"ws is not a ledger; did you mean one of its folders: {ledger.path.name}?",
        "other": "other is a git repository, but not a ledger of Suture",
    }
    for name, message in cases.items():
        with pytest.raises(UsageError) as caught:
            Ledger.open(tmp_path / name)
        assert str(caught.value) == f"{tmp_path}/{message}"
    broken = tmp_path / "broken"
    shutil.copytree(ledger.path, broken)
    (broken / ".git" / "HEAD").write_text("nonsense")
    with pytest.raises(UsageError, match="is not a ledger: git does not take it for a repository"):
        Ledger.open(broken)
    with pytest.raises(UsageError, match="has no attempt 3; it has none"):
        ledger.entry(3)
    with pytest.raises(UsageError, match="has no commit attempt/9"):
        ledger.bundle_at("attempt/9")


def test_a_workspace_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BackendError, match=r"the ledger .*file/ws cannot be used: Not a directory"):
        Ledger.create(tmp_path / "file" / "ws", "x", REQUEST, STANDARD)


def test_a_full_disk_is_an_error_and_not_a_broken_ledger(ledger: Ledger) -> None:
    script = textwrap.dedent(f"""
        import resource, signal
        from pathlib import Path
        from policies.errors import BackendError
        from tools.ledger import Ledger
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        ledger = Ledger.open(Path({str(ledger.path)!r}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        try:
            ledger.begin_attempt(1, "x")
        except BackendError as error:
            assert "cannot be used: File too large" in str(error), error
            raise SystemExit(7)
    """)
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 7
    assert ledger.unfinished() == ()


def test_the_callers_git_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config = tmp_path / ".gitconfig"
    hook = tmp_path / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    config.write_text(
        f"[core]\nautocrlf = true\nhooksPath = {hook.parent}\n[commit]\ngpgSign = true\n[user]\nname = Eve\n"
        "[i18n]\ncommitEncoding = latin-1\n[init]\ndefaultBranch = trunk\n[diff]\nexternal = false\n"
    )
    hostile = {
        "HOME": str(tmp_path),
        "GIT_DIR": str(elsewhere),
        "GIT_WORK_TREE": str(elsewhere),
        "GIT_INDEX_FILE": str(elsewhere / "index"),
        "GIT_OBJECT_DIRECTORY": str(elsewhere),
        "GIT_AUTHOR_NAME": "Eve",
        "GIT_COMMITTER_DATE": "1 +0000",
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_CONFIG_PARAMETERS": "'core.autocrlf'='true'",
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    with Ledger.create(tmp_path / "ws", "unit", REQUEST, STANDARD) as made:
        made.import_bundle(BUNDLE, at=WHEN)
        made.record_attempt(record(base="best"), repaired(BUNDLE)[0])
        assert made.diff(1).endswith("+class Net:\n+    x=1\n")
    assert {name: os.environ[name] for name in hostile} == hostile
    assert list(elsewhere.iterdir()) == []
    with plain_environment():
        monkeypatch.setenv("HOME", str(elsewhere))
        assert checkout(made.path) == repaired(BUNDLE)[0].tree
        assert plain_git(made.path, "log", "--format=%an %ct", "main") == "Suture 1740832215\n" * 2


def test_two_processes_do_not_drive_one_repair(ledger: Ledger) -> None:
    with (
        ledger.claim(),
        pytest.raises(UsageError, match="another suture process is working on"),
        ledger.claim(),
    ):
        raise AssertionError("the claim is held")
    with ledger.claim():
        ledger.begin_attempt(1, "allowed", started_at=WHEN)


def test_a_packed_ledger_reads_the_same(ledger: Ledger) -> None:
    patched, formatted = repaired(BUNDLE)
    tip = ledger.record_attempt(record(base="best"), patched, formatted=formatted)
    before = (ledger.attempts(), ledger.bundle_at(tip), ledger.note("attempt/1"))
    plain_git(ledger.path, "gc", "--quiet", "--prune=now")
    with Ledger.open(ledger.path) as again:
        assert (again.attempts(), again.bundle_at(tip), again.note("attempt/1")) == before


def test_result_json_is_ascii_and_whole(ledger: Ledger) -> None:
    ledger.write_result({"detail": "naïve \ud800"}, at=WHEN)
    text = (ledger.private_dir / "result.json").read_text(encoding="ascii")
    assert json.loads(text)["result"] == {"detail": "naïve \ud800"}
    assert ledger.read_result() == {"detail": "naïve \ud800"}


def test_a_repair_cut_off_before_it_began_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / ".git" / "suture").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(UsageError, match="is a git repository, but not a ledger"):
        Ledger.open(tmp_path)
    (tmp_path / ".git" / "suture" / "settings.json").write_text("{}")
    with pytest.raises(UsageError, match="cut off before it began: remove it and start again"):
        Ledger.open(tmp_path)
