"""Check `optuna-key-unresolved`: a sampled value must reach the key that training reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hydra.examples import CONFIG, LOAD
from policies.hydra.trace import Sample
from policies.optuna_search import lost_samples, meant_paths, through_table
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding
from policies.replace_node import with_table

TEXT = (
    "import hydra\nimport optuna\nfrom omegaconf import OmegaConf\n\n\ndef objective(trial, base):\n"
    "    cfg = OmegaConf.create(OmegaConf.to_container(base))\n"
    "    for name, spec in cfg.optuna.search_space.items():\n"
    "        value = trial.suggest_float(name, spec.low, spec.high)\n"
    "        WRITE\n"
    "    return train(cfg)\n\n\ndef train(cfg):\n    return cfg.training.learning_rate\n\n\n"
    '@hydra.main(version_base=None, config_path="../config", config_name="config")\ndef main(cfg):\n'
    f"{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
    "    study = optuna.create_study()\n    study.optimize(lambda trial: objective(trial, cfg))\n"
    "    for name, value in study.best_params.items():\n        WRITE\n"
)
FIXED = TEXT.replace(
    "OmegaConf\n\n",
    "OmegaConf\n\n# where the parameters of the search space lie in the config\n"
    'SEARCH_PATHS = {\n    "learning_rate": "training.learning_rate",\n}\n\n',
    1,
)
UPDATED = FIXED.replace("WRITE", "OmegaConf.update(cfg, SEARCH_PATHS.get(name, name), value)")
RUNS = {
    "config/runs/a.yaml": "run_id: a\ntraining:\n  learning_rate: 0.1\noptuna:\n  search_space:\n"
    "    learning_rate:\n      low: 0.1\n      high: 0.2\n"
}
DOTTED = {
    path: text.replace("    learning_rate:\n      low", "    training.learning_rate:\n      low")
    for path, text in RUNS.items()
}
TWICE = {path: f"{text}model:\n  learning_rate: 2\n" for path, text in RUNS.items()}


def _bad(write: str, *, fixed: str | None = UPDATED, runs: dict[str, str] = RUNS) -> Bad:
    return Bad(TEXT.replace("WRITE", write), files=CONFIG, run_configs=runs, lines=(10,), fixed=fixed)


class OptunaKeyUnresolved(Check):
    """A search space names `learning_rate`, the config has `training.learning_rate`: writing the bare name
    makes a new key at the top that nothing reads, and every trial trains with the same value.

    The search then picks its best parameters from noise. 4 % of 294 defects fixed in 31 generated projects.
    Followed through the code for every run: copies of the config, `OmegaConf.update`, `setattr`, merges,
    helper functions, and changes to the name such as `name.replace("_", ".")`. The codemod maps each name to
    its path where exactly one path of the configs ends in it.
    """

    ID = "optuna-key-unresolved"
    CRITERION = 7
    RESTS_ON = ("config",)
    STAGE = 62
    GOOD = (
        Good(
            TEXT.replace("WRITE", "OmegaConf.update(cfg, f'training.{name}', value)"),
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(TEXT.replace("WRITE", "OmegaConf.update(cfg, name, value)"), files=CONFIG, run_configs=DOTTED),
        Good(TEXT.replace("WRITE", "cfg.training[name] = value"), files=CONFIG, run_configs=RUNS),
        Good(
            TEXT.replace("WRITE", "cfg[name] = value").replace("cfg.training.learning", "cfg.learning"),
            files=CONFIG,
            run_configs=RUNS,
        ),
    )
    BAD = (
        _bad("OmegaConf.update(cfg, name, value)"),
        _bad("cfg[name] = value"),
        _bad("setattr(cfg, name, value)"),
        _bad("OmegaConf.update(cfg, name.replace('_', '.'), value)"),
        _bad("OmegaConf.update(cfg, name, value)", fixed=None, runs=TWICE),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for every module that writes sampled values where nothing reads them."""
        for path, group in groupby(lost_samples(subject), lambda sample: sample.module.path):
            samples = list(group)
            first = samples[0]
            rest = sorted({s.line for s in samples} - {first.line})
            again = f"; also line{'s' if len(rest) > 1 else ''} {', '.join(map(str, rest))}" if rest else ""
            yield self.finding(
                path,
                first.line,
                f"`{first.function}` writes sampled values to keys that nothing reads",
                f"{first.module.line(first.line)} — {_told(subject, samples)}{again}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Look the path up in a table of the names that are written at the wrong place."""
        samples = [s for s in lost_samples(subject) if s.module.path == finding.file]
        meant = {s.name: meant_paths(subject, s.name) for s in samples}
        if not samples or any(len(paths) != 1 for paths in meant.values()):
            return None
        text = through_table(samples[0].module, {s.line for s in samples})
        table = {name: paths[0] for name, paths in meant.items()}
        why = "where the parameters of the search space lie in the config"
        return rewrite(
            subject.bundle, finding.file, with_table(text, "SEARCH_PATHS", table, why) if text else None
        )


def _told(subject: ParsedBundle, samples: list[Sample]) -> str:
    """The paths that are written, and the ones that were probably meant."""
    parts = []
    for sample in samples:
        meant = meant_paths(subject, sample.name)
        tail = f" (the config has `{'`, `'.join(meant)}`)" if meant else ""
        moved = f" as `{sample.path}`" if sample.path != sample.name else ""
        parts.append(f"`{sample.name or '?'}`{moved}{tail}")
    return "written: " + ", ".join(dict.fromkeys(parts))
