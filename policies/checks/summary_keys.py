"""What the training code leaves in the summary of its run."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import demands
from policies.parsed import ParsedBundle
from policies.records import Finding, Severity
from policies.trial_mode import calls_of
from policies.wandb_logged import logged


class SummaryKeys(Check):
    """The final and best values belong into the run's summary, which the evaluation compares.

    Without them the summary holds only the last row of the history, which is not the best epoch.
    """

    ID = "summary-keys"
    CRITERION = 6
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code",)
    GOOD = (
        Good("import wandb\n\nrun = wandb.init()\nrun.log({'f1': f1})\nrun.summary['best_f1'] = best\n"),
        Good("import wandb\n\nwandb.init()\nwandb.run.summary.update({'best_f1': best})\n"),
        Good(
            "import wandb\n\nrun = wandb.init()\nfor k, v in best.items():\n    setattr(run.summary, k, v)\n"
        ),
        Good("x = 1\n"),
    )
    BAD = (Bad("import wandb\n\nwandb.init()\nwandb.log({'f1': f1})\n", lines=(3,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first `wandb.init` of training code that writes no summary."""
        known = logged(subject)
        if known.unknown or known.written or not known.calls or not demands(subject, r"\bsummary\b", 6):
            return
        for module, call in calls_of(subject, "wandb.init"):
            message = "nothing is written to the summary: no final and no best value"
            yield self.finding(module.path, call.lineno, message, module.line(call.lineno))
            return
