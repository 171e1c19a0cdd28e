"""Names that a third-party package does not have."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from policies.api_context import api_context
from policies.api_fix import drop_import, is_used, replace_use
from policies.api_library import Missing
from policies.api_usage import Use, all_uses, is_needed, is_swallowed
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Severity

_SAID = re.compile(r" has no (?P<wrong>\S+); (?:use (?P<right>\S+))?")
"""How a message names what is wrong and what is right; a fix knows no environment and goes by it."""
CLOSE = 0.8
"""How alike a suggested name must be, by difflib's ratio."""


@lru_cache(maxsize=1)
def renames() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """The table of removed, renamed and often invented names, with their replacements."""
    text = files("policies").joinpath("data/api_renames.json").read_text(encoding="utf-8")
    data: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    return data


class UnknownApiName(ModuleCheck):
    """A name that the installed library does not have fails at import or at its first use.

    Libraries rename and remove: `datasets` lost `load_metric`, `transformers` lost `AdamW`, NumPy lost
    `np.float`. Others never existed, such as `OmegaConf.deepcopy`. Names are compared with what the sources
    of the installed version define; where no environment is known, with the versions of late 2025. Imports
    inside `try: ... except ImportError` and names that the code asks for with `hasattr` are left alone.
    """

    ID = "unknown-api-name"
    CRITERION = 1
    KINDS = (("experiment", 1), ("tests", 2))
    STAGE = 40
    GOOD = (
        Good(
            "try:\n    from datasets import load_metric\nexcept ImportError:\n"
            "    from evaluate import load as load_metric\n"
        ),
        Good(
            "from __future__ import annotations\n\nimport wandb\n\n\n"
            "def f(run: wandb.NoSuchRun) -> None:\n    run.log({})\n"
        ),
        Good("import torch\n\nx = torch.cuda.amp.GradScaler(enabled=False)\n"),
        Good("datasets = {}\nprint(datasets.load_metric)\n"),
        Good("from omegaconf import OmegaConf\n\nOmegaConf.to_container(OmegaConf.create({}))\n"),
        Good(
            "from transformers import AdamW\n",
            files={"pyproject.toml": '[project]\ndependencies = ["transformers==4.30.2"]\n'},
        ),
        Good("import wandb\n\nif hasattr(wandb, 'no_such_name'):\n    wandb.no_such_name()\n"),
    )
    BAD = (
        Bad(
            "from datasets import load_dataset, load_metric  # data\n\nmetric = load_metric('rouge')\n",
            lines=(1,),
            fixed="from datasets import load_dataset  # data\nfrom evaluate import load as load_metric\n\n"
            "metric = load_metric('rouge')\n",
        ),
        Bad(
            "from datasets import load_metric, load_dataset\n\nload_dataset('glue')\n",
            lines=(1,),
            fixed="from datasets import load_dataset\n\nload_dataset('glue')\n",
        ),
        Bad(
            "from omegaconf import DictConfig, OmegaConf\n\n\ndef f(cfg: DictConfig) -> None:\n"
            "    trial = OmegaConf.deepcopy(cfg)  # keep the base\n    print(trial)\n",
            lines=(5,),
            fixed="import copy\nfrom omegaconf import DictConfig, OmegaConf\n\n\n"
            "def f(cfg: DictConfig) -> None:\n"
            "    trial = copy.deepcopy(cfg)  # keep the base\n    print(trial)\n",
        ),
        Bad(
            "import numpy as np\nimport torch\nimport transformers\n\n"
            "x = np.array([1], dtype=np.float)\noptimizer = transformers.AdamW([torch.zeros(1)])\n",
            lines=(5, 6),
            fixed="import numpy as np\nimport torch\nimport transformers\n\n"
            "x = np.array([1], dtype=float)\noptimizer = torch.optim.AdamW([torch.zeros(1)])\n",
        ),
        Bad(
            "from peft import LoRAConfig\n\nconfig = LoRAConfig(r=8)\n",
            lines=(1,),
            fixed="from peft import LoraConfig as LoRAConfig\n\nconfig = LoRAConfig(r=8)\n",
        ),
        Bad(
            "import wandb\n\n\ndef rows(x):\n    try:\n        return isinstance(x, wandb.WandBTable)\n"
            "    except Exception:\n        return False\n",
            lines=(6,),
            fixed="import wandb\n\n\ndef rows(x):\n    try:\n        return isinstance(x, wandb.Table)\n"
            "    except Exception:\n        return False\n",
        ),
        Bad("import wandb\n\ntable = wandb.data_types.no_such_module.Table()\n", lines=(3,)),
        Bad("from transformers import get_linear_schedule_with_warmups as s\n\ns(None, 0, 1)\n", lines=(1,)),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every import and attribute whose owner is listed and lacks the name."""
        library = api_context(subject, evidence).library
        for use in all_uses(module):
            missing = library.find(use.dotted) if "." in use.dotted else None
            if not isinstance(missing, Missing):
                continue
            needed = is_needed(module, use)
            if needed or (use.alias is None and is_swallowed(module, use.node)):
                yield self._finding(module, use, missing, library.label(use.dotted), needed=needed)

    def _finding(self, module: Module, use: Use, missing: Missing, label: str, *, needed: bool) -> Finding:
        """A finding; advisory where a handler of every exception hides the failure."""
        hidden = "" if needed else "; the handler around it hides that"
        found = self.finding(
            module.path,
            use.line,
            f"{label} has no {_entry(use, missing)[0]}; {_advice(use, missing)}{hidden}",
            f"{ast.unparse(use.alias or use.node)}  [in {label} {missing.owner} has "
            f"{len(missing.names)} names, {missing.name!r} is not among them]",
        )
        return found if needed else found.model_copy(update={"severity": Severity.ADVISORY})

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Use the one right name, or drop an import that nothing uses."""
        module, said = subject.modules.get(finding.file), _SAID.search(finding.message)
        for use in all_uses(module) if module is not None and said is not None else ():
            assert module is not None and said is not None
            if use.line == finding.line and f"{use.dotted}.".startswith(f"{said['wrong']}."):
                return rewrite(
                    subject.bundle, module.path, _mended(module, use, said["wrong"], said["right"] or "")
                )
        return None


def _entry(use: Use, missing: Missing) -> tuple[str, Mapping[str, Any]]:
    """The table's entry for the longest prefix of the use, and that prefix."""
    table, dotted, least = renames()["names"], use.dotted, f"{missing.owner}.{missing.name}"
    while len(dotted) >= len(least):
        if dotted in table:
            return dotted, table[dotted]
        dotted = dotted.rpartition(".")[0]
    return least, {}


def _replacement(use: Use, missing: Missing) -> str:
    """The only right name; empty when there is none or a choice."""
    entry = _entry(use, missing)[1]
    if entry:
        return str(entry.get("use", ""))
    same = [other for other in missing.names if other.lower() == missing.name.lower()]
    return f"{missing.owner}.{same[0]}" if len(same) == 1 else ""


def _advice(use: Use, missing: Missing) -> str:
    """What to write instead, for people and models."""
    right, why = _replacement(use, missing), _entry(use, missing)[1].get("why", "")
    if right:
        return f"use {right.removeprefix('builtins.')}" + (f" ({why})" if why else "")
    close = difflib.get_close_matches(missing.name, sorted(missing.names), n=1, cutoff=CLOSE)
    hint = (
        f"did you mean {missing.owner}.{close[0]}?" if close else f"nothing in {missing.owner} resembles it"
    )
    return why or hint


def _mended(module: Module, use: Use, wrong: str, right: str) -> str | None:
    if use.alias is not None and not is_used(module, use.bound):
        return drop_import(module, use)
    return (
        replace_use(module, use, wrong, f"builtins.{right}" if right and "." not in right else right)
        if right
        else None
    )
