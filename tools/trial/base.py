"""Values and protocols of rehearsals: the environment they run in, and who runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from policies.base import Api
from policies.contract import Contract
from policies.records import Bundle, Failure, Phase, Rehearsal


@dataclass(frozen=True)
class Environment:
    """A Python interpreter with the libraries a bundle needs."""

    python: Path
    """The interpreter, absolute, e.g. `/cache/envs/ab12/bin/python`."""
    prefixes: tuple[Path, ...]
    """Every directory that must be readable for it to run: the environment and its base installation."""
    site_packages: tuple[Path, ...]
    """Where its distributions lie."""
    versions: Mapping[str, str]
    """Normalized distribution name -> version."""
    key: str
    """Content key; equal keys are interchangeable environments."""
    built: bool
    """True when Suture built it from the bundle's requirements; False when the user named it."""
    notes: tuple[str, ...] = ()
    """What was assumed, one sentence each."""


@dataclass(frozen=True)
class EnvironmentResult:
    """The environment, or why the requirements cannot be had (which is a fact about the bundle)."""

    environment: Environment | None
    failure: Failure | None = None
    installed: Mapping[str, Api] = field(default_factory=dict)
    """Top-level import name -> API, for the packages whose names checks judge."""


class Rehearser(Protocol):
    """Runs rehearsals of a bundle and returns one record each, in phase and run order."""

    def rehearse(
        self,
        bundle: Bundle,
        contract: Contract,
        *,
        phases: Sequence[Phase] = ("install", "compose", "trial"),
        run_ids: Sequence[str] = (),
    ) -> tuple[Rehearsal, ...]:
        """Rehearse every phase for every run id, all when none is named. Never raises for a bundle."""
        ...

    @property
    def installed(self) -> Mapping[str, Api]:
        """The APIs of the environment; empty before one is known."""
        ...
