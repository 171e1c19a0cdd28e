"""Check `config-key-unread`: settings of the run configs that no code reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from policies.base import Bad, Check, Evidence, Good
from policies.config_use import Unread, first_read, home_of, unread_keys
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.parsed import ParsedBundle
from policies.records import Finding, Severity
from policies.wording import listed

MERGED = f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
READ = f"{MERGED}    print(cfg.training.epochs, cfg.training.rate)\n"
RUNS = {
    "config/runs/a.yaml": "run_id: a\ntraining:\n  epochs: 3\n  rate: 0.1\n  lr_scheduler: cosine\n"
    "  warmup_ratio: 0.1\n  notes: as published\n  label_smoothing: 0.0\n"
}
MOST = 8


class ConfigKeyUnread(Check):
    """The run configs fix the experiment; a setting that nothing reads is not part of what is run.

    Typical: `lr_scheduler: cosine` while the code builds a linear schedule, `gradient_accumulation_steps: 8`
    while every batch is a step. A key counts as read when any attribute, any string or any interpolation
    names it, or when code splats or goes through the section around it; saving the config or handing it to
    W&B is not reading. Left out: notes, facts about a pretrained model, settings that are off, and words
    that the code writes out itself (`optimizer: adamw` beside `AdamW`).
    """

    ID = "config-key-unread"
    CRITERION = 7
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code", "config")
    GOOD = (
        Good(
            READ.replace("rate)", "rate, cfg.training.get('lr_scheduler'), cfg['training']['warmup_ratio'])"),
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(f"{READ}    options = dict(**cfg.training)\n", files=CONFIG, run_configs=RUNS),
        Good(
            f"{READ}    for name, value in cfg.training.items():\n        print(name, value)\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(f"{READ}    options = dict(cfg.training)\n", files=CONFIG, run_configs=RUNS),
        Good(
            READ.replace('f"config/runs/{cfg.run}.yaml"', "path_of(cfg)")
            + "    fit(cfg.model, cfg.training)\n",
            files={"config/config.yaml": "run: null\nmode: full\n"},
            run_configs=RUNS,
        ),
        Good(f"{READ}    unknown_library(cfg.training)\n", files=CONFIG, run_configs=RUNS),
        Good(f"{MERGED}    print(cfg)\n", files=CONFIG, run_configs=RUNS),
        Good(
            READ.replace('config_path="../config"', "config_path=str(HERE / 'config')")
            + "    options = OmegaConf.to_container(cfg.training)\n    fit(**options)\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
    )
    BAD = (
        Bad(READ, files=CONFIG, run_configs=RUNS, lines=(10,)),
        Bad(
            f"{READ}    import wandb\n    wandb.init(config=OmegaConf.to_container(cfg, resolve=True))\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(10,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for every section with unread settings; switches are told on their own."""
        plain = [found for found in unread_keys(subject) if found.value is not True]
        for section, group in groupby(sorted(plain, key=lambda f: (f.section, f.path)), lambda f: f.section):
            keys = list(group)
            module = home_of(subject, section)
            if module is None:
                continue
            yield self.finding(
                module.path,
                first_read(module, section),
                f"settings {_place(section)} of the run configs that nothing reads: {_names(keys)}",
                "; ".join(f"`{k.path}: {k.value}` {k.file}:{k.line}" for k in keys[:MOST]) + _more(keys),
            )


def _place(section: str) -> str:
    return f"in `{section}`" if section else "at the top"


def _names(keys: list[Unread]) -> str:
    return listed((f"`{key.path.rpartition('.')[2]}`" for key in keys), MOST)


def _more(keys: list[Unread]) -> str:
    return f"; and {len(keys) - MOST} more" if len(keys) > MOST else ""
