"""Check `missing-config-key`: a key that a run's config does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite, transform
from policies.hydra.analysis import Launch
from policies.hydra.checks import also, events_of, folded, is_run_key, runs_text
from policies.hydra.examples import CONFIG, ENTRY, LOAD, RUNS
from policies.hydra.machine import Event, EventKind
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding, Severity

MERGED = f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"


class MissingConfigKey(Check):
    """Code on the way of a run reads a key that this run's composed config lacks: it stops there.

    Typical for a baseline whose YAML has no section for the proposed method. What the value should be, or
    whether the code should not ask, is a judgement; the codemod only mends a wrong section, where exactly one
    path of every run's config ends in the same key. A read in a branch that the text does not decide is
    advisory, and told only where another run has the key.
    """

    ID = "missing-config-key"
    CRITERION = 7
    STAGE = 60
    GOOD = (
        Good(f"{MERGED}    print(cfg.training.get('lr', 0.1))\n", files=CONFIG, run_configs=RUNS),
        Good(f"{MERGED}    print(cfg.training.epochs)\n", files=CONFIG, run_configs=RUNS),
        Good(
            f"{MERGED}    cfg.merge_with_dotlist(['training.lr=0.1'])\n    print(cfg.training.lr)\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(
            f"{MERGED}    if 'lr' in cfg.training:\n        print(cfg.training.lr)\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(f"{MERGED}    print(getattr(cfg.training, 'lr', None))\n", files=CONFIG, run_configs=RUNS),
    )
    BAD = (
        Bad(f"{MERGED}    print(cfg.training.lr)\n", files=CONFIG, run_configs=RUNS, lines=(10,)),
        Bad(
            f"{MERGED}    print(cfg.training.name)  # which\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(10,),
            fixed=f"{MERGED}    print(cfg.model.name)  # which\n",
        ),
        Bad(f"{MERGED}    print(cfg['training']['lr'])\n", files=CONFIG, run_configs=RUNS, lines=(10,)),
        Bad(
            f"{MERGED}    trainer = Trainer(cfg)\n    trainer.start()\n\n\nclass Trainer:\n"
            "    def __init__(self, cfg):\n        self.options = cfg.training\n\n"
            "    def start(self):\n        print(self.options.lr, self.options.lr * 2)\n"
            "        return self.options.lr\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(19,),
        ),
        Bad(
            f"{MERGED}    if wanted():\n        print(cfg.training.weight)\n",
            files=CONFIG,
            run_configs=RUNS | {"config/runs/b.yaml": "run_id: b\ntraining:\n  weight: 3\n"},
            lines=(11,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Reads that no run config and no default answers; run keys at the wrong place are another check."""
        certain: set[str] = set()
        for launch, event, runs, lines in folded(_absent(subject, "missing-key")):
            certain.add(event.path)
            who = runs_text(subject, runs)
            yield self.finding(
                event.module.path,
                event.line,
                f"`{event.function}` reads `{event.path}`, a key that {who} lacks",
                f"{event.module.line(event.line)} — neither {launch.entry.config_file} nor the run config "
                f"has it{also(lines)}",
            )
        for _, event, runs, lines in folded(_absent(subject, "may-miss-key")):
            others = _holders(subject, event.path)
            if event.path in certain or not others or set(others) & set(runs):
                continue
            found = self.finding(
                event.module.path,
                event.line,
                f"`{event.function}` may read `{event.path}`, a key that {runs_text(subject, runs)} lacks",
                f"{event.module.line(event.line)} — only {', '.join(others)} has it; the config does not "
                f"decide whether this line runs{also(lines)}",
            )
            yield found.model_copy(update={"severity": Severity.ADVISORY})

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Read the only path of the config that ends in the same key, when every run has it."""

        from policies.transformers.rename import ReplaceExpression

        for launch, event, _ in events_of(subject, "missing-key"):
            if event.module.path != finding.file or f"`{event.path}`" not in finding.message:
                continue
            found = _same_leaf(subject, launch, event.path)
            if found is None or not event.root:
                continue
            change = ReplaceExpression(f"{event.root}.{event.path}", f"{event.root}.{found}", event.line)
            return rewrite(subject.bundle, event.module.path, transform(event.module.text, change))
        return None


def _absent(subject: ParsedBundle, kind: EventKind) -> Iterator[tuple[Launch, Event, tuple[str, ...]]]:
    """Reads of missing keys that are neither at the wrong place nor in a search space (another check)."""
    for launch, event, runs in events_of(subject, kind):
        if not is_run_key(subject, launch, event) and not event.path.startswith("optuna.search_space."):
            yield launch, event, runs


def _holders(subject: ParsedBundle, path: str) -> list[str]:
    """The runs whose own config has the key."""
    return [run for run, d in subject.run_documents.items() if path in set(_paths(d.data or {}))]


def _same_leaf(subject: ParsedBundle, launch: Launch, path: str) -> str | None:
    leaf = path.rpartition(".")[2]
    per_run = [
        {
            p
            for p in _paths({**(launch.composition.config or {}), **(d.data or {})})
            if p.rpartition(".")[2] == leaf
        }
        for d in subject.run_documents.values()
    ]
    common = set.intersection(*per_run)
    return common.pop() if len(common) == 1 and all(len(found) == 1 for found in per_run) else None


def _paths(data: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in data.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{key}.")
