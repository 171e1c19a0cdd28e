"""Check `run-id-has-no-keys`: `cfg.run` may be a plain string."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite, transform
from policies.hydra.checks import events_of, runs_text
from policies.hydra.examples import CONFIG, ENTRY, GROUP_CONFIG, GROUP_RUNS, LOAD, RUNS
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding

MERGED = f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"


class RunIdHasNoKeys(Check):
    """`cfg.run.run_id` fails when `run` is a plain key that holds the id as a string.

    "'str' object has no attribute 'run_id'": often only in full mode, where W&B is started with it.
    """

    ID = "run-id-has-no-keys"
    CRITERION = 2
    STAGE = 43
    GOOD = (
        Good(f"{ENTRY}    print(cfg.run.run_id)\n", files=GROUP_CONFIG, run_configs=GROUP_RUNS),
        Good(f"{MERGED}    print(cfg.run.upper(), cfg.run_id)\n", files=CONFIG, run_configs=RUNS),
    )
    BAD = (
        Bad(
            f"{MERGED}    print(cfg.run.run_id)  # id\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(10,),
            fixed=f"{MERGED}    print(cfg.run_id)  # id\n",
        ),
        Bad(
            f"{MERGED}    chosen = cfg.run\n    print(f'id={{chosen.run_id}}')\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(11,),
            fixed=f"{MERGED}    chosen = cfg.run\n    print(f'id={{cfg.run_id}}')\n",
        ),
        Bad(f"{ENTRY}    print(cfg.mode.name)\n", files=CONFIG, run_configs=RUNS, lines=(7,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Attributes read from a config value that is a string."""
        for _, event, runs in events_of(subject, "not-a-node"):
            yield self.finding(
                event.module.path,
                event.line,
                f"`{event.function}` reads `{event.path}` from a string",
                f"{event.module.line(event.line)} — the key before the last dot is a string, "
                f"such as {event.detail}; so it is for {runs_text(subject, runs)}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Read the run config's key from the top of the config."""

        from policies.transformers.rename import ReplaceExpression

        for _, event, _ in events_of(subject, "not-a-node"):
            if (event.module.path, event.line) != (finding.file, finding.line) or not event.root:
                continue
            key = event.path.rpartition(".")[2]
            is_run = event.detail == repr(event.run_id)
            if not is_run or not all(key in (d.data or {}) for d in subject.run_documents.values()):
                continue
            text = transform(
                event.module.text, ReplaceExpression(event.path, f"{event.root}.{key}", event.line)
            )
            return rewrite(subject.bundle, event.module.path, text)
        return None
