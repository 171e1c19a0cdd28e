"""Check `run-not-merged`: the run config must be where the code reads it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hydra.analysis import Launch
from policies.hydra.checks import events_of, is_run_key, runs_text
from policies.hydra.examples import CONFIG, ENTRY, GROUP_CONFIG, GROUP_RUNS, RUNS
from policies.hydra.insert import at_start
from policies.hydra.overrides import child_overrides
from policies.imports import add_import
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding

PATHLIB = ENTRY.replace("import hydra\n", "from pathlib import Path\nimport hydra\n")


class RunNotMerged(Check):
    """Code reads `cfg.model.…` at the top, but the run config lies under `cfg.run` or is never loaded.

    A group named `run` is packaged under `run`; a plain key `run` only holds the id. Either way the keys of
    `config/runs/<run_id>.yaml` are not at the top of the config unless the code merges them there.
    Source: hydra-core 1.3, packages. 13 % of 294 defects fixed in 31 generated projects, with selection.
    """

    ID = "run-not-merged"
    CRITERION = 2
    RESTS_ON = ("config",)
    STAGE = 42
    GOOD = (
        Good(f"{ENTRY}    print(cfg.run.model.name)\n", files=GROUP_CONFIG, run_configs=GROUP_RUNS),
        Good(f"{ENTRY}    print(cfg.get('model', {{}}))\n", files=CONFIG, run_configs=RUNS),
        Good(
            f"{ENTRY}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, cfg.run)\n"
            "    print(cfg.model.name)\n",
            files=GROUP_CONFIG,
            run_configs=GROUP_RUNS,
        ),
    )
    BAD = (
        Bad(
            f"{ENTRY}    print(cfg.model.name)\n",
            files=GROUP_CONFIG,
            run_configs=GROUP_RUNS,
            lines=(7,),
            fixed=f"{ENTRY}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, cfg.run)\n"
            "    print(cfg.model.name)\n",
        ),
        Bad(
            f"{ENTRY}    # start\n    print(cfg.model.name)\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(8,),
            fixed=f"{PATHLIB}    # start\n    OmegaConf.set_struct(cfg, False)\n"
            '    run_file = Path(__file__).resolve().parents[1] / "config" / "runs" / f"{cfg.run}.yaml"\n'
            "    cfg = OmegaConf.merge(cfg, OmegaConf.load(run_file))\n    print(cfg.model.name)\n",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first read, per entry point, of a run-config key that is not at the top."""
        reported: set[tuple[str, str]] = set()
        for launch, event, runs in events_of(subject, "missing-key"):
            entry = (launch.entry.module.path, launch.entry.function.name)
            if entry in reported or not is_run_key(subject, launch, event):
                continue
            reported.add(entry)
            place = "under `cfg.run`" if launch.composition.run_is_group else "in a file that is never merged"
            yield self.finding(
                event.module.path,
                event.line,
                f"`{event.function}` reads `{event.path}`, but the run config lies {place}",
                f"{event.module.line(event.line)} — {runs_text(subject, runs)}; entry {entry[0]}:{entry[1]}",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Merge the run config to the top at the start of the entry function."""
        entry_path = finding.evidence.rpartition("entry ")[2].partition(":")[0]
        for launch, event, _ in events_of(subject, "missing-key"):
            at = (event.module.path, event.line, launch.entry.module.path)
            if at == (finding.file, finding.line, entry_path) and launch.entry.parameter:
                return rewrite(subject.bundle, entry_path, _merge_at_start(subject, launch))
        return None


def _merge_at_start(subject: ParsedBundle, launch: Launch) -> str | None:
    entry, cfg = launch.entry, launch.entry.parameter
    again = _command_line_again(subject, launch)
    source = f"{cfg}.run" if launch.composition.run_is_group else "OmegaConf.load(run_file)"
    code = f"OmegaConf.set_struct({cfg}, False)\n"
    if not launch.composition.run_is_group:
        code += f"run_file = {_run_file(subject, launch)}\n"
    merge = f"{cfg} = OmegaConf.merge({cfg}, {source}{', command_line' if again else ''})"
    if any(isinstance(n, ast.Assign) and ast.unparse(n) == merge for n in ast.walk(entry.function)):
        return None  # merged already: what is still missing lies elsewhere
    code += f"{merge}\n"
    text: str | None = at_start(entry.module, entry.function, again + code)
    imports = ["from omegaconf import OmegaConf"]
    imports += [] if launch.composition.run_is_group else ["from pathlib import Path"]
    imports += ["from hydra.core.hydra_config import HydraConfig"] if again else []
    for statement in imports:
        text = add_import(text, statement) if text is not None else None
    return text


def _run_file(subject: ParsedBundle, launch: Launch) -> str:
    depth = launch.entry.module.path.count("/")
    parts = " / ".join(f'"{part}"' for part in subject.contract.run_config_dir.split("/"))
    return f'Path(__file__).resolve().parents[{depth}] / {parts} / f"{{{launch.entry.parameter}.run}}.yaml"'


def _command_line_again(subject: ParsedBundle, launch: Launch) -> str:
    """Code that keeps overrides such as `training.epochs=1` above the run config, if a parent passes any."""
    passed = [o for o in child_overrides(subject) if o.target == launch.entry.module.name and "." in o.key]
    if not passed:
        return ""
    return (
        'dotted = [o.lstrip("+") for o in HydraConfig.get().overrides.task if "." in o.split("=")[0]]\n'
        "command_line = OmegaConf.from_dotlist(dotted)\n"
    )
