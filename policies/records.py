"""The frozen records that every part of Suture exchanges. Values only: no I/O, no clock."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

Phase = Literal["install", "compose", "trial", "full", "evaluate"]
RehearsalStatus = Literal["passed", "failed", "skipped"]
ClaimStatus = Literal["confirmed", "refuted", "unverified", "judgement"]
EndReason = Literal["ready", "budget", "stuck", "cannot-repair", "interrupted"]


class Record(BaseModel):
    """Base of all records: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Severity(StrEnum):
    """How much a finding weighs."""

    BLOCKING = "blocking"
    ADVISORY = "advisory"


class Bundle(Record):
    """The files under judgement and those that come with them. Paths are POSIX, relative."""

    files: Mapping[str, str]
    """Path -> text of every file that may be edited."""
    run_configs: Mapping[str, str] = {}
    """Path -> text of the run configs; given, never edited."""
    given: Mapping[str, str] = {}
    """Path -> text of whatever else is given and never edited: tests, their settings, data."""
    binaries: Mapping[str, str] = {}
    """Path -> Base64 of the bytes of given files that are no text."""

    @property
    def tree(self) -> dict[str, str]:
        """Path -> text of every text file, as it lies on disk; bundle files win."""
        return {**self.given, **self.run_configs, **self.files}

    @property
    def blobs(self) -> dict[str, bytes]:
        """Path -> bytes of everything, as it lies on disk."""
        texts = {path: text.encode("utf-8", "surrogatepass") for path, text in self.tree.items()}
        return {**{path: base64.b64decode(data) for path, data in self.binaries.items()}, **texts}

    @property
    def digest(self) -> str:
        """SHA-256 over paths and texts; equal digests are equal bundles."""
        hasher = hashlib.sha256()
        for path, text in sorted({**self.binaries, **self.tree}.items()):
            for part in (path, text):
                data = part.encode("utf-8", "surrogatepass")
                hasher.update(len(data).to_bytes(8, "big") + data)
        return hasher.hexdigest()

    def with_file(self, path: str, text: str) -> Bundle:
        """A copy in which `path` holds `text`."""
        return self.model_copy(update={"files": {**self.files, path: text}})

    def without_file(self, path: str) -> Bundle:
        """A copy that lacks `path`."""
        return self.model_copy(update={"files": {k: v for k, v in self.files.items() if k != path}})

    def changed_paths(self, other: Bundle) -> tuple[str, ...]:
        """Paths whose text differs between the two bundles, sorted."""
        mine, theirs = self.tree, other.tree
        return tuple(sorted(p for p in mine.keys() | theirs.keys() if mine.get(p) != theirs.get(p)))


class Run(Record):
    """One experiment run that the research context lists."""

    run_id: str
    method: str = ""
    model: str = ""
    dataset: str = ""


class ResearchContext(Record):
    """What the experiment is about; quoted to models, never executed."""

    hypothesis: str = ""
    method: str = ""
    design: str = ""
    metrics: tuple[str, ...] = ()
    primary_metric: str = ""
    """The exact string that the aggregated metrics must carry; empty if the request names none."""
    runs: tuple[Run, ...] = ()


class Rejection(Record):
    """The verdict that came with the request."""

    is_code_ready: bool
    code_issue: str


class Request(Record):
    """Everything intake read from one INPUT."""

    source: str
    """Where it came from, for people."""
    kind: Literal["transcript", "json", "directory"]
    bundle: Bundle
    context: ResearchContext = ResearchContext()
    criteria: str = ""
    """The criteria text, verbatim; empty when the input has none."""
    rejection: Rejection | None = None
    notes: tuple[str, ...] = ()
    """Oddities that intake survived or assumptions it made, one sentence each."""


class Finding(Record):
    """One defect, with the evidence for it."""

    check: str
    """Id of the check, e.g. `bare-except`."""
    criterion: int
    """Number of the criterion, by the list of the contract's kind: 1 to 9 for experiments."""
    severity: Severity
    file: str
    line: int
    """1-based; 0 when the finding is about the whole file."""
    message: str
    evidence: str
    """What a person can look at to see that it is so: the construct, the value, the record."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Identity across attempts; lines move, so they are left out."""
        return (self.check, self.file, self.message)


