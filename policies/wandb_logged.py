"""Which keys the training code logs to W&B: to the history and to the summary, as patterns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from policies.call_sites import callee, parameters
from policies.hydra.names import imported_names, origin
from policies.kinds import of_kind
from policies.literal_keys import ANY, Reader, bindings_of, matches, scope_of
from policies.parsed import Module, ParsedBundle
from policies.trial_mode import training_modules

OWN = frozenset({"_step", "_runtime", "_timestamp", "_wandb"})
"""What W&B logs by itself."""
OTHER_LOGS = frozenset({"math", "numpy", "torch", "jax", "tensorflow", "scipy", "logging"})
FRAMEWORKS = frozenset(("WandbLogger", "WandbCallback", "WandbMetricsLogger", "LightningModule", "autolog"))
FRAMEWORKS |= {"TrainingArguments", "Seq2SeqTrainingArguments", "SFTConfig", "DPOConfig", "GRPOConfig"}
SWITCHES = frozenset(("report_to", "log_with", "sync_tensorboard"))
WANDB_MAGIC = frozenset(("wandb.watch", "wandb.define_metric", "wandb.tensorboard.patch"))
"""Names and arguments whose use means that keys are logged which no call spells."""


@dataclass(frozen=True)
class LogCall:
    """One call that logs a row."""

    module: Module
    node: ast.Call
    keys: frozenset[str]


@dataclass(frozen=True)
class Logged:
    """Everything that is logged, as far as the code tells."""

    calls: tuple[LogCall, ...]
    written: frozenset[str]
    """Keys written to the summary."""
    unknown: bool
    """Keys may be logged that cannot be read from the code."""

    @property
    def history(self) -> frozenset[str]:
        """Keys of history columns."""
        return OWN.union(*(call.keys for call in self.calls))

    @property
    def summary(self) -> frozenset[str]:
        """Keys of the summary: what is written there, and the last value of every history key."""
        return self.history | self.written

    @property
    def rows(self) -> tuple[frozenset[str], ...]:
        """Keys of the rows that the calls make; calls that may write to the same step are one row."""
        merged: list[tuple[LogCall, frozenset[str]]] = []
        for call in self.calls:
            same = next((i for i, (other, _) in enumerate(merged) if _same_step(call, other)), None)
            if same is None:
                merged.append((call, call.keys))
            else:
                merged[same] = (merged[same][0], merged[same][1] | call.keys)
        return tuple(keys for _, keys in merged)

    def has(self, key: str, *, summary: bool) -> bool:
        """Whether the key may be in the history or the summary."""
        return self.unknown or matches(self.summary if summary else self.history, key)


def _same_step(one: LogCall, other: LogCall) -> bool:
    """Whether two calls may add to one row: both name the step, and run equally often as far as one sees."""
    if not all(_keyword(c.node, "step") or _keyword(c.node, "commit") for c in (one, other)):
        return False
    function, loop, now_and_then = _rhythm(one)
    function2, loop2, now_and_then2 = _rhythm(other)
    if function is not function2:
        return True
    return loop is loop2 and not now_and_then and not now_and_then2


def _rhythm(call: LogCall) -> tuple[ast.AST | None, ast.AST | None, bool]:
    """The function and the innermost loop around a call, and whether a test like `step % 10` is between."""
    module, node = call.module, call.node
    now_and_then = False
    parent = module.parents.get(node)
    while parent is not None and not isinstance(parent, ast.For | ast.While | ast.FunctionDef):
        now_and_then |= isinstance(parent, ast.If) and "%" in ast.unparse(parent.test)
        parent = module.parents.get(parent)
    return module.enclosing_function(node), parent, now_and_then


def logged(subject: ParsedBundle) -> Logged:
    """What the training modules log, worked out once."""
    return subject.memo("wandb_logged", _logged)


def _logged(subject: ParsedBundle) -> Logged:
    modules = training_modules(subject)
    calls = tuple(_log_calls(subject))
    written = frozenset().union(*(keys for module in modules for keys in _summaries(subject, module)))
    broken = any(module.tree is None for module in subject.modules.values())
    hidden = any(_frameworks(module) for module in modules) or _loose_handles(subject)
    everything = written.union(*(call.keys for call in calls))
    return Logged(calls, written, broken or hidden or "*" in everything)


def _log_calls(subject: ParsedBundle) -> Iterator[LogCall]:
    """Calls of a run's `log`, or of a name that stands for it."""
    reader = Reader(subject)
    for module in training_modules(subject):
        handed = _handed_on(subject)
        for node in module.nodes:
            if not isinstance(node, ast.Call):
                continue
            by_name = isinstance(node.func, ast.Name) and node.func.id in handed
            if by_name or _is_log(module, node):
                given = node.args[0] if node.args else _keyword(node, "data")
                yield LogCall(module, node, reader.keys(module, given) if given is not None else ANY)


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def _is_log(module: Module, call: ast.Call) -> bool:
    """`wandb.log(...)`, `run.log(...)` and the like, not a logarithm or a text log."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "log":
        return False
    if not call.args and _keyword(call, "data") is None:
        return False
    root = origin(module, call.func).partition(".")[0]
    owner = ast.unparse(call.func.value).lower()
    speaks = len(call.args) > 1 and not isinstance(call.args[0], ast.Dict) and "logg" in owner
    first = call.args[0] if call.args else None
    numeric = isinstance(first, ast.Constant | ast.BinOp | ast.UnaryOp) and not _merges(first)
    return root not in OTHER_LOGS and not speaks and not numeric


def _merges(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)


def _handed_on(subject: ParsedBundle) -> frozenset[str]:
    """Names under which a run's `log` is passed on."""
    return subject.memo("wandb_log_names", lambda s: frozenset(n for _, n in _handles(s) if n))


