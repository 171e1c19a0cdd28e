"""Trials that log to W&B."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.api_fix import splice
from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.gates import chains, gates, tests_mode
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.run_values import config_path
from policies.tree import walk
from policies.trial_mode import (
    calls_of,
    condition,
    in_config,
    mentions_environment,
    sets,
    training_modules,
    with_override,
)

_CONFIG = {"config/config.yaml": "mode: full\nwandb:\n  mode: online\n  project: p\n"}
_HEAD = """import hydra
import wandb


"""
_TAIL = """

@hydra.main(config_path="../config", config_name="config", version_base=None)
def main(cfg):
{0}    start(cfg)
"""
_START = """def start(cfg):
    return wandb.init(
        project=cfg.wandb.project,
        mode=cfg.wandb.mode,
    )
"""
_SWITCH = '    if cfg.mode == "trial":\n        cfg.wandb.mode = "disabled"\n'
_BARE = "def start(cfg):\n    return wandb.init({0}project=cfg.wandb.project)\n"
_MAIN = {
    "src/main.py": "import subprocess, sys\n\n\ndef main(cfg):\n"
    "    subprocess.run([sys.executable, '-m', 'src.train', f'mode={cfg.mode}'])\n"
}


class WandbNotDisabled(Check):
    """A trial must not log to W&B: the contract asks for `cfg.wandb.mode = "disabled"` in that mode.

    Reported only when nothing on the way to `wandb.init` depends on the mode: no test of it in the function
    or its callers, no assignment or override that reaches the process that trains, no environment variable.
    """

    ID = "wandb-not-disabled"
    CRITERION = 6
    RESTS_ON = ("entry", "config")
    GOOD = (
        Good(_HEAD + _START + _TAIL.format(_SWITCH), files=_CONFIG | _MAIN),
        Good(
            _HEAD + _START + _TAIL.format(""),
            files=_CONFIG
            | {
                "src/main.py": "import subprocess, sys\n\n\ndef main(cfg):\n"
                "    args = ['wandb.mode=disabled'] if cfg.mode == 'trial' else []\n"
                "    subprocess.run([sys.executable, '-m', 'src.train', *args])\n"
            },
        ),
        Good(
            "import wandb\n\n\ndef run(cfg):\n    if cfg.mode == 'trial':\n        return\n    wandb.init()\n"
        ),
        Good(
            "import wandb\n\n\ndef log():\n    wandb.init()\n\n\ndef main(cfg):\n"
            "    use = cfg.mode == 'full'\n    if use:\n        log()\n"
        ),
        Good("import os\nimport wandb\n\nos.environ['WANDB_MODE'] = 'disabled'\nwandb.init()\n"),
        Good("x = 1\n", files={"src/evaluate.py": "import wandb\n\nwandb.init()\n"}),
        Good(
            "import wandb\n\nPROFILES = {'trial': Profile('disabled', 1), 'full': Profile('online', 9)}\n\n\n"
            "def start(cfg, profile):\n    return wandb.init(mode=profile.wandb_mode)\n",
            files=_CONFIG | _MAIN,
        ),
    )
    BAD = (
        Bad(
            _HEAD + _START + _TAIL.format(""),
            files=_CONFIG | _MAIN,
            lines=(6,),
            fixed=_HEAD + _START + _TAIL.format(_SWITCH),
        ),
        Bad(
            _HEAD + _BARE.format("") + _TAIL.format(""),
            files=_CONFIG | _MAIN,
            lines=(6,),
            fixed=_HEAD
            + _BARE.format('mode="disabled" if cfg.mode == "trial" else "online", ')
            + _TAIL.format(""),
        ),
        Bad(
            _HEAD + _BARE.format("") + _TAIL.format(_SWITCH),
            files=_CONFIG | _MAIN,
            lines=(6,),
            fixed=_HEAD + _BARE.format("mode=cfg.wandb.mode, ") + _TAIL.format(_SWITCH),
        ),
        Bad(
            _HEAD + _START + _TAIL.format(""),
            files=_CONFIG
            | {
                "src/main.py": "import subprocess, sys\n\n\ndef main(cfg):\n    if cfg.mode == 'trial':\n"
                "        cfg.wandb.mode = 'disabled'\n"
                "    subprocess.run([sys.executable, '-m', 'src.train', f'mode={cfg.mode}'])\n"
            },
            lines=(6,),
            fixed=_HEAD + _START + _TAIL.format(_SWITCH),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every `wandb.init` that nothing keeps from logging in a trial."""
        if mentions_environment(subject):
            return
        disabled = sets(subject, "wandb.mode", "disabled") or "disabled" in in_config(subject, "wandb.mode")
        for module, call in calls_of(subject, "wandb.init"):
            problem = _problem(subject, module, call, disabled)
            if problem:
                yield self.finding(module.path, call.lineno, problem, module.line(call.lineno))

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Switch the mode at the start of the training process, or hand it to `wandb.init`."""
        for module, call in calls_of(subject, "wandb.init"):
            if (module.path, call.lineno) == (finding.file, finding.line):
                return _mended(subject, module, call)
        return None


def _problem(subject: ParsedBundle, module: Module, call: ast.Call, disabled: bool) -> str:
    """What is missing; empty when nothing is."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in given or "settings" in given:
        return ""
    tests = list(gates(subject, module, call))
    tests += [given["mode"]] if "mode" in given else []
    if tests_mode(tests, subject.contract.mode):
        return ""
    if not disabled and "mode" in given and _made_in_code(subject, module, given["mode"]):
        return ""
    asked = any(_asks_wandb(test) for test in tests)
    if asked and not disabled:
        return "nothing sets W&B's mode to disabled in a trial, so the trial logs"
    if not asked and disabled:
        return "wandb.init does not get the mode that a trial sets to disabled, so the trial logs"
    return "" if asked else "wandb.init runs in every mode, so the trial logs"


