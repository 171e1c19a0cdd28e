"""Figures drawn by the training code."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import calls_from, demands
from policies.parsed import ParsedBundle
from policies.records import Finding, Severity
from policies.trial_mode import launched

_QUIET = frozenset(("use", "switch_backend", "close", "set_theme", "set_style", "rc", "figure_factory"))


class FiguresElsewhere(Check):
    """Only evaluate.py draws: figures from the training code are made in trials and on every machine."""

    ID = "figures-elsewhere"
    CRITERION = 8
    SEVERITY = Severity.ADVISORY
    GOOD = (
        Good("import matplotlib\n\nmatplotlib.use('Agg')\n"),
        Good("import matplotlib.pyplot as plt\n\nplt.figure()\n", path="src/evaluate.py"),
    )
    BAD = (
        Bad("import matplotlib.pyplot as plt\n\nplt.plot(losses)\nplt.savefig('curve.pdf')\n", lines=(3,)),
        Bad("import seaborn as sns\n\nsns.heatmap(cm)\n", path="src/main.py", lines=(3,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for each of the entry module and the training module."""
        if not demands(subject, r"train\.py.*(?:no figures|draw no)|no figures.*train\.py"):
            return
        contract = subject.contract
        for path in sorted({contract.entry_file, launched(subject) or "src/train.py"}):
            module = subject.modules.get(path)
            calls = list(calls_from(module, "matplotlib", "seaborn", "plotly")) if module else []
            drawn = [(c, name) for c, name in calls if name.rpartition(".")[2] not in _QUIET]
            if drawn:
                first = min(call.lineno for call, _ in drawn)
                names = ", ".join(dict.fromkeys(name for _, name in drawn))
                yield self.finding(path, first, "figures are drawn outside the evaluation script", names)
