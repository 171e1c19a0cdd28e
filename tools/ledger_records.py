"""The records that a ledger keeps: what an attempt was, and what a reader of the history gets back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime

from policies.contract import Contract
from policies.records import Bundle, Finding, Record, Rehearsal, Request, Verdict
from tools.llm.base import Exchange


class AttemptRecord(Record):
    """One turn of the loop, complete: what was planned, what it changed and what came of it."""

    number: int
    """Counts from 1."""
    base: str
    """Commit that the attempt started from."""
    strategy: str
    """How the patch was made, e.g. `codemod`, `model`, `codemod+model`."""
    plan: str = ""
    """What the attempt set out to do, for people."""
    subject: str = ""
    """First line of the commit message; empty lets the ledger write it from what was resolved."""
    resolved: tuple[Finding, ...] = ()
    """Findings of the base that are gone."""
    introduced: tuple[Finding, ...] = ()
    """Findings that the base did not have."""
    accepted: bool
    """The gate's decision."""
    gate_reasons: tuple[str, ...] = ()
    """Why the gate refused; empty when it accepted."""
    rehearsals: tuple[Rehearsal, ...] = ()
    verdict: Verdict | None = None
    """The review of the attempt's bundle; None when it was refused before one."""
    model: str = ""
    """Name of the model that was asked; empty when none was."""
    tokens: int = 0
    usd: float = 0.0
    wall_s: float = 0.0
    started_at: AwareDatetime
    """The date of the attempt's commits, so that a replay arrives at the same hashes."""
    exchanges: tuple[Exchange, ...] = ()
    notes: tuple[str, ...] = ()
    """Oddities on the way, one sentence each."""

    @property
    def gate(self) -> str:
        """The gate's decision as the trailer says it."""
        if self.accepted:
            return "accepted"
        return "refused: " + ("; ".join(self.gate_reasons) or "no reason given")


class RequestRecord(Record):
    """The note of the first commit: everything of the request but its texts, which are the commit's tree."""

    request: Request
    """Its bundle lists no files; the paths say what of the tree was given."""
    run_config_paths: tuple[str, ...]
    given_paths: tuple[str, ...] = ()
    binary_paths: tuple[str, ...] = ()
    contract: Contract

    def restored(self, tree: Mapping[str, bytes]) -> Request:
        """The request around the files of the first commit."""
        binaries = {p: tree[p] for p in self.binary_paths if p in tree and not _is_text(tree[p])}
        texts = {p: d.decode("utf-8", "surrogatepass") for p, d in tree.items() if p not in binaries}
        bundle = Bundle(
            run_configs={path: texts.pop(path) for path in self.run_config_paths},
            given={path: texts.pop(path) for path in self.given_paths},
            binaries={path: base64.b64encode(data).decode("ascii") for path, data in binaries.items()},
            files=texts,
        )
        return self.request.model_copy(update={"bundle": bundle})


def _is_text(data: bytes) -> bool:
    """Whether a file that came in as bytes has become text."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class AttemptEntry(Record):
    """One line of the history, read back from the commit and its trailers."""

    number: int
    sha: str
    """The attempt's last commit: the bundle that was rehearsed."""
    repair_sha: str
    """The commit that holds the repair; differs from `sha` when formatting got a commit of its own."""
    base: str
    subject: str
    date: AwareDatetime
    strategy: str
    resolves: str
    """Check ids with counts, e.g. `bare-except x2`; empty for none."""
    introduces: str
    gate: str
    accepted: bool
    kept: bool
    """Whether `main` is built on it; an accepted attempt that made things worse is not kept."""
    rehearsal: str
    """Passed of all per phase, e.g. `install=1/1 trial=1/2`."""
    model: str
    tokens: int
    usd: float
    wall_s: float
    marks: tuple[str, ...] = ()
    """Which of `main`, `best`, `ready` point at it."""


class Begun(Record):
    """What is written before an attempt is tried, and completed after."""

    number: int
    status: Literal["begun", "recorded"]
    plan: str
    strategy: str = ""
    base: str = ""
    started_at: AwareDatetime
    sha: str = ""
    """The attempt's last commit, once recorded."""


class DiffSize(Record):
    """How big a change is."""

    files: int
    added_lines: int
    removed_lines: int
