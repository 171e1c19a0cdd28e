"""Check `optuna-spec`: the search space must be read as it is written, and sampled as Optuna allows."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.hydra.analysis import launches
from policies.hydra.checks import events_of, runs_text
from policies.hydra.examples import CONFIG, LOAD
from policies.kinds import of_kind
from policies.optuna_search import shared_names
from policies.parsed import Module, ParsedBundle
from policies.records import Finding

SIGNATURES: dict[str, tuple[int, frozenset[str]]] = {
    "suggest_float": (3, frozenset({"name", "low", "high", "step", "log"})),
    "suggest_int": (5, frozenset({"name", "low", "high", "step", "log"})),
    "suggest_categorical": (2, frozenset({"name", "choices"})),
    "suggest_uniform": (3, frozenset({"name", "low", "high"})),
    "suggest_loguniform": (3, frozenset({"name", "low", "high"})),
    "suggest_discrete_uniform": (4, frozenset({"name", "low", "high", "q"})),
}
"""Method of `optuna.Trial` -> how many positions it takes, and the names. Source: tried with optuna 4.5."""

TEXT = (
    "import hydra\nimport optuna\nfrom omegaconf import OmegaConf\n\n\ndef objective(trial, cfg):\n"
    "    for name, spec in cfg.optuna.search_space.items():\n"
    "        SAMPLE\n        cfg.training[name] = value\n    return cfg.training.rate\n\n\n"
    '@hydra.main(version_base=None, config_path="../config", config_name="config")\ndef main(cfg):\n'
    f"{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
    "    study = optuna.create_study()\n    study.optimize(lambda trial: objective(trial, cfg))\n"
)
RUNS = {
    "config/runs/a.yaml": "run_id: a\ntraining:\n  rate: 0.1\n  size: 2\noptuna:\n  search_space:\n"
    "    rate:\n      type: uniform\n      low: 0.1\n      high: 0.2\n"
    "    size:\n      type: int\n      min: 1\n      high: 4\n"
}
GOOD_RUNS = {path: text.replace("min:", "low:") for path, text in RUNS.items()}
FLOAT = "value = trial.suggest_float(name, spec.low, spec.high)"
CHOSEN = (
    'if spec.type == "uniform":\n            value = trial.suggest_float(name, spec.low, spec.high)\n'
    "        else:\n            raise ValueError(spec.type)"
)


def _bad(sample: str, line: int, runs: dict[str, str] = GOOD_RUNS) -> Bad:
    return Bad(TEXT.replace("SAMPLE", sample), files=CONFIG, run_configs=runs, lines=(line,))


class OptunaSpec(Check):
    """The run configs describe every parameter of the search: `type`, `low`, `high`, `choices`, `log`.

    Code that reads another key stops in the first trial; so does a type that the code refuses, a keyword that
    `trial.suggest_...` does not have, and one name for several parameters, which is one
    parameter to Optuna, whose range must not change. Source: optuna 4.5, `optuna.Trial`.
    """

    ID = "optuna-spec"
    CRITERION = 7
    GOOD = (
        Good(TEXT.replace("SAMPLE", FLOAT), files=CONFIG, run_configs=GOOD_RUNS),
        Good(
            TEXT.replace(
                "SAMPLE", 'low = spec.get("low", spec.get("min", 0)); value = trial.suggest_int(name, low, 9)'
            ),
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(
            TEXT.replace("SAMPLE", CHOSEN),
            files=CONFIG,
            run_configs={
                path: text.replace("type: int", "type: uniform") for path, text in GOOD_RUNS.items()
            },
        ),
        Good("def objective(trial):\n    return trial.suggest_float('rate', 0.1, 1, step=None, log=True)\n"),
        Good("def objective(trial, options):\n    return trial.suggest_int('size', **options)\n"),
    )
    BAD = (
        _bad(FLOAT, 8, RUNS),
        _bad(CHOSEN, 11),
        _bad(FLOAT.replace("name,", "'x',"), 8),
        Bad(
            "def objective(trial):\n    return trial.suggest_float('rate', 0.1, 1, logscale=True)\n",
            lines=(2,),
        ),
        Bad("def objective(trial):\n    return trial.suggest_float('rate', 0.1, 1, True)\n", lines=(2,)),
        Bad("def objective(trial):\n    return trial.suggest_log_float('rate', 0.1, 1)\n", lines=(2,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Unread keys first, then refused types, shared names and calls that Optuna does not accept."""
        yield from self._absent_keys(subject)
        yield from self._refused(subject)
        yield from self._shared(subject)
        for module in subject.parsable:
            for node in of_kind(module, ast.Call):
                if problem := _misuse(node):
                    yield self.finding(module.path, node.lineno, problem, module.line(node.lineno))

    def _absent_keys(self, subject: ParsedBundle) -> Iterator[Finding]:
        """Keys read from entries of the search space that lack them; one finding per place and key."""
        places: dict[tuple[Module, int, str], list[str]] = {}
        for _, event, _ in events_of(subject, "missing-key"):
            if event.path.startswith("optuna.search_space."):
                entry, _, key = event.path.removeprefix("optuna.search_space.").rpartition(".")
                places.setdefault((event.module, event.line, key), []).append(entry)
        for (module, line, key), entries in places.items():
            if entries != [""]:
                yield self.finding(
                    module.path,
                    line,
                    f"`{key}` is read from entries of the search space that lack it",
                    f"{module.line(line)} — {', '.join(entries)} has no `{key}`",
                )

    def _refused(self, subject: ParsedBundle) -> Iterator[Finding]:
        """Entries that certainly end in a `raise`."""
        places: dict[tuple[Module, int, str], dict[str, set[str]]] = {}
        for launch in launches(subject):
            for refusal in launch.trace.refusals:
                place = (refusal.module, refusal.line, refusal.function)
                entry = refusal.spec.removeprefix("optuna.search_space.")
                places.setdefault(place, {}).setdefault(entry, set()).add(launch.run_id)
        for (module, line, function), entries in places.items():
            runs = tuple(sorted(set().union(*entries.values())))
            yield self.finding(
                module.path,
                line,
                f"`{function}` refuses entries of the search space",
                f"{module.line(line)} — raised for {', '.join(entries)} of {runs_text(subject, runs)}",
            )

    def _shared(self, subject: ParsedBundle) -> Iterator[Finding]:
        """Suggestions that sample several entries under one name."""
        seen: set[tuple[str, str]] = set()
        for launch in launches(subject):
            for name in sorted(shared_names(launch)):
                mine = [s for s in launch.trace.suggestions if s.name == name]
                first = min(mine, key=lambda s: s.node.lineno)
                if (first.module.path, name) in seen:
                    continue
                seen.add((first.module.path, name))
                entries = dict.fromkeys(s.spec.removeprefix("optuna.search_space.") for s in mine)
                yield self.finding(
                    first.module.path,
                    first.node.lineno,
                    f"several parameters are sampled under the one name `{name}`",
                    f"{first.module.line(first.node.lineno)} — for {', '.join(entries)}",
                )


def _misuse(node: ast.Call) -> str:
    """What `optuna.Trial` objects to in a call; empty when it is fine or not for Optuna."""
    if not isinstance(node.func, ast.Attribute) or not node.func.attr.startswith("suggest_"):
        return ""
    method = node.func.attr
    if ast.unparse(node.func.value).rpartition(".")[2] not in ("trial", "t", "tr"):
        return ""
    if method not in SIGNATURES:
        return f"`optuna.Trial` has no method `{method}`"
    most, known = SIGNATURES[method]
    unknown = [k.arg for k in node.keywords if k.arg is not None and k.arg not in known]
    if unknown:
        return f"`{method}` takes no keyword `{unknown[0]}`"
    if len(node.args) > most and not any(isinstance(a, ast.Starred) for a in node.args):
        return f"`{method}` takes {most} arguments by position, not {len(node.args)}"
    return ""
