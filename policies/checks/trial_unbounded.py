"""Trials that train on more than a batch or two."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.parsed import ParsedBundle
from policies.records import Finding, Proof, Rehearsal, Severity
from policies.rehearsal_limits import FEW_PASSES

BLOCKING_PASSES = 50

_LOOP = "for batch in loader:\n    loss = model(batch)\n    loss.backward()\n    optimizer.step()\n"


def _trial(steps: int, *, warm_up: int = 0) -> Evidence:
    proof = Proof(
        optimizer_steps=steps,
        backward_passes=warm_up + steps,
        parameters_moved=True,
        batches=warm_up + steps,
    )
    return Evidence((Rehearsal(phase="trial", run_id="a", status="passed", wall_s=1.0, proof=proof),))


class TrialUnbounded(Check):
    """A trial proves that the code runs; the contract asks for one or two batches.

    Judged on what the probes counted, not on the look of the code: optimizer steps, and backward passes, so
    that a warm-up or a calibration counts too. A few more are advisory: gradient accumulation and a second
    phase of training are legitimate. More than fifty are a full training run; so is a trial that was still
    at it when its time was up.
    """

    ID = "trial-unbounded"
    CRITERION = 9
    SEVERITY = Severity.ADVISORY
    GOOD = (Good(_LOOP, evidence=_trial(2)), Good(_LOOP, evidence=Evidence()))
    BAD = (
        Bad(_LOOP, evidence=_trial(12), lines=(1,)),
        Bad(_LOOP, evidence=_trial(500), lines=(1,)),
        Bad(_LOOP, evidence=_trial(2, warm_up=150), lines=(1,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for the longest trial."""
        trials = [(r.proof, r) for r in evidence.rehearsals if r.phase == "trial" and r.proof is not None]
        long = [(proof, r) for proof, r in trials if _passes(proof) > FEW_PASSES]
        if not long:
            return
        worst = max(_passes(proof) for proof, _ in long)
        path, line = _training_loop(subject)
        runs = ", ".join(_counted(p, r) for p, r in long)
        full = worst > BLOCKING_PASSES or any(_timed_out(r) for _, r in long)
        yield Finding(
            check=self.ID,
            criterion=self.CRITERION,
            severity=Severity.BLOCKING if full else Severity.ADVISORY,
            file=path,
            line=line,
            message=(
                "the trial trains far beyond one or two batches"
                if full
                else "the trial makes more training passes than two"
            ),
            evidence=f"counted while it ran: {runs}",
        )


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
