"""Metrics that the research asks for and no code mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import code_words
from policies.evaluate_args import evaluate_path
from policies.parsed import ParsedBundle
from policies.records import Finding, ResearchContext, Severity
from policies.trial_mode import launched

_NAMES = {
    "matthews": ("mcc",),
    "perplexity": ("ppl",),
    "correlation": ("corr", "pearson", "spearman", "mcc"),
    "time": ("second", "minute", "clock", "elapsed", "duration"),
    "latency": ("latenc", "elapsed", "duration", "perf_counter"),
    "energy": ("joule", "watt", "nvml"),
    "memory": ("mem", "bytes", "_mb"),
    "accuracy": ("acc", "correct"),
    "exact": ("em_", "_em", "correct"),
    "parameter": ("param", "numel"),
    "count": ("num", "total"),
    "number": ("num", "n_", "count", "total"),
    "calibration": ("ece",),
    "volume": ("hv",),
}
"""Word of a metric -> other ways in which code names it."""
_STOP = frozenset(
    ("the", "and", "per", "for", "with", "under", "over", "from", "vs", "versus", "score", "mean")
)
_STOP |= {
    "average",
    "metric",
    "value",
    "equal",
    "better",
    "best",
    "final",
    "validation",
    "test",
    "dev",
    "number",
}
_STOP |= {"percentile", "report", "overall", "total", "rate", "loss", "target", "model", "count", "overhead"}
_CONTEXT = ResearchContext(metrics=("ROUGE-L", "Peak memory (MB)"))


class MetricNotMeasured(Check):
    """The context lists the metrics of the experiment; each is to be measured and logged.

    A metric counts as measured as soon as any name or text in the code shares a telling word with it.
    """

    ID = "metric-not-measured"
    CRITERION = 6
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code", "config")
    GOOD = (
        Good("rougeL = scorer.score(a, b)\nmem = torch.cuda.max_memory_allocated()\n", context=_CONTEXT),
        Good("x = 1\n"),
        Good('"""Nothing yet."""\n', context=_CONTEXT),
    )
    BAD = (Bad("rouge = scorer.score(a, b)\n", context=_CONTEXT, lines=(0,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding with every such metric."""
        script = evaluate_path(subject.contract)
        modules = [m for m in subject.parsable if not m.empty]
        trains = [m for m in modules if m.path != script]
        main = subject.modules.get(launched(subject) or "src/train.py")
        if not trains or len(subject.parsable) < len(subject.modules) or (main and main.empty):
            return
        words = "\n".join(w for m in modules for w in code_words(m).split("\n") if " " not in w).lower()
        lost = {name: telling for name in subject.context.metrics if (telling := _lost(name, words))}
        if lost:
            said = "; ".join(f"{name}: no {' or '.join(telling)}" for name, telling in lost.items())
            path = next((m.path for m in trains if m.path.endswith("train.py")), trains[0].path)
            message = f"nothing measures {', '.join(lost)}"
            yield self.finding(path, 0, message, f"words looked for in the code — {said}")


def _lost(metric: str, code: str) -> list[str]:
    """The telling words of a metric, if the code has none of them and no other name for one."""
    words = [w for w in re.findall(r"[a-z][a-z0-9]+", metric.lower()) if len(w) > 2 and w not in _STOP]
    stems = [word[: max(5, len(word) - 2)] for word in words]
    others = [alias for word in words for alias in _NAMES.get(word.rstrip("s"), ())]
    initials = "".join(re.findall(r"\b([a-z])[a-z]*", metric.lower()))
    found = any(stem in code for stem in (*stems, *others)) or (len(initials) > 2 and initials in code)
    return [] if found or not words else words
