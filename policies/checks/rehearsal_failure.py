"""Failed rehearsals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from policies.base import Bad, Check, Evidence, Good
from policies.evaluate_args import evaluate_path
from policies.parsed import ParsedBundle
from policies.python_tests import INSTALLS, TESTS
from policies.records import Failure, Finding, Phase, Proof, Rehearsal, Severity
from policies.rehearsal_limits import machine_limit

BY_PHASE: dict[Phase, int] = {"install": 2, "compose": 2, "trial": 1, "full": 1, "evaluate": 8}
BY_FILE = {"preprocess": 3, "model": 4, "main": 2, "config": 2, "evaluate": 8}
"""Criterion of a failure in one of the files, whatever the phase."""
MAX_LINES = 12

_FAILED = Failure(
    phase="trial",
    exception="KeyError",
    message="'labels'",
    file="src/model.py",
    line=2,
    function="forward",
    tail="epoch 1\n  File \"src/model.py\", line 2, in forward\nKeyError: 'labels'",
)
_NO_GPU = _FAILED.model_copy(
    update={"exception": "AssertionError", "message": "Torch not compiled with CUDA enabled"}
)
_NOT_INSTALLED = _NO_GPU.model_copy(
    update={"exception": "ModuleNotFoundError", "message": "No module named 'pynvml'", "function": ""}
)


def _failed(failure: Failure, *run_ids: str, proof: Proof | None = None) -> Evidence:
    return Evidence(
        tuple(
            Rehearsal(phase="trial", run_id=r, status="failed", wall_s=1.0, failure=failure, proof=proof)
            for r in run_ids
        )
    )


class RehearsalFailure(Check):
    """The bundle was run as the contract says, and it failed.

    Every distinct failure is one finding, with the runs it ended and the last lines of output. A failure that
    the rehearsal's own limits explain (no GPU, a half-precision kernel that the CPU lacks, an id that the hub
    double does not know but the real hub may have) is advisory and says so.
    """

    ID = "rehearsal-failure"
    CRITERION = 1
    KINDS = (("experiment", 1), ("tests", TESTS))
    STAGE = 60
    PATH = "src/model.py"
    GOOD = (
        Good(
            "x = 1\n", evidence=Evidence((Rehearsal(phase="trial", run_id="a", status="passed", wall_s=1.0),))
        ),
        Good(
            "x = 1\n",
            evidence=Evidence((Rehearsal(phase="trial", run_id="a", status="skipped", wall_s=0.0),)),
        ),
    )
    BAD = (
        Bad(
            "def forward(batch):\n    return batch['labels']\n",
            evidence=_failed(_FAILED, "a", "b"),
            lines=(2,),
        ),
        Bad("def forward(batch):\n    return batch.cuda()\n", evidence=_failed(_NO_GPU, "a"), lines=(2,)),
        Bad(
            "x = 1\nimport pynvml\n",
            files={"pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["pynvml"]\n'},
            evidence=_failed(_NOT_INSTALLED, "a"),
            lines=(2,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding per distinct failure."""
        run_ids = sorted((r.run_id for r in evidence.rehearsals if r.run_id), key=len, reverse=True)
        failed = [(_message(r.failure, run_ids), r) for r in evidence.rehearsals if _is_failure(r)]
        keyed = sorted(failed, key=lambda pair: (_place(pair[1], subject), pair[0]))
        for (place, message), group in groupby(keyed, lambda pair: (_place(pair[1], subject), pair[0])):
            same = [rehearsal for _, rehearsal in group]
            limit = machine_limit(same[0], subject)
            yield Finding(
                check=self.ID,
                criterion=_criterion(subject, same[0].phase, place[0]),
                severity=Severity.ADVISORY if limit else Severity.BLOCKING,
                file=place[0],
                line=place[1],
                message=message,
                evidence=_evidence(subject, same, limit),
            )


def _is_failure(rehearsal: Rehearsal) -> bool:
    """Whether the run as a whole failed; single tests are reported for themselves."""
    return rehearsal.status == "failed" and rehearsal.failure is not None and not rehearsal.tests


def _place(rehearsal: Rehearsal, subject: ParsedBundle) -> tuple[str, int]:
    """Where it failed; without a frame, the file that the phase starts with."""
    failure = rehearsal.failure
    assert failure is not None, "only failures are placed"
    if failure.file:
        return failure.file, failure.line
    starts: dict[Phase, str] = {"install": "pyproject.toml", "evaluate": evaluate_path(subject.contract)}
    return starts.get(rehearsal.phase, subject.contract.entry_file), 0


def _message(failure: Failure | None, run_ids: Sequence[str]) -> str:
    """Phase, exception and message, the same for every run that fails in the same way."""
    assert failure is not None, "only failures are worded"
    where = f" in {failure.function}" if failure.function and not failure.function.startswith("<") else ""
    text = f"{failure.phase} fails{where} with {failure.exception}: {failure.message}".rstrip(": ")
    for run_id in run_ids:
        text = re.sub(rf"(?<![\w-]){re.escape(run_id)}(?![\w-])", "<run>", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x…", text)


def _criterion(subject: ParsedBundle, phase: Phase, path: str) -> int:
    if subject.contract.kind == "tests":
        return INSTALLS if phase == "install" else TESTS
    if phase in ("install", "compose"):
        return BY_PHASE[phase]
    name = path.rpartition("/")[2].partition(".")[0]
    return BY_FILE.get(name, BY_PHASE[phase])


def _evidence(subject: ParsedBundle, same: Sequence[Rehearsal], limit: str) -> str:
    """The runs, the line of code, what limits the statement, and the decisive lines of output."""
    failure = same[0].failure
    assert failure is not None, "only failures are explained"
    module = subject.modules.get(failure.file)
    code = module.line(failure.line) if module is not None else ""
    runs = [rehearsal.run_id for rehearsal in same if rehearsal.run_id]
    told = dict.fromkeys(f"{r.failure.exception}: {r.failure.message}" for r in same if r.failure is not None)
    parts = [f"runs: {', '.join(runs)}" if runs else "", f"code: {code}" if code else ""]
    parts += [f"limit of the rehearsal: {limit}" if limit else "", *_doubts(same[0].proof), *told]
    return "\n".join([part for part in parts if part] + ["output:", *_decisive(failure)])


def _doubts(proof: Proof | None) -> Iterator[str]:
    """What the doubles refused or assumed in this run."""
    if proof is not None:
        yield from (f"refused by the hub double: {text}" for text in proof.hub_requests[:5])
        yield from (f"assumed: {text}" for text in proof.assumptions[:5])


def _decisive(failure: Failure) -> list[str]:
    """The last lines of output, or the message when there is none."""
    lines = [line.rstrip() for line in failure.tail.splitlines() if line.strip()]
    return lines[-MAX_LINES:] or [f"{failure.exception}: {failure.message}"]
