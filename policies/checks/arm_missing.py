"""Check `arm-missing`: two methods that are compared and train the same."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from policies.base import Bad, Check, Evidence, Good
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.reach import mentions
from policies.records import Finding, ResearchContext, Run
from policies.trial_mode import training_modules

_LABELS = {"run_id", "description", "notes", "comment", "tags", "seed"}
_ARMS = re.compile(r"(?i)proposed|comparative|baseline|ablation")
_CONFIG = re.compile(r"(?i)cfg|conf|run")
_WHOLE = {"items", "values", "keys", "to_container", "instantiate", "dict", "vars", "asdict", "to_object"}
_COPIES = {"OmegaConf.create", "copy.deepcopy", "deepcopy", "print", "OmegaConf.to_yaml", "json.dumps"}
_RUNS = ResearchContext(
    runs=(Run(run_id="proposed-1", method="proposed"), Run(run_id="base-1", method="base"))
)
_CONFIGS = {
    "config/runs/proposed-1.yaml": "run_id: proposed-1\nmethod: gated\ngate: {width: 4}\nlr: 0.1\n",
    "config/runs/base-1.yaml": "run_id: base-1\nmethod: plain\nlr: 0.1\n",
}
_TRAIN = "def train(cfg):\n    for x in rows:\n        loss(x, cfg.lr).backward()\n"


class ArmMissing(Check):
    """A comparison says something only when its runs train differently.

    Reported where the configs of two runs with different methods differ only in keys that no training code
    names, so that both train the same model the same way. Code that hands whole config sections on, or looks
    for a method's name in the run id, may tell them apart, and nothing is said.
    """

    ID = "arm-missing"
    CRITERION = 4
    STAGE = 65
    GOOD = (
        Good(f"{_TRAIN}        use(cfg.gate)\n", run_configs=_CONFIGS, context=_RUNS),
        Good(f"{_TRAIN}        if cfg.method == 'gated': use()\n", run_configs=_CONFIGS, context=_RUNS),
        Good(f"{_TRAIN}        Net(**cfg)\n", run_configs=_CONFIGS, context=_RUNS),
        Good(f"{_TRAIN}        if 'proposed' in cfg.run_id: use()\n", run_configs=_CONFIGS, context=_RUNS),
        Good(f"{_TRAIN}        for key in cfg.items(): use(key)\n", run_configs=_CONFIGS, context=_RUNS),
        Good(f"{_TRAIN}        x = 1 if 'gate' in cfg else 0\n", run_configs=_CONFIGS, context=_RUNS),
        Good("def train(cfg): ...\n", run_configs=_CONFIGS, context=_RUNS),
        Good(_TRAIN, run_configs=_CONFIGS),
    )
    BAD = (
        Bad(_TRAIN, run_configs=_CONFIGS, context=_RUNS, lines=(3,)),
        Bad(
            f"{_TRAIN}    wandb.init(config=OmegaConf.to_container(cfg), id=cfg.run_id)\n"
            "    for name, space in cfg.optuna.search_space.items(): suggest(name)\n",
            run_configs=_CONFIGS,
            context=_RUNS,
            lines=(3,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first pair of runs that nothing tells apart."""
        training = training_modules(subject)
        place = next(((m, n) for m in training for n in of_kind(m, ast.Call) if _trains(n)), None)
        if place is None or len(subject.parsable) < len(subject.modules) or any(map(_may_tell, training)):
            return
        read = _read(subject, {module.path for module in training})
        for one, other in _pairs(subject):
            differing = _differing(subject, one, other)
            if differing and not any(parts & read for parts in differing.values()):
                module, node = place
                keys = sorted(differing)
                listed = ", ".join(keys[:8]) + (" …" if len(keys) > 8 else "")
                yield self.finding(
                    module.path,
                    node.lineno,
                    f"`{one}` and `{other}` train the same: no code tells their methods apart",
                    f"their configs differ in {listed}, and no training code names any of these",
                )
                return


def _read(subject: ParsedBundle, training: set[str]) -> set[str]:
    """Every name that training code reads or spells."""
    users = mentions(subject).items()
    return {name for name, places in users if any(path in training for path, _ in places)}


def _pairs(subject: ParsedBundle) -> Iterator[tuple[str, str]]:
    """Run ids with a config each, of different methods."""
    runs = [r for r in subject.context.runs if r.run_id in subject.run_documents and r.method]
    yield from ((a.run_id, b.run_id) for a, b in combinations(runs, 2) if a.method != b.method)


def _differing(subject: ParsedBundle, one: str, other: str) -> dict[str, set[str]]:
    """Dotted keys in which two run configs differ, with the names by which code would notice.

    These are the key itself and every section around it that the other config lacks; of a search space, the
    parameter. Mere labels are left out.
    """
    flat = [dict(_leaves(subject.run_documents[run_id].data or {})) for run_id in (one, other)]
    sections = [{key[:end] for key in f for end in range(1, len(key) + 1)} for f in flat]
    found: dict[str, set[str]] = {}
    for key in flat[0].keys() | flat[1].keys():
        if flat[0].get(key) == flat[1].get(key) or key[-1] in _LABELS:
            continue
        if "search_space" in key[:-1]:
            found[".".join(key)] = {key[key.index("search_space") + 1]}
            continue
        alone = {key[end - 1] for end in range(1, len(key)) if any(key[:end] not in s for s in sections)}
        found[".".join(key)] = {key[-1], *alone}
    return found


def _leaves(data: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path of a key -> value as text."""
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*prefix, str(key)))
        else:
            yield (*prefix, str(key)), repr(value)


def _trains(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == "backward"


def _may_tell(module: Module) -> bool:
    """Whether code may tell runs apart without naming the keys in which they differ."""
    for node in module.nodes:
        match node:
            case ast.Constant(value=str(text)) if len(text) < 40 and _ARMS.search(text):
                return True
            case ast.keyword(arg=None, value=value) | ast.Starred(value=value):
                if _CONFIG.search(ast.unparse(value)):
                    return True
            case ast.Call(func=function) if _takes_all(module, node, function):
                return True
            case _:
                pass
    return False


def _takes_all(module: Module, node: ast.Call, function: ast.expr) -> bool:
    """Whether a call goes over all keys of a config, other than to show them to W&B or to copy them."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name == "getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
        return True
    if name not in _WHOLE:
        return False
    shown = ast.unparse(node)
    if not _CONFIG.search(shown) or "search_space" in shown:
        return False
    parent = module.parents.get(node)
    copied = isinstance(parent, ast.Call) and ast.unparse(parent.func) in _COPIES
    return not copied and not (isinstance(parent, ast.keyword) and parent.arg == "config")
