"""Which pins of the reference stack go into an environment, and the order in which they are given up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CPU_BUILDS = ("torch",)
"""Kept pinned to the last: their other releases may come as builds for a GPU, gigabytes large."""


@dataclass(frozen=True)
class Plan:
    """One way to ask for the requirements."""

    lines: tuple[str, ...]
    """What is to be installed, sorted."""
    constraints: tuple[str, ...]
    """Versions of whatever else comes along, sorted."""
    note: str = ""


@lru_cache(maxsize=1)
def reference_pins() -> dict[str, Requirement]:
    """Canonical name -> pin, from `constraints.txt`."""
    text = Path(__file__).with_name("constraints.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    pins = (Requirement(line) for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(pin.name): pin for pin in pins}


def plans(requirements: Sequence[Requirement]) -> tuple[Plan, ...]:
    """Ways to install the requirements, the most reproducible first; the last has hardly any pin."""
    declared: dict[str, Requirement] = {canonicalize_name(r.name): r for r in requirements}
    pins = {name: pin for name, pin in reference_pins().items() if _admits(declared.get(name), pin)}
    pinned = tuple(sorted(_line(r, pins) for r in requirements))
    others = tuple(sorted(str(pin) for name, pin in pins.items() if name not in declared))
    kept = {name: pin for name, pin in pins.items() if name in CPU_BUILDS}
    loose = tuple(sorted(_line(r, kept) for r in requirements))
    cpu = tuple(sorted(str(pin) for name, pin in kept.items() if name not in declared))
    ways = (
        Plan(pinned, others),
        Plan(pinned, cpu, "Only the declared requirements could be pinned to the reference stack."),
        Plan(loose, cpu, "The reference stack's pins conflict with the requirements and were not applied."),
    )
    return tuple(dict.fromkeys(ways))


def key_of(plan: Plan, *parts: str) -> str:
    """A content key over what a plan asks for and what else decides the outcome."""
    text = "\n".join((*plan.lines, "--", *plan.constraints, "--", *parts))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _admits(requirement: Requirement | None, pin: Requirement) -> bool:
    version = next(iter(pin.specifier)).version
    return requirement is None or requirement.specifier.contains(version, prereleases=True)


def _line(requirement: Requirement, pins: dict[str, Requirement]) -> str:
    """The requirement under its canonical name, with the pin, if any, instead of its specifier."""
    name = canonicalize_name(requirement.name)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    specifier = pins[name].specifier if name in pins else requirement.specifier
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return f"{name}{extras}{specifier}{marker}"
