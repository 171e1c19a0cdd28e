"""Check `struct-assignment`: setting a key that a struct config does not have fails."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hydra.checks import events_of, open_struct, runs_text
from policies.hydra.examples import CONFIG, ENTRY, RUNS
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding

OPEN = "    OmegaConf.set_struct(cfg, False)\n"


class StructAssignment(Check):
    """Assigning a key that the composed config does not have raises while struct mode is on.

    Trial switches such as `cfg.training.epochs = 1` or `cfg.optuna.n_trials = 0` fail this way when the base
    config has an empty section. Source: OmegaConf 2.3, struct flag; `ConfigAttributeError`.
    """

    ID = "struct-assignment"
    CRITERION = 2
    RESTS_ON = ("config",)
    STAGE = 46
    GOOD = (
        Good(f"{ENTRY}    cfg.mode = 'x'\n", files=CONFIG, run_configs=RUNS),
        Good(f"{ENTRY}{OPEN}    cfg.training.epochs = 1\n", files=CONFIG, run_configs=RUNS),
        Good(
            "import hydra\nfrom omegaconf import open_dict\n\n\n"
            '@hydra.main(version_base=None, config_path="../config", config_name="config")\n'
            "def main(cfg):\n    with open_dict(cfg):\n        cfg.new = 1\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(
            f"{ENTRY}    if cfg.mode == 'never':\n        cfg.training.epochs = 1\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
    )
    BAD = (
        Bad(
            f"{ENTRY}    if cfg.mode == 'trial':\n        cfg.training.epochs = 1  # short\n"
            "        cfg.extra = 2\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(8, 9),
            fixed=f"{ENTRY}    if cfg.mode == 'trial':\n        OmegaConf.set_struct(cfg, False)\n"
            "        cfg.training.epochs = 1  # short\n        cfg.extra = 2\n",
        ),
        Bad(
            f"{ENTRY}    OmegaConf.update(cfg, 'training.lr', 0.1)\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(7,),
            fixed=f"{ENTRY}{OPEN}    OmegaConf.update(cfg, 'training.lr', 0.1)\n",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Assignments to keys that are not in the struct config."""
        for launch, event, runs in events_of(subject, "struct-assign"):
            yield self.finding(
                event.module.path,
                event.line,
                f"`{event.function}` sets `{event.path}`, a key that the struct config does not have",
                f"{event.module.line(event.line)} — {runs_text(subject, runs)}; composed from "
                f"{launch.entry.config_file}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Switch struct mode off right before the first such assignment."""
        module = subject.modules.get(finding.file)
        target = _assigned_root(module, finding.line) if module else None
        if module is None or target is None:
            return None
        return rewrite(
            subject.bundle, module.path, open_struct(module.text, module.path, finding.line, target)
        )


def _assigned_root(module: Module, line: int) -> str | None:
    """The variable at the head of the assigned path, or the first argument of `OmegaConf.update`."""
    for node in module.nodes:
        if getattr(node, "lineno", 0) != line:
            continue
        if isinstance(node, ast.Assign):
            head: ast.expr = node.targets[0]
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update"
        ):
            head = node.args[0] if node.args else node.func
        else:
            continue
        while isinstance(head, ast.Attribute | ast.Subscript):
            head = head.value
        if isinstance(head, ast.Name):
            return head.id
    return None
