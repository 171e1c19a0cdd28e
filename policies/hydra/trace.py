"""What an interpretation saw of a config beside errors: keys read, sections used whole, sampled values."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from policies.hydra.loops import Loop
from policies.hydra.values import MADE, Constant, Node, Sampled, Value
from policies.parsed import Module


@dataclass(frozen=True)
class Sample:
    """A sampled hyperparameter that the code writes into the config."""

    module: Module
    line: int
    function: str
    name: str
    """The name it was sampled under; empty when unknown."""
    path: str
    """The dotted config path that is written."""
    exists: bool
    """Whether the config had that path."""


@dataclass(frozen=True)
class Suggestion:
    """One `trial.suggest_…` call."""

    module: Module
    node: ast.Call
    name: str | None
    """The parameter's name, when known."""
    spec: str
    """Path of the search-space entry in sight; empty when there is none."""


@dataclass(frozen=True)
class Study:
    """One `optuna.create_study` call."""

    module: Module
    node: ast.Call
    direction: Value | None
    """None when it is not given, which means `minimize`."""

    @property
    def known_direction(self) -> str:
        """`minimize` or `maximize`; empty when it cannot be told."""
        if self.direction is None:
            return "minimize"
        value = self.direction.value if isinstance(self.direction, Constant) else ""
        return value if value in ("minimize", "maximize") else ""


@dataclass(frozen=True)
class Refusal:
    """A `raise` that a search-space entry surely meets."""

    module: Module
    line: int
    function: str
    spec: str


@dataclass
class Trace:
    """Collected over one launch. Paths of run configs that lie under a group `run` lose that prefix."""

    seen: set[ast.expr] = field(default_factory=set)
    """The expressions behind `reads`."""
    reads: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    """Paths of sections that code goes through, splats or hands to a library; `` is the whole config."""
    names: set[str] = field(default_factory=set)
    """Keys of dictionaries made in code that are used whole."""
    samples: list[Sample] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    studies: list[Study] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    """Loops over batches or steps that are surely reached."""
    passed: dict[tuple[int, str], object] = field(default_factory=dict)
    """Line and key of overrides such as `training.epochs=1` in code that runs -> value, None when unknown."""
    maps: list[tuple[Module, ast.Call]] = field(default_factory=list)
    """Calls of `data.map(function)` that are surely made before anything limits the data."""
    limited: bool = False
    """Whether a call such as `data.select(...)` has been met."""
    refusals: list[Refusal] = field(default_factory=list)

    def read(self, owner: Node, key: str) -> None:
        """Note that a key is looked up."""
        if owner.origin not in MADE:
            self.reads.add(joined(owner, key))

    def use(self, value: Value) -> None:
        """Note that a config section is used as a whole."""
        if isinstance(value, Node) and value.origin in MADE:
            self.names |= {key for key, held in value.data.items() if not isinstance(held, Sampled)}
        elif isinstance(value, Node):
            self.used.add(value.path.removeprefix("run.") if value.path != "run" else "")


def joined(owner: Node, key: str) -> str:
    """The dotted path of a key from the top of the config."""
    return (f"{owner.path}.{key}" if owner.path else key).removeprefix("run.")
