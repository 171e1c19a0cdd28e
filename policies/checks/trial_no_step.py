"""Check `trial-no-step`: a trial must reach the optimizer."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.hydra.checks import runs_text
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.parsed import ParsedBundle
from policies.records import Finding, Severity
from policies.trial_loops import trial_loops

RUNS = {"config/runs/a.yaml": "run_id: a\ntraining:\n  accumulate: 8\n"}
TEXT = (
    f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
    "    loader, optimizer = build(cfg)\n    for step, batch in enumerate(loader):\n"
    "        if cfg.mode == 'trial' and step >= 2:\n            break\n        model(batch).backward()\n"
    "        if (step + 1) % cfg.training.accumulate == 0:\n            optimizer.step()\n"
)


class TrialNoStep(Check):
    """Two batches, and an optimizer that waits for eight: the trial ends without a single step.

    Such a trial shows neither that the optimizer works nor that a parameter moves. The trial needs a smaller
    accumulation, or the code a step for the last batch.
    """

    ID = "trial-no-step"
    CRITERION = 9
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("entry", "config")
    GOOD = (
        Good(TEXT.replace("cfg.training.accumulate", "2"), files=CONFIG, run_configs=RUNS),
        Good(TEXT.replace(" == 0:", " == 0 or cfg.mode == 'trial':"), files=CONFIG, run_configs=RUNS),
        Good(TEXT.replace("step >= 2", "unknown(step)"), files=CONFIG, run_configs=RUNS),
        Good(f"{TEXT}        optimizer.step()\n", files=CONFIG, run_configs=RUNS),
    )
    BAD = (Bad(TEXT, files=CONFIG, run_configs=RUNS, lines=(11,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Training loops of a trial that end before the first step."""
        for found in trial_loops(subject):
            loop = found.loop
            if found.trains and loop.rounds is not None and loop.accumulates > loop.rounds:
                line = loop.node.lineno
                yield self.finding(
                    loop.module.path,
                    line,
                    f"`{loop.function}` ends a trial before the optimizer's first step",
                    f"{loop.module.line(line)} — {loop.rounds} batches, one step for every "
                    f"{loop.accumulates}; {runs_text(subject, found.run_ids)}",
                )
