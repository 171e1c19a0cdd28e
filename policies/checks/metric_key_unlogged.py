"""Keys that the evaluation script reads and nothing logs."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from policies.api_fix import splice
from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.evaluate_args import evaluate_path
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding, Severity
from policies.wandb_logged import OWN, Logged, logged
from policies.wandb_reads import KeyRead, key_reads
from policies.wording import listed

_LOG = {
    "src/train.py": 'import wandb\n\nwandb.log({"val_loss": a, **{f"eval_{k}": v for k, v in m.items()}})\n'
}
_READ = "import wandb\n\nrun = wandb.Api().run('e/p/r')\nh = run.history()\n"


class MetricKeyUnlogged(Check):
    """The keys that evaluate.py reads must be those that train.py logs.

    A column that nobody logged is a `KeyError` where it is read outright; behind a test or a default it is
    a figure that is never drawn or a zero that looks like a result. Silent where what is logged cannot be
    read from the code. Reads that are alternatives of each other need only one that exists.
    """

    ID = "metric-key-unlogged"
    CRITERION = 6
    RESTS_ON = ("code",)
    PATH = "src/evaluate.py"
    GOOD = (
        Good(_READ + "x = h['val_loss'].max() + h['eval_f1'].max() + h['_step'].max()\n", files=_LOG),
        Good(_READ + "x = run.summary.get('f1', run.summary.get('val_loss'))\n", files=_LOG),
        Good(_READ + "x = run.summary.get(CONF.metric, run.summary.get('f1'))\n", files=_LOG),
        Good(_READ + "h['smooth'] = h['val_loss'].ewm(span=3).mean()\nprint(h['smooth'])\n", files=_LOG),
        Good(_READ + "print(h['f1'])\n", files={"src/train.py": "import wandb\n\nwandb.log(metrics)\n"}),
        Good(
            _READ + "for k in [c for c in ['f1', 'val_loss'] if c in h.columns]:\n    print(h[k])\n",
            files=_LOG,
        ),
        Good(
            _READ + "print(h['train_loss'])\n",
            files={
                "src/train.py": "import wandb\n\n\ndef fit(report):\n    row = {}\n"
                "    row['train_loss'] = 1\n    report(row)\n\n\nrun = wandb.init()\nfit(report=run.log)\n"
            },
        ),
    )
    BAD = (
        Bad(_READ + "print(h['f1'].max(), h['val_loss'].max())\n", files=_LOG, lines=(5,)),
        Bad(
            _READ + "if 'f1' in h.columns:\n    print(h['f1'])\nprint(run.summary.get('em', 0.0))\n",
            files=_LOG,
            lines=(5,),
        ),
        Bad(
            _READ + "print(h['val/loss'].max())\n",
            files=_LOG,
            lines=(5,),
            fixed=_READ + "print(h['val_loss'].max())\n",
        ),
        Bad(_READ + "print(h['val_loss'])\n", files={"src/train.py": ""}, lines=(5,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Keys that stop the script one by one, those with a near name too; the others in one finding."""
        known, path = logged(subject), evaluate_path(subject.contract)
        absent = [] if known.unknown else [r for r in key_reads(subject) if not _has(known, r)]
        if not absent:
            return
        if not known.calls and not known.written:
            yield self._soft(path, absent, "no training code logs anything to W&B")
            return
        by_key: dict[str, list[KeyRead]] = defaultdict(list)
        for read in absent:
            by_key[read.key].append(read)
        rest: list[KeyRead] = []
        for reads in by_key.values():
            hard = next((r for r in reads if r.hard), None)
            if hard is not None or _near(known, reads[0]):
                yield self._one(path, known, hard or reads[0])
            else:
                rest += [r for r in reads if not _replaceable(subject, known, r)]
        if rest:
            names = listed(sorted(known.summary - OWN), 12)
            yield self._soft(path, rest, f"logged: {names}")

    def _one(self, path: str, known: Logged, read: KeyRead) -> Finding:
        near = _near(known, read)
        hint = f"; `{near}` is" if near else ""
        verb = "stops at" if read.hard else "asks for"
        where = "column" if read.kind == "history" else "summary key"
        found = self.finding(
            path,
            read.line,
            f"the evaluation {verb} the {where} `{read.key}`, which nothing logs{hint}",
            f"{ast.unparse(read.node)} — logged: {listed(sorted(known.summary - OWN), 12)}",
        )
        return found if read.hard else found.model_copy(update={"severity": Severity.ADVISORY})

    def _soft(self, path: str, reads: Sequence[KeyRead], why: str) -> Finding:
        lines: dict[str, int] = {}
        for read in reads:
            if read.key not in OWN:
                lines.setdefault(read.key, read.line)
        message = f"nothing logs what the evaluation asks for: {', '.join(f'`{key}`' for key in lines)}"
        spots = ", ".join(f"{key} (line {line})" for key, line in lines.items())
        found = self.finding(path, min(lines.values()), message, f"{spots} — {why}")
        return found.model_copy(update={"severity": Severity.ADVISORY})

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Read the key that is logged, where only its spelling differs."""
        known, module = logged(subject), subject.modules.get(finding.file)
        asked = re.search(r"`([^`]+)`, which nothing logs; `([^`]+)` is$", finding.message)
        if asked is None or module is None:
            return None
        reads = [r for r in key_reads(subject) if r.key == asked[1] and not _has(known, r)]
        if not all(isinstance(read.node, ast.Constant) for read in reads):
            return None
        text = module.text
        for read in sorted(reads, key=lambda r: (r.node.lineno, r.node.col_offset), reverse=True):
            quote = (ast.get_source_segment(module.text, read.node) or '"')[-1]
            text = splice(text, read.node, f"{quote}{asked[2]}{quote}")
        return rewrite(subject.bundle, module.path, text)


def _has(known: Logged, read: KeyRead) -> bool:
    return read.key in OWN or known.has(read.key, summary=read.kind == "summary")


def _near(known: Logged, read: KeyRead) -> str:
    """The one logged key that differs only in case and separators; empty when there is none."""
    pool = known.summary if read.kind == "summary" else known.history
    near = [key for key in pool - OWN if "*" not in key and _plain(key) == _plain(read.key)]
    return near[0] if len(near) == 1 else ""


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _replaceable(subject: ParsedBundle, known: Logged, read: KeyRead) -> bool:
    """Whether an alternative of the read is logged."""
    return any(
        _has(known, other)
        for other in key_reads(subject)
        if other.group == read.group and other.key not in OWN
    )
