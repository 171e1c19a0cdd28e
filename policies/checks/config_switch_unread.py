"""Check `config-switch-unread`: a switch of a run config is on, and no code looks at it."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.config_use import first_read, home_of, unread_keys
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.parsed import ParsedBundle
from policies.records import Finding, Severity

MERGED = f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
READ = f"{MERGED}    print(cfg.model.name, cfg.model.size)\n"
RUNS = {"config/runs/a.yaml": "run_id: a\nmodel:\n  name: x\n  size: 3\n  freeze_encoder: true\n"}


class ConfigSwitchUnread(Check):
    """`freeze_encoder: true` in a run config promises what no code does unless it is read.

    Worse than an unread number: the run reports a method that was not applied. What counts as reading is the
    same as for `config-key-unread`.
    """

    ID = "config-switch-unread"
    CRITERION = 7
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code", "config")
    GOOD = (
        Good(f"{READ}    if cfg.model.freeze_encoder:\n        print(1)\n", files=CONFIG, run_configs=RUNS),
        Good(READ, files=CONFIG, run_configs={p: t.replace("true", "false") for p, t in RUNS.items()}),
        Good(f"{READ}    make(**cfg.model)\n", files=CONFIG, run_configs=RUNS),
    )
    BAD = (Bad(READ, files=CONFIG, run_configs=RUNS, lines=(10,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for every switch."""
        for found in unread_keys(subject):
            module = home_of(subject, found.section)
            if found.value is not True or module is None:
                continue
            yield self.finding(
                module.path,
                first_read(module, found.section),
                f"`{found.path}` is switched on in the run config, but nothing reads it",
                f"{found.file}:{found.line} `{found.leaf}: true`; no attribute, string or splat names it",
            )
