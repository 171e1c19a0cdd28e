"""Rehearses a test suite in the sandbox: one command, and one record of what every test did."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from policies.contract import Contract
from policies.parsed import ParsedBundle
from policies.python_tests import is_test_file
from policies.records import Bundle, FailedTest, Failure, Proof, Rehearsal
from tools.sandbox.base import ExecResult, Sandbox
from tools.trial.command import filled
from tools.trial.failure import Place, output_tail, parse_failure, record
from tools.trial.inside.launch import HARNESS_FAULT
from tools.trial.project_requirements import project_metadata
from tools.trial.proof import json_lines, proof_of, written
from tools.trial.stage import CHECKOUT, Stage, read_or_empty, script
from tools.trial.traceback_text import Frame, clean_lines

JOB = PurePosixPath("job.json")
METADATA = PurePosixPath("metadata")
REPORT = "tests.jsonl"
OPTIONS = "-p suture_report -p no:cacheprovider --continue-on-collection-errors"
LIMIT_SHARE = 0.2
"""Of the wall clock of the whole run, how much one test may take."""
NOTHING_COLLECTED = 5
"""Exit status of pytest when it found no test."""
NOT_STARTED = 4
"""Exit status of pytest for wrong options, and for a `conftest.py` that cannot be imported."""
SHORT_FRAME = re.compile(r"^(?P<path>\S+\.py):(?P<line>\d+): in (?P<function>.+)$")
SHORT_ERROR = re.compile(r"^E\s+(?P<type>[A-Za-z_][\w.]*(?:Error|Exception|Warning|Exit)): ?(?P<message>.*)$")
MAX_TESTS = 200
"""Failed tests that are told of one by one."""
STAGES = ("collect", "setup", "call", "teardown")


def rehearse_tests(stage: Stage, bundle: Bundle, contract: Contract, *, wall_s: float) -> Rehearsal:
    """Run the contract's trial command on the project, with a plugin that reports each test."""
    with stage.set(bundle) as sandbox:
        write_metadata(sandbox, bundle)
        sandbox.write(JOB, tests_job(stage, sandbox, bundle, contract, wall_s))
        argv = [str(stage.environment.python), "-I", "-S", script(sandbox, "launch.py"), str(JOB)]
        result = sandbox.run(argv, timeout_s=wall_s)
        lines = tuple(json_lines(read_or_empty(sandbox, REPORT)))
        proof = proof_of(
            read_or_empty(sandbox, "probe.jsonl"),
            b"",
            written(sandbox.list_files(), CHECKOUT, bundle.blobs, ""),
        )
        if result.returncode == HARNESS_FAULT and (reason := read_or_empty(sandbox, "launch-error.txt")):
            note = f"Could not be rehearsed: {reason.decode('utf-8', 'replace')}"
            return Rehearsal(phase="trial", run_id="", status="skipped", wall_s=result.wall_s, note=note)
        place = Place(bundle.tree, str(sandbox.workdir / CHECKOUT))
        return judged(result, lines, proof, place)


def write_metadata(sandbox: Sandbox, bundle: Bundle) -> None:
    """What `importlib.metadata` would say of the project if it were installed: its name and version."""
    name, version = project_metadata(bundle)
    if name:
        folder = METADATA / f"{name.replace('-', '_')}-{version}.dist-info"
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        sandbox.write(folder / "METADATA", text.encode("utf-8"))


def tests_job(stage: Stage, sandbox: Sandbox, bundle: Bundle, contract: Contract, wall_s: float) -> bytes:
    """The job for `inside/launch.py`; a `src` layout is importable as if the project were installed."""
    roots = [str(CHECKOUT / root) for root in ParsedBundle(bundle, contract).import_roots if root]
    workdir = sandbox.workdir
    job = {
        "argv": filled(contract.trial, "", (), str(stage.environment.python)),
        "cwd": str(CHECKOUT),
        "limit_s": wall_s,
        "probes": script(sandbox, "probes"),
        "hub": None,
        "hub_env": {},
        "python_path": [script(sandbox, "pytest_report"), *roots, str(METADATA)],
        "env": {
            "PYTEST_ADDOPTS": OPTIONS,
            "SUTURE_TESTS": str(workdir / REPORT),
            "SUTURE_TEST_LIMIT": str(max(1.0, wall_s * LIMIT_SHARE)),
        },
    }
    return json.dumps(job).encode()


def judged(result: ExecResult, lines: Sequence[Mapping[str, Any]], counts: Proof, place: Place) -> Rehearsal:
    """Passed only when a test ran and passed, none failed, and the command itself ended well."""
    failed = failed_tests(lines, place)
    proof = counts.model_copy(
        update={
            "tests_passed": len(_with_outcome(lines, "passed") - {f.test for f in failed}),
            "tests_failed": len({f.test for f in failed}),
            "tests_skipped": len(_with_outcome(lines, "skipped")),
        }
    )
    failure = _failure(result, lines, failed, proof, place)
    return Rehearsal(
        phase="trial",
        run_id="",
        status="failed" if failure else "passed",
        wall_s=result.wall_s,
        failure=failure,
        proof=proof,
        tests=tuple(failed[:MAX_TESTS]),
    )