class Claim(Record):
    """One atomic statement of a reviewer and what testing it showed."""

    text: str
    status: ClaimStatus
    evidence: str
    source: Literal["rejection", "model"] = "rejection"
    """Who said it: the rejection that came with the request, or the reviewing model."""
    late: bool = False
    """An earlier review saw the same lines and did not say it; such a claim cannot block by itself."""
    severity: Severity | None = None
    """How much its reviewer says it weighs; None where that was not said."""
    criterion: int = 0
    """The criterion that it is said to break; 0 where that was not said."""
    file: str = ""
    """The file that it cites; empty where it cites none."""
    line: int = 0
    """First line that it cites, 1-based; 0 where it cites none, or none that exists."""
    end_line: int = 0
    """Last line that it cites."""

    @property
    def blocks(self) -> bool:
        """Whether it keeps a bundle from being ready: the model's, of weight, in time, and shown to hold."""
        weighs = self.source == "model" and self.severity is Severity.BLOCKING
        return weighs and self.status == "confirmed" and not self.late and self.line > 0


class CriterionResult(Record):
    """One row of the per-criterion table."""

    number: int
    title: str
    status: Literal["met", "violated", "unproven"]
    """`unproven`: no check objects, but a part of it needs judgement or a rehearsal that did not run."""
    findings: int
    """Open findings under this criterion, advisory ones included."""


class Verdict(Record):
    """What a review says; the first two fields are the incoming format."""

    is_code_ready: bool
    code_issue: str
    findings: tuple[Finding, ...] = ()
    claims: tuple[Claim, ...] = ()
    criteria: tuple[CriterionResult, ...] = ()

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that keep the bundle from being ready."""
        return tuple(f for f in self.findings if f.severity is Severity.BLOCKING)


class Failure(Record):
    """What went wrong in a rehearsal, parsed."""

    phase: Phase
    exception: str
    """Exception type, or `Timeout`, `MemoryLimit`, `Killed`, `NoWork`, `ExitStatus`."""
    message: str
    file: str = ""
    """Innermost frame inside the bundle; empty when there is none."""
    line: int = 0
    function: str = ""
    tail: str = ""
    """Last lines of output."""


class Proof(Record):
    """What the probes counted in one rehearsed run."""

    optimizer_steps: int = 0
    backward_passes: int = 0
    parameters_moved: bool = False
    batches: int = 0
    wandb_modes: tuple[str, ...] = ()
    """The mode of every `wandb.init` call."""
    optuna_trials: int = 0
    files_written: tuple[str, ...] = ()
    network_refused: tuple[str, ...] = ()
    """host:port of connection attempts outside the doubles."""
    hub_requests: tuple[str, ...] = ()
    """`status path` of requests the hub double refused."""
    assumptions: tuple[str, ...] = ()
    """What the doubles had to assume, one sentence each."""
    tests_passed: int = 0
    """Tests that ran and passed, where the trial is a test suite."""
    tests_failed: int = 0
    """Tests that failed or could not be set up, and test files that could not be read."""
    tests_skipped: int = 0
    """Skipped, or failing as the suite expects."""

    @property
    def trained(self) -> bool:
        """Whether at least one optimizer step moved a parameter on data that was read."""
        return self.optimizer_steps > 0 and self.parameters_moved


class FailedTest(Record):
    """One test that did not pass."""

    test: str
    """Its node id, e.g. `tests/test_stack.py::test_pop`; the path of a test file that cannot be read."""
    stage: Literal["collect", "setup", "call", "teardown"]
    """Where it failed; `collect` is the reading of the test file."""
    failure: Failure
    """With the innermost frame in the project's own code, tests and their helpers excluded."""
    test_line: int = 0
    """Line of the test file that was executing; 0 when none was."""


class Rehearsal(Record):
    """The outcome of one execution."""

    phase: Phase
    run_id: str
    """Empty for install, which is about the whole bundle."""
    status: RehearsalStatus
    wall_s: float
    failure: Failure | None = None
    proof: Proof | None = None
    note: str = ""
    """Why it was skipped, or what was assumed."""
    tests: tuple[FailedTest, ...] = ()
    """The tests that did not pass, where the trial is a test suite."""


class Spent(Record):
    """What a repair has used up."""

    attempts: int = 0
    seconds: float = 0.0
    tokens: int = 0
    """Input and output tokens as the endpoint reported them."""
    usd: float = 0.0
    calls: int = 0

    def plus(
        self, *, attempts: int = 0, seconds: float = 0.0, tokens: int = 0, usd: float = 0.0, calls: int = 0
    ) -> Spent:
        """The sum, as a new record."""
        return Spent(
            attempts=self.attempts + attempts,
            seconds=self.seconds + seconds,
            tokens=self.tokens + tokens,
            usd=self.usd + usd,
            calls=self.calls + calls,
        )
