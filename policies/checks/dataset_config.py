"""Check `dataset-config`: a data set with several configurations is told which one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.add_argument import add_argument
from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hub import Ask, asks, first_of, known_text, said_by, several_configs
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.parsed import ParsedBundle
from policies.records import Bundle, Finding
from policies.replace_node import replace_expression

IMPORT = "from datasets import load_dataset\n\n"
MERGED = (
    f"from datasets import load_dataset\n{ENTRY}{LOAD}    OmegaConf.set_struct(cfg, False)\n"
    "    cfg = OmegaConf.merge(cfg, run_cfg)\n"
)
RUNS = {"config/runs/a.yaml": "run_id: a\ndataset:\n  name: gsm8k\n"}


class DatasetConfig(Check):
    """Data sets with several configurations and no default one cannot be loaded by name alone.

    `load_dataset("gsm8k")` raises "Config name is missing"; a name that is not in the list raises
    "BuilderConfig ... not found". Where one configuration is what the data set's name means to everybody,
    the code is told; else only a person knows.

    Source: `datasets.load_dataset`; the data sets' cards.
    """

    ID = "dataset-config"
    CRITERION = 3
    STAGE = 52
    PATH = "src/train.py"
    GOOD = (
        Good(f"{IMPORT}load_dataset('gsm8k', 'main')\nload_dataset('glue', name='mnli')\n"),
        Good(f"{IMPORT}load_dataset('imdb')\nload_dataset('glue', TASK)\n"),
        Good(f"{IMPORT}load_dataset('gsm8k', **options)\n"),
        Good(
            f"{MERGED}    load_dataset(cfg.dataset.name, cfg.dataset.get('subset', 'main'))\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
    )
    BAD = (
        Bad(
            f"{IMPORT}train = load_dataset(\n    'openai/gsm8k',\n    split='train',  # all\n)\n",
            lines=(3,),
            fixed=f"{IMPORT}train = load_dataset(\n    'openai/gsm8k',\n    split='train',  # all\n"
            '    name="main",\n)\n',
        ),
        Bad(
            f"{MERGED}    load_dataset(cfg.dataset.name, cfg.dataset.get('subset'))\n",
            files=CONFIG,
            run_configs=RUNS,
            lines=(11,),
            fixed=f"{MERGED}    load_dataset(cfg.dataset.name, cfg.dataset.get('subset') or \"main\")\n",
        ),
        Bad(f"{IMPORT}load_dataset('glue')\nload_dataset('glue', 'MNLI')\n", lines=(3, 4)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every call that names no configuration, or one that is not there."""
        for ask in asks(subject, "dataset"):
            for name, config in sorted(_wrong(ask)):
                said = several_configs(name)
                assert said is not None, "only data sets of the table are wrong"
                what = f"has no configuration `{config}`" if config else "needs a configuration"
                listed = ", ".join(said["configs"])
                yield self.finding(
                    ask.module.path,
                    ask.node.lineno,
                    f"`{name}` {what}: one of {listed}",
                    f"{'; '.join(said_by(ask, subject))} — the call gives {config or 'none'}",
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The usual configuration, where none is given and every run loads this data set."""
        for ask in asks(subject, "dataset"):
            if (ask.module.path, ask.node.lineno) != (finding.file, finding.line):
                continue
            wrong = _wrong(ask)
            usual = {(several_configs(name) or {}).get("usual") for name in ask.ids.values()}
            if len(usual) == 1 and None not in usual and wrong and not any(config for _, config in wrong):
                return rewrite(subject.bundle, ask.module.path, _told(ask, str(usual.pop())))
        return None


def _wrong(ask: Ask) -> set[tuple[str, str]]:
    """Data set and configuration (empty: none) of the runs in which the call fails."""
    if any(k.arg in (None, "data_files", "data_dir", "revision") for k in ask.node.keywords):
        return set()
    found: set[tuple[str, str]] = set()
    for run, name in ask.ids.items():
        said = several_configs(name)
        config = _config(ask, run)
        if said is not None and config is not None and config not in said["configs"]:
            found.add((name, config))
    return found


def _config(ask: Ask, run: str) -> str | None:
    """The configuration that a run's call names; empty: none; None: it cannot be known."""
    loads = [load for load in ask.loads if load.run_id == run]
    if loads:
        told = {known_text(first_of(load, ("name",), 1)) for load in loads}
        return told.pop() if len(told) == 1 else None
    given = _given(ask)
    if given is None:
        return ""
    return (
        given.value or "" if isinstance(given, ast.Constant) and isinstance(given.value, str | None) else None
    )


def _given(ask: Ask) -> ast.expr | None:
    if len(ask.node.args) > 1:
        return ask.node.args[1]
    return next((k.value for k in ask.node.keywords if k.arg == "name"), None)


def _told(ask: Ask, usual: str) -> str | None:
    given = _given(ask)
    if given is None:
        return add_argument(ask.module, ask.node, "name", f'"{usual}"')
    if isinstance(given, ast.Constant):
        return replace_expression(ask.module, given, f'"{usual}"')
    source = ast.get_source_segment(ask.module.text, given)
    return replace_expression(ask.module, given, f'{source} or "{usual}"')