def _with_outcome(lines: Sequence[Mapping[str, Any]], outcome: str) -> set[str]:
    """Tests whose call, or for skipped ones whose setup, ended so."""
    stages = ("call", "setup") if outcome == "skipped" else ("call",)
    return {str(e.get("test")) for e in lines if e.get("outcome") == outcome and e.get("stage") in stages}


def failed_tests(lines: Sequence[Mapping[str, Any]], place: Place) -> list[FailedTest]:
    """The first failure of every test, in the order of the run; last the test that never ended."""
    found: dict[str, FailedTest] = {}
    for entry in lines:
        test = str(entry.get("test"))
        if entry.get("outcome") == "failed" and entry.get("stage") in STAGES and test not in found:
            found[test] = failed_test(test, entry, place)
    begun = [str(e.get("test")) for e in lines if e.get("stage") == "start"]
    ended = {str(e.get("test")) for e in lines if e.get("stage") == "teardown"}
    for test in begun:
        if test not in ended and test not in found:
            entry = {"stage": "call", "exception": "Unfinished", "message": "the test did not end"}
            found[test] = failed_test(test, entry, place)
    return list(found.values())


def failed_test(test: str, entry: Mapping[str, Any], place: Place) -> FailedTest:
    """The record of a test that failed, from a line of the report."""
    frames = [f for f in map(_frame, entry.get("frames") or ()) if f is not None]
    own = [Frame(path, f.line, f.function) for f in frames if (path := place.inside(f.path))]
    code = next((f for f in reversed(own) if not is_test_file(f.path)), None)
    asked = next((f for f in reversed(own) if is_test_file(f.path)), None)
    text = str(entry.get("text") or "").replace(place.root, "")
    message = str(entry.get("message") or "").replace(place.root, "") or _last_line(text)
    exception = str(entry.get("exception") or "Failed").replace("TestTimeout", "Timeout")
    told = record("trial", exception, message, code or asked, "\n".join(text.splitlines()[-40:]))
    line = asked.line if asked is not None else 0
    return FailedTest.model_validate(
        {"test": test, "stage": entry.get("stage"), "failure": told, "test_line": line}
    )


def _frame(value: object) -> Frame | None:
    """A frame of the report. The file is within the project's reach, so its types are not trusted."""
    match value:
        case [str(path), int(line), str(function)]:
            return Frame(path, line, function)
        case _:
            return None


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def not_started(result: ExecResult, place: Place) -> Failure:
    """Why pytest did not begin, read from its short form of a traceback."""
    lines = [place.without_root(line) for line in clean_lines(result.stdout + b"\n" + result.stderr)]
    error = next((m for line in lines if (m := SHORT_ERROR.match(line))), None)
    if error is None:
        said = next(
            (line.partition("error: ")[2] for line in lines if "error: " in line),
            _last_line("\n".join(lines)),
        )
        return record("trial", "ExitStatus", f"pytest did not start: {said}", None, output_tail(result))
    found = (m for line in lines if (m := SHORT_FRAME.match(line)))
    frames = [Frame(m["path"], int(m["line"]), m["function"]) for m in found]
    exception = error["type"].rpartition(".")[2]
    return record("trial", exception, error["message"], place.of(frames), output_tail(result))


def _failure(
    result: ExecResult,
    lines: Sequence[Mapping[str, Any]],
    failed: Sequence[FailedTest],
    proof: Proof,
    place: Place,
) -> Failure | None:
    """Why the run as a whole did not pass; None when it did."""
    if failed:
        ran = proof.tests_passed + proof.tests_failed
        message = f"{proof.tests_failed} of {ran} tests fail"
        return record("trial", "TestsFailed", message, None, output_tail(result))
    if result.status == "exited" and result.returncode == NOTHING_COLLECTED:
        return record("trial", "NoWork", "pytest found no test", None, output_tail(result))
    if result.status == "exited" and result.returncode == NOT_STARTED:
        return not_started(result, place)
    if result.status != "exited" or result.returncode != 0:
        return parse_failure("trial", result, place.paths, place.root)
    if not proof.tests_passed:
        told = f"{proof.tests_skipped} skipped" if proof.tests_skipped else "none was reported"
        return record("trial", "NoWork", f"no test ran and passed: {told}", None, output_tail(result))
    if not any(entry.get("stage") == "end" for entry in lines):
        return record("trial", "NoWork", "the run of the tests was cut short", None, output_tail(result))
    return None
