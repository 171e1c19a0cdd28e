"""Trials that start a hyperparameter search."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.gates import chains, gates, tests_mode
from policies.hydra.names import imported_names
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.trial_mode import in_config, sets, training_modules, with_override

_CONFIG = {"config/config.yaml": "mode: full\noptuna:\n  n_trials: 20\n"}
_TEXT = """import hydra
import optuna


def search(cfg):
    study = optuna.create_study()
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials={1})


@hydra.main(config_path="../config", config_name="config", version_base=None)
def main(cfg):
{0}    if cfg.optuna.n_trials > 0:
        search(cfg)
"""
_SWITCH = '    if cfg.mode == "trial":\n        cfg.optuna.n_trials = 0\n'
_N = "cfg.optuna.n_trials"
_MAIN = {
    "src/main.py": "import subprocess, sys\n\n\ndef main(cfg):\n"
    "    subprocess.run([sys.executable, '-m', 'src.train', f'mode={cfg.mode}'])\n"
}


class OptunaInTrial(Check):
    """A trial must not search hyperparameters: the contract asks for `cfg.optuna.n_trials = 0` then.

    Reported only when neither the mode nor a number of trials that a trial sets to zero stands before the
    search.
    """

    ID = "optuna-in-trial"
    CRITERION = 9
    RESTS_ON = ("entry", "config")
    GOOD = (
        Good(_TEXT.format(_SWITCH, _N), files=_CONFIG | _MAIN),
        Good(
            _TEXT.format("", _N),
            files=_CONFIG
            | {
                "src/main.py": "import subprocess, sys\n\n\ndef main(cfg):\n"
                "    command = [sys.executable, '-m', 'src.train']\n    if cfg.mode == 'trial':\n"
                "        command += ['optuna.n_trials=0']\n    subprocess.run(command)\n"
            },
        ),
        Good(_TEXT.format("", _N).replace("cfg.optuna.n_trials > 0", "cfg.mode == 'full'"), files=_MAIN),
        Good(
            _TEXT.format("", _N), files=_MAIN | {"config/config.yaml": "mode: full\noptuna:\n  n_trials: 0\n"}
        ),
        Good(_TEXT.format("", _N).replace("if cfg.optuna.n_trials > 0", "if not cfg.trial"), files=_MAIN),
        Good(
            _TEXT.format("", _N),
            files={**_CONFIG, "src/main.py": "def main(cfg:\n    cfg.optuna.n_trials = 0\n"},
        ),
        Good(
            _TEXT.format(
                "    limit = limits(cfg.mode)\n    trials = limit.trials or cfg.optuna.n_trials\n", _N
            ).replace("if cfg.optuna.n_trials > 0", "if trials"),
            files=_CONFIG | _MAIN,
        ),
        Good("import torch\n\nengine.optimize(model, n_trials=3)\n"),
    )
    BAD = (
        Bad(
            _TEXT.format("", _N),
            files=_CONFIG | _MAIN,
            lines=(7,),
            fixed=_TEXT.format(_SWITCH, _N),
        ),
        Bad(
            _TEXT.format('    if cfg.mode == "trial":\n        cfg.epochs = 1\n', _N),
            files=_CONFIG | _MAIN,
            lines=(7,),
            fixed=_TEXT.format(
                '    if cfg.mode == "trial":\n        cfg.optuna.n_trials = 0\n        cfg.epochs = 1\n', _N
            ),
        ),
        Bad(
            "import optuna\n\nstudy = optuna.create_study()\nstudy.optimize(objective, n_trials=20)\n",
            lines=(4,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every search that nothing keeps from running in a trial."""
        values = list(in_config(subject, "optuna.n_trials"))
        off = sets(subject, "optuna.n_trials", "0") or bool(values and not any(values))
        for module, call in _searches(subject):
            tests = _tests(subject, module, call)
            if tests_mode(tests, subject.contract.mode):
                continue
            counted = any(_asks_optuna(test) for test in tests)
            if not (counted and off):
                what = (
                    "nothing sets the number of trials to 0"
                    if counted
                    else "no test of the mode stands before it"
                )
                message = f"a trial starts the hyperparameter search: {what}"
                yield self.finding(module.path, call.lineno, message, module.line(call.lineno))

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Set the number of trials to zero at the start of the training process."""
        for module, call in _searches(subject):
            if (module.path, call.lineno) == (finding.file, finding.line):
                # Only a test before the search makes zero trials harmless: a study without one has no best.
                guards = list(gates(subject, module, call))
                chain = next(chains(guards, "n_trials"), "")
                changed = with_override(subject, chain, "0") if chain else None
                return rewrite(subject.bundle, *changed) if changed is not None else None
        return None


def _searches(subject: ParsedBundle) -> Iterator[tuple[Module, ast.Call]]:
    """Calls of `study.optimize` in training modules that import Optuna."""
    for module in training_modules(subject):
        if not any(name.partition(".")[0] == "optuna" for name in imported_names(module).values()):
            continue
        for node in module.nodes:
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "optimize"
            ):
                yield module, node


def _tests(subject: ParsedBundle, module: Module, call: ast.Call) -> list[ast.expr]:
    """The tests before the search, and the number of trials itself when it is computed."""
    given = [k.value for k in call.keywords if k.arg == "n_trials"] or call.args[1:2]
    return [*gates(subject, module, call), *(n for n in given if not isinstance(n, ast.Constant))]


def _asks_optuna(test: ast.expr) -> bool:
    words = ("n_trials", "optuna", "tune", "search", "sweep", "hpo")
    return any(word in ast.unparse(test).lower() for word in words)
