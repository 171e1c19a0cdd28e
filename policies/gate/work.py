"""Where a bundle does its essential work: training, data, models, logging, evaluation."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from policies.gate.base import Side
from policies.gate.syntax import Function, called_name, dotted
from policies.tree import children


def kind_of_work(call: ast.Call) -> str:
    """What a call contributes to the experiment; empty when nothing essential."""
    path = dotted(call.func)
    name = called_name(call)
    receiver = path.rsplit(".", 2)[-2].lower() if "." in path else ""
    if name == "backward" or (name in ("train", "fit") and "trainer" in receiver):
        return "gradients"
    if name == "step" and any(word in path.lower() for word in ("optim", "opt.", "scaler", "accelerator")):
        return "optimizer steps"
    if name in ("load_dataset", "load_from_disk"):
        return "loading the data set"
    if name in ("from_pretrained", "from_config", "create_model"):
        return "loading the model"
    if name in ("get_peft_model", "inject_adapter_in_model"):
        return "adapting the model"
    if path.endswith("wandb.init"):
        return "opening the W&B run"
    if name == "log" and ("wandb" in path or "run" in receiver):
        return "logging to W&B"
    if name == "optimize" and "study" in path.lower():
        return "the hyperparameter search"
    return ""


def work_of_evaluation(call: ast.Call) -> str:
    """What a call in the evaluation script contributes."""
    name = called_name(call)
    if dotted(call.func).endswith("wandb.Api") or name == "Api":
        return "asking W&B for the runs"
    if name in ("history", "scan_history"):
        return "reading the runs' history"
    if name in ("savefig", "write_image"):
        return "saving figures"
    if name in ("dump", "dumps", "write_text"):
        return "writing metrics"
    return ""


TRAINING = frozenset(("gradients", "optimizer steps"))


class Trainers:
    """Which code of a bundle trains, directly or through its own functions; searches do not count."""

    def __init__(self, side: Side) -> None:
        self._functions: dict[str, list[ast.AST]] = {}
        for place in side.places(*Function.__args__):
            if isinstance(place.node, Function):
                self._functions.setdefault(place.node.name, []).append(place.node)
        self._names = self._closure()

    def trains(self, nodes: Iterable[ast.AST]) -> bool:
        """Whether running these statements trains."""
        return any(self._direct(call) or called_name(call) in self._names for call in _calls(nodes))

    def _closure(self) -> set[str]:
        """Names of the functions that train."""
        names: set[str] = set()
        while True:
            more = {
                name
                for name, bodies in self._functions.items()
                if name not in names
                and any(self._direct(c) or called_name(c) in names for c in _calls(bodies))
            }
            if not more:
                return names
            names |= more

    @staticmethod
    def _direct(call: ast.Call) -> bool:
        return kind_of_work(call) in TRAINING or _launches(call)


def _calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """Calls in these nodes, those inside a hyperparameter search left out."""
    for node in nodes:
        if isinstance(node, ast.Call):
            if called_name(node) == "optimize":
                continue
            yield node
        yield from _calls(children(node))


def _launches(call: ast.Call) -> bool:
    """A child process: the entry script starts the training in one."""
    name = called_name(call)
    return name == "Popen" or (name in ("run", "check_call", "call") and "subprocess" in dotted(call.func))
