"""The compose rehearsal: what to ask Hydra, and what its answers say."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from pydantic import TypeAdapter

from policies.contract import Contract
from policies.records import Bundle, Failure, Rehearsal, RehearsalStatus
from tools.trial.command import overrides
from tools.trial.failure import MAX_MESSAGE
from tools.trial.hydra_mains import HydraMain

PASSED: RehearsalStatus = "passed"
FAILED: RehearsalStatus = "failed"
SKIPPED: RehearsalStatus = "skipped"
IN_CONFIG = re.compile(r"^In '(?P<name>[^']+)':")
IN_FILE = re.compile(r'in "(?P<path>[^"]+\.ya?ml)", (?:line (?P<line>\d+)|position (?P<position>\d+))')
RAISED = re.compile(r"^In '[^']+': (?P<type>\w+) raised while composing config:\s*", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What Hydra said about one module and one run."""

    module: str
    run_id: str
    status: Literal["composed", "failed", "unknown"]
    exception: str = ""
    message: str = ""
    cause: str = ""
    missing: tuple[str, ...] = ()
    """Keys that are still `???`."""
    unresolved: tuple[str, ...] = ()
    """Interpolations that do not resolve, with the reason."""
    directory: str = "."
    """Working directory of the task, relative to where the command was started."""
    wall_s: float = 0.0


ANSWERS = TypeAdapter(tuple[Answer, ...])


@dataclass(frozen=True)
class Composition:
    """The compose rehearsals, and the runs of which the entry module itself cannot be composed."""

    rehearsals: tuple[Rehearsal, ...]
    blocked: frozenset[str] = field(default_factory=frozenset)


def compose_job(contract: Contract, mains: Sequence[HydraMain], run_ids: Sequence[str], root: str) -> bytes:
    """The job for `inside/compose.py`."""
    modules = [asdict(main) for main in mains if not main.registers_configs]
    runs = [{"run_id": run_id, "overrides": overrides(contract, run_id)} for run_id in run_ids]
    return json.dumps({"root": root, "out": "answers.json", "modules": modules, "runs": runs}).encode()


def read_answers(data: bytes) -> tuple[Answer, ...]:
    """The answers that `inside/compose.py` wrote."""
    return ANSWERS.validate_json(data)


def judge(
    bundle: Bundle,
    contract: Contract,
    mains: Sequence[HydraMain],
    run_ids: Sequence[str],
    answers: Sequence[Answer],
) -> Composition:
    """One rehearsal per run; the entry module's answer counts first."""
    of_run = {
        run_id: sorted(
            (answer for answer in answers if answer.run_id == run_id),
            key=lambda answer: (answer.module != contract.entry_file, answer.module),
        )
        for run_id in run_ids
    }
    blocked = {a.run_id for a in answers if a.status == "failed" and a.module == contract.entry_file}
    rehearsals = (composed(bundle, mains, run_id, mine) for run_id, mine in of_run.items())
    return Composition(tuple(rehearsals), frozenset(blocked))


def composed(bundle: Bundle, mains: Sequence[HydraMain], run_id: str, answers: Sequence[Answer]) -> Rehearsal:
    """The rehearsal of one run: failed when any module fails, passed when any module could be composed."""
    failed = next((answer for answer in answers if answer.status == "failed"), None)
    if failed is not None:
        main = next(main for main in mains if main.path == failed.module)
        status, failure = FAILED, failure_of(bundle, main, failed)
    else:
        good = any(answer.status == "composed" for answer in answers)
        status, failure = (PASSED if good else SKIPPED), None
    seconds = sum(answer.wall_s for answer in answers)
    note = " ".join(notes(mains, answers))
    return Rehearsal(
        phase="compose", run_id=run_id, status=status, wall_s=seconds, failure=failure, note=note
    )


def failure_of(bundle: Bundle, main: HydraMain, answer: Answer) -> Failure:
    """The record of a composition that failed."""
    exception, message = answer.exception, answer.message
    if match := RAISED.match(message):
        exception, message = match["type"], f"{message[: message.index(':')]}: {message[match.end() :]}"
    path, line, function = place_of(bundle, main, answer.message)
    cause = answer.cause if answer.cause and answer.cause.split(": ", 1)[-1] not in answer.message else ""
    text = re.sub(r"\s+", " ", f"{message} ({cause})" if cause else message).strip()
    return Failure(
        phase="compose",
        exception=exception,
        message=text[:MAX_MESSAGE],
        file=path,
        line=line,
        function=function,
        tail="\n".join(part for part in (answer.message, answer.cause) if part),
    )


def place_of(bundle: Bundle, main: HydraMain, message: str) -> tuple[str, int, str]:
    """File, line and function: the config that Hydra names, else the primary config, else the decorator."""
    for match in reversed(list(IN_FILE.finditer(message))):
        if text := bundle.tree.get(match["path"]):
            line = int(match["line"] or text[: int(match["position"])].count("\n") + 1)
            return match["path"], line, ""
    named = IN_CONFIG.match(message)
    if named and (path := config_file(bundle, main, named["name"])):
        return path, 0, ""
    if path := config_file(bundle, main, main.config_name):
        return path, 0, ""
    return main.path, main.line, main.function


def config_file(bundle: Bundle, main: HydraMain, name: str) -> str:
    """The path of a config that Hydra calls `name`."""
    if not name:
        return ""
    path = f"{main.config_dir}/{name}".strip("/")
    return next((p for p in (path, f"{path}.yaml") if p in bundle.tree), "")


def notes(mains: Sequence[HydraMain], answers: Sequence[Answer]) -> list[str]:
    """What a person should know about a composition beside its status, one sentence each."""
    found = [] if mains else ["No module of the bundle uses @hydra.main."]
    found += [
        f"{m.path} registers configs in code; only its trial shows them."
        for m in mains
        if m.registers_configs
    ]
    for answer in answers:
        if answer.status == "unknown":
            found.append(f"{answer.module} cannot be composed without running it: {answer.message}.")
        if answer.missing:
            found.append(f"{answer.module} leaves values missing: {', '.join(answer.missing)}.")
        if answer.unresolved:
            found.append(f"{answer.module} does not resolve {'; '.join(answer.unresolved)}.")
        if answer.directory != ".":
            found.append(
                f"{answer.module} runs in another working directory, below {answer.directory.split('/')[0]}/."
            )
    return found