def _loose_handles(subject: ParsedBundle) -> bool:
    """Whether a run's `log` is passed on to where it cannot be followed."""
    return any(not name for _, name in _handles(subject))


def _handles(subject: ParsedBundle) -> Iterator[tuple[ast.Attribute, str]]:
    for module in training_modules(subject):
        for node in of_kind(module, ast.Attribute):
            if node.attr == "log" and _is_run(module, node.value):
                parent = module.parents.get(node)
                if not (isinstance(parent, ast.Call) and parent.func is node):
                    yield node, _new_name(subject, module, node, parent)


def _is_run(module: Module, node: ast.expr) -> bool:
    """Whether an expression is `wandb` or a name given to what `wandb.init` returns."""
    if origin(module, node).partition(".")[0] == "wandb":
        return True
    scope = scope_of(module, node, node.id) if isinstance(node, ast.Name) else None
    bound = bindings_of(module, scope, node.id) if scope is not None and isinstance(node, ast.Name) else ()
    values = [getattr(b, "value", None) for b in bound]
    return any("wandb" in ast.unparse(v) for v in values if isinstance(v, ast.expr))


def _new_name(subject: ParsedBundle, module: Module, node: ast.Attribute, parent: ast.AST | None) -> str:
    match parent:
        case ast.keyword(arg=str(name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case ast.Call(args=args) if node in args and (target := callee(subject, module, parent)) is not None:
            names = parameters(target[1])
            return names[args.index(node)] if args.index(node) < len(names) else ""
    return ""


def _summaries(subject: ParsedBundle, module: Module) -> Iterator[frozenset[str]]:
    """Keys of `x.summary[...] = ...`, `x.summary.update(...)`, and of names that hold a summary."""
    reader = Reader(subject)
    for node in module.nodes:
        match node:
            case ast.Subscript(value=owner, ctx=ast.Store(), slice=index) if _is_summary(module, owner):
                yield reader.texts(module, index)
            case ast.Call(func=ast.Attribute(value=owner, attr="update")) if _is_summary(module, owner):
                yield from (reader.keys(module, arg) for arg in node.args)
                yield from (
                    frozenset({k.arg}) if k.arg else reader.keys(module, k.value) for k in node.keywords
                )
            case ast.Call(func=ast.Name(id="setattr"), args=[owner, index, _]) if _is_summary(module, owner):
                yield reader.texts(module, index)
            case ast.Attribute(value=owner, ctx=ast.Store(), attr=name) if _is_summary(module, owner):
                yield frozenset({name})


def _is_summary(module: Module, node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "summary"
    if not isinstance(node, ast.Name):
        return False
    scope = scope_of(module, node, node.id)
    bound = bindings_of(module, scope, node.id) if scope is not None else ()
    values = [getattr(b, "value", None) for b in bound]
    return any(isinstance(v, ast.Attribute) and v.attr == "summary" for v in values)


def _frameworks(module: Module) -> bool:
    """Whether the module hands logging to something that chooses its own keys."""
    for node in module.nodes:
        match node:
            case ast.Attribute(attr=name):
                used = name in FRAMEWORKS or origin(module, node) in WANDB_MAGIC
            case ast.Name(id=name):
                used = imported_names(module).get(name, name).rpartition(".")[2] in FRAMEWORKS
            case ast.keyword(arg=name, value=value):
                used = name in SWITCHES and ast.unparse(value) not in ("None", "False", "'none'", "[]")
            case _:
                continue
        if used:
            return True
    return False
