"""Trials that train on more than a batch or two."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.hydra.checks import runs_text
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.parsed import ParsedBundle
from policies.records import Finding, Proof, Rehearsal, Severity
from policies.rehearsal_limits import FEW_PASSES
from policies.trial_loops import TrialLoop, data_is_limited, trial_loops

BLOCKING_PASSES = 50
MOST_BATCHES = 2

_LOOP = "for batch in loader:\n    loss = model(batch)\n    loss.backward()\n    optimizer.step()\n"


def _trial(steps: int, *, warm_up: int = 0) -> Evidence:
    proof = Proof(
        optimizer_steps=steps,
        backward_passes=warm_up + steps,
        parameters_moved=True,
        batches=warm_up + steps,
    )
    return Evidence((Rehearsal(phase="trial", run_id="a", status="passed", wall_s=1.0, proof=proof),))


RUNS = {"config/runs/a.yaml": "run_id: a\ntraining:\n  warm_up: 150\n"}
_SCRIPT = (
    f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
    "    loader = build(cfg)\n    HEAD\n        loss = model(1)\n        loss.backward()\n    TAIL\n"
)


def _script(head: str, leave: str) -> str:
    return _SCRIPT.replace("HEAD", head).replace("TAIL", leave)


def _good(head: str, leave: str) -> Good:
    return Good(_script(head, leave), files=CONFIG, run_configs=RUNS)


def _bad(head: str, leave: str) -> Bad:
    return Bad(_script(head, leave), files=CONFIG, run_configs=RUNS, lines=(11,))


class TrialUnbounded(Check):
    """A trial proves that the code runs; the contract asks for one or two batches.

    Judged on what the probes counted, where trials were rehearsed: optimizer steps, and backward passes, so
    that a warm-up or a calibration counts too. A few more are advisory: gradient accumulation and a second
    phase of training are legitimate. More than fifty are a full training run; so is a trial that was still
    at it when its time was up. Without a rehearsal the loops are counted that a trial surely reaches: those
    that nothing ends but the data, those whose number of rounds the trial's config gives, and those whose
    test stands behind the work and so lets a third batch in.
    """

    ID = "trial-unbounded"
    CRITERION = 9
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("entry", "config")
    GOOD = (
        Good(_LOOP, evidence=_trial(2)),
        Good(_LOOP, evidence=Evidence()),
        _good("for batch in loader:", "    if cfg.mode == 'trial':\n            break"),
        _good(
            "for step, batch in enumerate(loader):",
            "    if cfg.mode == 'trial' and step >= 1:\n            break",
        ),
        _good("for step in range(2 if cfg.mode == 'trial' else 500):", "    pass"),
        _good("for batch in loader:", "    if unknown():\n            break"),
        _good("for batch in loader.head(2):", "    pass"),
        Good(
            _script("for batch in loader:", "    pass"),
            files=CONFIG,
            run_configs=RUNS,
            evidence=_trial(2),
        ),
    )
    BAD = (
        _bad("for batch in loader:", "    pass"),
        _bad("for batch in loader:", "    if cfg.mode == 'full':\n            break"),
        _bad("for _ in range(cfg.training.warm_up):", "    pass"),
        _bad(
            "for step, batch in enumerate(loader):",
            "    if cfg.mode == 'trial' and step > 1:\n            break",
        ),
        Bad(_LOOP, evidence=_trial(12), lines=(1,)),
        Bad(_LOOP, evidence=_trial(500), lines=(1,)),
        Bad(_LOOP, evidence=_trial(2, warm_up=150), lines=(1,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for every loop that is too long, else one for the longest rehearsed trial."""
        trials = [(r.proof, r) for r in evidence.rehearsals if r.phase == "trial" and r.proof is not None]
        shown = {r.run_id for p, r in trials if r.status == "passed" and _passes(p) <= FEW_PASSES}
        long = [(proof, r) for proof, r in trials if _passes(proof) > FEW_PASSES]
        counts = f"counted while it ran: {', '.join(_counted(p, r) for p, r in long)}" if long else ""
        loops = list(self._counted_loops(subject, shown, counts))
        yield from loops
        full = any(_passes(p) > BLOCKING_PASSES or _timed_out(r) for p, r in long)
        severity = Severity.BLOCKING if full else Severity.ADVISORY
        if not long or any(loop.severity in (Severity.BLOCKING, severity) for loop in loops):
            return
        path, line = _training_loop(subject)
        message = "the trial makes more training passes than two"
        if full:
            message = "the trial trains far beyond one or two batches"
        told = self.finding(path, line, message, counts)
        yield told.model_copy(update={"severity": severity})

    def _counted_loops(self, subject: ParsedBundle, shown: set[str], counts: str) -> Iterator[Finding]:
        """Training loops that a trial surely reaches and that go on for too long.

        Args:
            shown: runs whose rehearsed trial was short enough, whatever the text looks like.
            counts: what the probes counted in the others; empty when no trial trained for long.
        """
        for found in trial_loops(subject):
            problem = _loop_problem(found, subject) if found.trains else None
            if problem is None or (found.run_ids and shown.issuperset(found.run_ids)):
                continue
            severity, message = problem
            line = found.loop.node.lineno
            where = f"{found.loop.module.line(line)} — {runs_text(subject, found.run_ids)}"
            told = self.finding(
                found.loop.module.path, line, message, f"{where}; {counts}" if counts else where
            )
            yield told.model_copy(update={"severity": severity})


def _loop_problem(found: TrialLoop, subject: ParsedBundle) -> tuple[Severity, str] | None:
    """How bad a training loop of a trial is, and what is wrong with it; None when nothing is."""
    loop = found.loop
    if loop.total is None:
        text = f"`{loop.function}` trains on every batch of its data in a trial"
        return None if data_is_limited(subject) else (Severity.BLOCKING, text)
    if loop.total > FEW_PASSES:
        severity = Severity.BLOCKING if loop.total > BLOCKING_PASSES else Severity.ADVISORY
        return severity, f"`{loop.function}` makes {loop.total} training passes in a trial"
    if loop.late and loop.total > MOST_BATCHES:
        reason = f"`{loop.late}` stands behind the work"
        return Severity.ADVISORY, f"`{loop.function}` trains on {loop.total} batches in a trial: {reason}"
    return None


def _passes(proof: Proof) -> int:
    return max(proof.optimizer_steps, proof.backward_passes)


def _timed_out(rehearsal: Rehearsal) -> bool:
    return rehearsal.failure is not None and rehearsal.failure.exception == "Timeout"


def _counted(proof: Proof, rehearsal: Rehearsal) -> str:
    counts = f"{proof.backward_passes} backward passes, {proof.optimizer_steps} optimizer steps"
    return f"{rehearsal.run_id}: {counts}, {proof.batches} batches"


def _training_loop(subject: ParsedBundle) -> tuple[str, int]:
    """The innermost loop around the first backward pass; the entry file when there is none."""
    for module, node in subject.walk():
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "backward"
        ):
            around: ast.AST | None = node
            while around is not None and not isinstance(around, ast.For | ast.While):
                around = module.parents.get(around)
            return module.path, around.lineno if around is not None else node.lineno
    return subject.contract.entry_file, 0
