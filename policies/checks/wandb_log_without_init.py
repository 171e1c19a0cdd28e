"""W&B calls that run although `wandb.init` was skipped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.gates import Function, gates
from policies.hydra.names import origin
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.tree import walk
from policies.trial_mode import calls_of, training_modules

NEEDS_RUN = ("wandb.log", "wandb.log_artifact", "wandb.define_metric", "wandb.watch", "wandb.config.update")
ON_RUN = ("log", "summary", "config", "watch", "log_artifact", "get_url", "url", "define_metric")
GUARDS = ("wandb", "run", "disabled", "enabled", "mode", "log", "track", "online")

_TEXT = """import wandb


def train(cfg):
    if cfg.wandb.mode != "disabled":
        wandb.init(project="p", mode=cfg.wandb.mode)
    for step in range(3):
        {0}
"""
_HELPER = """import wandb


def start(cfg):
    if cfg.wandb.mode == "disabled":
        return None
    return wandb.init(project="p")


def train(cfg):
    run = start(cfg)
    {0}
"""
_OBJECT = """import wandb


class Fit:
    def __init__(self, cfg):
        self.live = cfg.wandb.mode != "disabled"
        self.wb = wandb.init(project="p") if self.live else None

    def record(self, values):
        if self.wb is not None:
            wandb.log(values)

    def end(self):
        if not self.live:
            return
        wandb.summary["done"] = 1
"""


class WandbLogWithoutInit(Check):
    """With W&B switched off and `wandb.init` skipped, `wandb.log` raises `wandb.Error`.

    `wandb.run` is None then, and so is what a helper returned in place of a run. Each use needs the test that
    stands before `wandb.init`, or `wandb.init(mode="disabled")` must be called, which makes them no-ops.
    """

    ID = "wandb-log-without-init"
    CRITERION = 6
    GOOD = (
        Good(_TEXT.format("if wandb.run is not None:\n            wandb.log({'loss': 1.0})")),
        Good(_TEXT.format("print(step)\n    wandb.finish()")),
        Good(_OBJECT),
        Good("import wandb\n\nwandb.init(mode='disabled')\nwandb.log({'loss': 1.0})\n"),
        Good(_HELPER.format("if run:\n        run.log({'loss': 1.0})")),
        Good(_HELPER.format("run is not None and run.log({'loss': 1.0})")),
    )
    BAD = (
        Bad(_TEXT.format("wandb.log({'loss': 1.0})"), lines=(8,)),
        Bad(_TEXT.format("wandb.summary['loss'] = 1.0"), lines=(8,)),
        Bad(_TEXT.format("print(wandb.run.url)"), lines=(8,)),
        Bad(_HELPER.format("run.log({'loss': 1.0})"), lines=(12,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every use of the run without a test, when each `wandb.init` has one."""
        starts = list(calls_of(subject, "wandb.init"))
        if not starts or not all(_guarded(subject, module, call) for module, call in starts):
            return
        module, call = starts[0]
        skipped = f"{module.path}:{call.lineno} runs only under a test"
        for module in training_modules(subject):
            for node, what in sorted(_uses(module), key=lambda use: (use[0].lineno, use[0].col_offset)):
                if not _guarded(subject, module, node):
                    message = f"{what} is used without a test, but wandb.init is skipped when W&B is off"
                    yield self.finding(
                        module.path, node.lineno, message, f"{module.line(node.lineno)}  [{skipped}]"
                    )


def _guarded(subject: ParsedBundle, module: Module, node: ast.AST) -> bool:
    """Whether a test of W&B, the run or the mode decides whether `node` runs."""
    tests = gates(subject, module, node)
    if any(word in ast.unparse(test).lower() for test in tests for word in GUARDS):
        return True
    holders = subject.memo("wandb_log_without_init.holders", _holders)
    return any(_last(n) in holders for test in tests for n in walk(test))


def _holders(subject: ParsedBundle) -> frozenset[str]:
    """Names and attributes whose value tells of W&B, such as `self.tracker = wandb.init(...)`."""
    found: set[str] = set()
    for module in subject.parsable:
        for node in of_kind(module, ast.Assign):
            told = ast.unparse(node.value).lower()
            if "wandb" in told or "mode" in told:
                found |= {_last(target) for target in node.targets}
    return frozenset(found - {""})


def _last(node: ast.AST) -> str:
    """The last name of `a` and `self.a`."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _uses(module: Module) -> Iterator[tuple[ast.Attribute, str]]:
    """Attributes that need a run: of `wandb` itself, and of what a helper may return as None."""
    optional = _optional_runs(module)
    for node in module.nodes:
        if not isinstance(node, ast.Attribute):
            continue
        name = origin(module, node)
        if name in NEEDS_RUN or name.rpartition(".")[0] == "wandb.run" or _is_summary(module, node):
            yield node, name
        elif node.attr in ON_RUN and (module.enclosing_function(node), ast.unparse(node.value)) in optional:
            yield node, ast.unparse(node)


def _is_summary(module: Module, node: ast.Attribute) -> bool:
    parent = module.parents.get(node)
    return origin(module, node) == "wandb.summary" and isinstance(parent, ast.Subscript | ast.Attribute)


def _optional_runs(module: Module) -> set[tuple[Function | None, str]]:
    """Variables that hold the result of a function that starts W&B or returns None."""
    helpers = {f.name for f in of_kind(module, ast.FunctionDef) if _may_skip(module, f)}
    found: set[tuple[Function | None, str]] = set()
    for node in module.nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=called))):
                if called in helpers:
                    found.add((module.enclosing_function(node), name))
            case _:
                pass
    return found


def _may_skip(module: Module, function: ast.FunctionDef) -> bool:
    """Whether a function returns None in one case and a started run in another."""
    returned = [n.value for n in walk(function) if isinstance(n, ast.Return)]
    nothing = any(v is None or (isinstance(v, ast.Constant) and v.value is None) for v in returned)
    starts = any(isinstance(n, ast.Call) and origin(module, n.func) == "wandb.init" for n in walk(function))
    return nothing and starts and len(returned) > 1
