"""Check `optuna-direction`: a study must look for the better end of what its objective returns."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.hydra.analysis import launches
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.objective import returned_metric, wanted_direction
from policies.parsed import Module, ParsedBundle
from policies.records import Finding

MERGED = f"{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
STUDY = (
    f"{MERGED}    import optuna\n    study = optuna.create_study(direction=cfg.optuna.direction)\n"
    "    study.optimize(lambda trial: objective(trial, cfg), n_trials=3)\n\n\n"
    "def objective(trial, cfg):\n    val_acc = train(cfg)\n    return val_acc\n"
)
RUNS = {
    f"config/runs/{d}.yaml": f"run_id: {d}\noptuna:\n  direction: {d}\n" for d in ("maximize", "minimize")
}
UP = {path: text for path, text in RUNS.items() if "max" in path}


class OptunaDirection(Check):
    """Minimising an accuracy, or maximising a loss, keeps the worst trial.

    Typical: one run's config says `direction: minimize` because its own metric is an energy, while the shared
    objective returns an accuracy. Told only when the name of what is returned says which end is better, and
    the direction is known for the run.
    """

    ID = "optuna-direction"
    CRITERION = 4
    GOOD = (
        Good(STUDY, files=CONFIG, run_configs=UP),
        Good(
            STUDY.replace("return val_acc", "return -val_acc"),
            files=CONFIG,
            run_configs={p: t for p, t in RUNS.items() if "min" in p},
        ),
        Good(STUDY.replace("val_acc", "score"), files=CONFIG, run_configs=RUNS),
        Good(
            STUDY.replace("return val_acc", "return val_acc - train.energy"), files=CONFIG, run_configs=RUNS
        ),
    )
    BAD = (
        Bad(STUDY, files=CONFIG, run_configs=RUNS, lines=(11,)),
        Bad(STUDY.replace("direction=cfg.optuna.direction", ""), files=CONFIG, run_configs=UP, lines=(11,)),
        Bad(STUDY.replace("val_acc", "loss"), files=CONFIG, run_configs=UP, lines=(11,)),
        Bad(
            STUDY.replace("lambda trial: objective(trial, cfg)", "partial(objective, cfg=cfg)"),
            files=CONFIG,
            run_configs=RUNS,
            lines=(11,),
        ),
        Bad(
            STUDY.partition("def objective")[0].replace("lambda trial: objective(trial, cfg)", "made(cfg)")
            + "def made(cfg):\n    def objective(trial):\n        val_acc = train(cfg)\n"
            "        return val_acc\n\n    return objective\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(11,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for every study, with the runs that it leads the wrong way."""
        wrong: dict[tuple[Module, int], tuple[str, dict[str, str]]] = {}
        for launch in launches(subject):
            for study in launch.trace.studies:
                metric = returned_metric(subject, study)
                wanted = wanted_direction(metric)
                if metric and wanted and study.known_direction not in (wanted, ""):
                    place = (study.module, study.node.lineno)
                    wrong.setdefault(place, (metric, {}))[1][launch.run_id] = study.known_direction
        for (module, line), (metric, runs) in wrong.items():
            direction = next(iter(runs.values()))
            yield self.finding(
                module.path,
                line,
                f"the study {direction[:-1]}es `{metric}`, so it keeps the worst trial",
                f"{module.line(line)} — direction {direction} for {', '.join(runs)}; "
                f"the objective returns `{metric}`",
            )