def _made_in_code(subject: ParsedBundle, module: Module, mode: ast.expr) -> bool:
    """Whether the mode is no setting, but a value of the code, which writes `disabled` somewhere."""
    if isinstance(mode, ast.Constant) or config_path(module, mode):
        return False
    return any(n.value == "disabled" for m in training_modules(subject) for n in of_kind(m, ast.Constant))


def _asks_wandb(test: ast.expr) -> bool:
    """Whether a test depends on a setting of W&B or of logging."""
    words = ("wandb", "disabled", "enabled", "log", "track", "online", "offline", "mode")
    return any(word in ast.unparse(test).lower() for word in words)


def _mended(subject: ParsedBundle, module: Module, call: ast.Call) -> Bundle | None:
    tests = [*gates(subject, module, call), *(k.value for k in call.keywords if k.arg == "mode")]
    if any(_asks_wandb(test) for test in tests):
        chain = next(chains(tests, "mode", "wandb"), "")
        changed = with_override(subject, chain, '"disabled"') if chain else None
        return rewrite(subject.bundle, *changed) if changed is not None else None
    config = _config_name(module, call)
    if not config or not call.keywords or any(keyword.arg == "mode" for keyword in call.keywords):
        return None
    switched = sets(subject, "wandb.mode", "disabled")
    value = f"{config}.wandb.mode" if switched else _by_mode(subject, config)
    first = min([*call.args, *(k.value for k in call.keywords)], key=lambda n: (n.lineno, n.col_offset))
    keyword = next((k for k in call.keywords if k.value is first), None)
    if keyword is None:
        return None
    source = ast.get_source_segment(module.text, keyword)
    gap = ", " if keyword.lineno == call.lineno else ",\n" + " " * keyword.col_offset
    return rewrite(subject.bundle, module.path, splice(module.text, keyword, f"mode={value}{gap}{source}"))


def _by_mode(subject: ParsedBundle, config: str) -> str:
    return f'"disabled" if {condition(config, subject.contract.mode)} else "online"'


def _config_name(module: Module, call: ast.Call) -> str:
    """The config parameter of the function that calls `wandb.init`; empty when there is none."""
    function = module.enclosing_function(call)
    names = [arg.arg for arg in function.args.args] if function is not None else []
    used = [n.value.id for n in walk(call) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)]
    return next((name for name in names if name in used), "")
