"""What a failed rehearsal says about the bundle, and what only about the machine."""

from __future__ import annotations

import pytest

from policies.base import Evidence
from policies.checks.rehearsal_failure import RehearsalFailure
from policies.contract import STANDARD
from policies.parsed import ParsedBundle
from policies.records import Bundle, Failure, Phase, Proof, Rehearsal, Severity
from policies.rehearsal_limits import machine_limit

UNKNOWN = "the hub double does not know someone/tiny-net (models) and refused it; the real hub may have it"
STAND_IN = (
    "the hub double does not know someone/bert-x; its name suggests bert-base-uncased, so that is served"
)


def failed(
    exception: str, message: str, proof: Proof | None = None, *, run: str = "a", phase: Phase = "trial"
) -> Rehearsal:
    failure = Failure(phase=phase, exception=exception, message=message, file="src/model.py", line=1)
    return Rehearsal(phase=phase, run_id=run, status="failed", wall_s=1.0, failure=failure, proof=proof)


DECLARES = ParsedBundle(
    Bundle(
        files={"pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["nvidia-ml-py"]\n'}
    ),
    STANDARD,
)
LIMITS = [
    ("ModuleNotFoundError", "No module named 'pynvml'", None, True),
    ("ModuleNotFoundError", "No module named 'src.utils'", None, False),
    ("ModuleNotFoundError", "No module named 'sklearn.metrics'", None, False),
    ("AssertionError", "Torch not compiled with CUDA enabled", None, True),
    ("RuntimeError", "Found no NVIDIA driver on your system.", None, True),
    ("NVMLError_LibraryNotFound", "NVML Shared Library Not Found", None, True),
    ("RuntimeError", "\"addmm_impl_cpu_\" not implemented for 'Half'", None, True),
    ("ValueError", "fp16 mixed precision requires a GPU (not 'cpu').", None, True),
    ("MemoryLimit", "ended at the memory limit after 9 s", None, True),
    ("Timeout", "still running after 120 s", Proof(), True),
    ("Timeout", "still running after 120 s", Proof(optimizer_steps=900), False),
    ("Timeout", "still running after 120 s", Proof(backward_passes=25), False),
    ("Timeout", "still running after 120 s", Proof(backward_passes=2), True),
    ("RuntimeError", "expected m1 and m2 to have the same dtype, but got: float != c10::Half", None, False),
    ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (4x64 and 32x2)", None, False),
    ("OSError", "someone/tiny-net is not a valid model identifier", Proof(assumptions=(UNKNOWN,)), True),
    ("OSError", "google/other is not a valid model identifier", Proof(assumptions=(UNKNOWN,)), False),
    (
        "OSError",
        "Llama-2-7B is not a valid model identifier",
        Proof(hub_requests=("401 /Llama-2-7B",)),
        False,
    ),
    ("KeyError", "'labels'", Proof(assumptions=(UNKNOWN,)), False),
    ("OSError", "someone/bert-x does not appear to have a file", Proof(assumptions=(STAND_IN,)), False),
]


@pytest.mark.parametrize(("exception", "message", "proof", "limited"), LIMITS)
def test_limits_are_told_from_defects(
    exception: str, message: str, proof: Proof | None, limited: bool
) -> None:
    assert bool(machine_limit(failed(exception, message, proof), DECLARES)) is limited


def test_runs_that_fail_alike_are_one_finding() -> None:
    bundle = Bundle(files={"src/model.py": "raise KeyError\n"})
    rehearsals = (
        failed("KeyError", "'run-a'", run="run-a"),
        failed("KeyError", "'run-b'", run="run-b"),
        failed("KeyError", "'x'", run="run-b", phase="compose"),
        failed("AssertionError", "no libcuda", run="run-c"),
    )
    found = list(RehearsalFailure().find(ParsedBundle(bundle, STANDARD), Evidence(rehearsals)))
    assert [(f.criterion, f.severity, f.file, f.line, f.message) for f in found] == [
        (2, Severity.BLOCKING, "src/model.py", 1, "compose fails with KeyError: 'x'"),
        (4, Severity.ADVISORY, "src/model.py", 1, "trial fails with AssertionError: no libcuda"),
        (4, Severity.BLOCKING, "src/model.py", 1, "trial fails with KeyError: '<run>'"),
    ]
    assert found[2].evidence == (
        "runs: run-a, run-b\ncode: raise KeyError\nKeyError: 'run-a'\nKeyError: 'run-b'\n"
        "output:\nKeyError: 'run-a'"
    )


@pytest.mark.parametrize(
    ("phase", "path"),
    [("install", "pyproject.toml"), ("trial", "src/main.py"), ("evaluate", "src/evaluate.py")],
)
def test_a_failure_without_a_frame_is_placed_where_the_phase_starts(phase: Phase, path: str) -> None:
    failure = Failure(phase=phase, exception="ExitStatus", message="exit status 1")
    rehearsal = Rehearsal(phase=phase, run_id="", status="failed", wall_s=1.0, failure=failure)
    found = RehearsalFailure().find(ParsedBundle(Bundle(files={}), STANDARD), Evidence((rehearsal,)))
    assert [(f.file, f.line) for f in found] == [(path, 0)]
