"""Check `optuna-space-unread`: the search space of the run configs must be what is searched."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.config_use import mentioned_words
from policies.hydra.yaml_lines import line_of
from policies.kinds import of_kind
from policies.parsed import ParsedBundle
from policies.records import Finding, Severity

HARD = (
    "import optuna\n\n\ndef objective(trial, cfg):\n"
    '    return f(trial.suggest_float("lr", 1e-5, 1e-3, log=True))\n'
    "\n\nstudy = optuna.create_study()\n"
)
RUNS = {
    "config/runs/a.yaml": "optuna:\n  n_trials: 3\n  search_space:\n    lr:\n      low: 0.1\n      high: 1\n"
}


class OptunaSpaceUnread(Check):
    """A run config lists what to search and between which bounds; code that has its own ignores them.

    Then runs with different spaces are searched alike, and parameters that only the config names stay fixed.
    """

    ID = "optuna-space-unread"
    CRITERION = 7
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code",)
    GOOD = (
        Good(HARD.replace("1e-5, 1e-3", "*cfg.optuna.search_space.lr.values()"), run_configs=RUNS),
        Good(HARD, run_configs={"config/runs/a.yaml": "optuna:\n  n_trials: 3\n"}),
        Good(f"{HARD}SPACE = load('search_space')\n", run_configs=RUNS),
        Good("print('no code yet')\n", run_configs=RUNS),
    )
    BAD = (
        Bad(HARD, run_configs=RUNS, lines=(5,)),
        Bad("import torch\n\ntorch.optim.AdamW([]).step()\nloss.backward()\n", run_configs=RUNS, lines=(0,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """One finding for the bundle: where it samples, or that it never does."""
        spaces = dict(_spaces(subject))
        if not spaces or "search_space" in mentioned_words(subject) or not _trains(subject):
            return
        calls = [(m, n) for m in subject.parsable for n in of_kind(m, ast.Call) if _suggests(n)]
        run, names = next(iter(spaces.items()))
        place = f"{run}:{line_of(subject.bundle.run_configs[run], 'optuna.search_space')}"
        given = f"{place} gives {', '.join(names)}"
        if calls:
            module, first = calls[0]
            lines = ", ".join(str(n.lineno) for m, n in calls if m is module)
            message = "the search space is written into the code; nothing reads `optuna.search_space`"
            yield self.finding(module.path, first.lineno, message, f"suggestions on lines {lines}; {given}")
        elif "create_study" not in mentioned_words(subject):
            path = subject.contract.entry_file.replace("main.py", "train.py")
            path = path if path in subject.modules else subject.contract.entry_file
            yield self.finding(
                path, 0, "nothing searches the space that the run configs give", f"no study; {given}"
            )


def _spaces(subject: ParsedBundle) -> Iterator[tuple[str, list[str]]]:
    """Run-config path and the names in its search space, for runs that ask for trials."""
    for path in subject.bundle.run_configs:
        data = subject.run_documents[path.rpartition("/")[2].removesuffix(".yaml")].data or {}
        section = data.get("optuna")
        space = section.get("search_space") if isinstance(section, dict) else None
        if isinstance(section, dict) and isinstance(space, dict) and space and section.get("n_trials", 1):
            yield path, [str(name) for name in space]


def _trains(subject: ParsedBundle) -> bool:
    """Whether all code parses and some of it trains: unfinished code is told elsewhere."""
    words = mentioned_words(subject)
    return len(subject.parsable) == len(subject.modules) and ("backward" in words or "suggest_float" in words)


def _suggests(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr.startswith("suggest_")
