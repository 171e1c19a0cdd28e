"""Check `child-override-unknown`: overrides passed to a child must name keys that its config has."""

from __future__ import annotations

from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import replace_lines, rewrite, split_lines
from policies.hydra.analysis import launches
from policies.hydra.examples import CONFIG, ENTRY, RUNS
from policies.hydra.overrides import ChildOverride, child_overrides
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding

TRAIN = {**CONFIG, "src/train.py": f"{ENTRY}    print(cfg)\n"}
MAIN = 'import subprocess\nimport sys\n\ncmd = [sys.executable, "-m", "src.train", "run=a"]\n'


class ChildOverrideUnknown(Check):
    """`main.py` passes `training.max_steps=2` to `src.train`, whose config has no such key: Hydra refuses.

    The prefix `++` sets the key whether or not it exists. Source: hydra-core 1.3, override grammar.
    """

    ID = "child-override-unknown"
    CRITERION = 2
    RESTS_ON = ("config",)
    STAGE = 44
    PATH = "src/main.py"
    GOOD = (
        Good(f'{MAIN}cmd.append("mode=trial")\n', files=TRAIN, run_configs=RUNS),
        Good(f'{MAIN}cmd.append("+training.max_steps=2")\n', files=TRAIN, run_configs=RUNS),
        Good(f'{MAIN}print("training.max_steps=2")\n', files=TRAIN, run_configs=RUNS),
    )
    BAD = (
        Bad(
            f'{MAIN}cmd.extend(["training.max_steps=2"])  # short\n',
            files=TRAIN,
            run_configs=RUNS,
            lines=(5,),
            fixed=f'{MAIN}cmd.extend(["++training.max_steps=2"])  # short\n',
        ),
        Bad(
            f'{MAIN}cmd.append(f"wandb.mode={{sys.argv[0]}}")\n',
            files=TRAIN,
            run_configs=RUNS,
            lines=(5,),
            fixed=f'{MAIN}cmd.append(f"++wandb.mode={{sys.argv[0]}}")\n',
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Override strings without a prefix whose key the child's config lacks."""
        for override in child_overrides(subject):
            config = _config_of(subject, override)
            if override.prefix or config is None or _has(config, override.key):
                continue
            yield self.finding(
                override.module.path,
                override.line,
                f"`{override.key}=…` is passed to {override.target}, whose config has no such key",
                f"{override.module.line(override.line)} — Hydra: Could not override '{override.key}'",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Let the override add the key."""
        key = finding.message.split("`")[1].removesuffix("=…")
        text = subject.bundle.files[finding.file]
        line = split_lines(text)[finding.line - 1]
        for quote in ('"', "'"):
            if f"{quote}{key}=" in line:
                changed = line.replace(f"{quote}{key}=", f"{quote}++{key}=", 1)
                return rewrite(
                    subject.bundle, finding.file, replace_lines(text, finding.line, finding.line, changed)
                )
        return None


def _config_of(subject: ParsedBundle, override: ChildOverride) -> dict[str, object] | None:
    """What Hydra composes for the child, before its overrides; None when it cannot be told."""
    for launch in launches(subject):
        if launch.entry.module.name == override.target:
            return launch.composition.config
    return None


def _has(config: object, dotted: str) -> bool:
    for part in dotted.split("."):
        if not isinstance(config, dict) or part not in config:
            return False
        config = config[part]
    return True
