"""The bench that the promises of the sandbox contract are tried on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.sandbox.base import ExecResult, Limits, Sandbox

TIMEOUT_S = 30.0


class Broken(Exception):
    """A check saw the sandbox break its word; the message says how."""


@dataclass(frozen=True)
class Bench:
    """An open sandbox with a Python inside, for one check."""

    sandbox: Sandbox
    python: str

    def run(self, argv: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> ExecResult:
        """Run a command."""
        return self.sandbox.run(argv, timeout_s=timeout_s)

    def script(self, source: str, *arguments: str, timeout_s: float = TIMEOUT_S) -> ExecResult:
        """Run Python source without site packages."""
        return self.run([self.python, "-I", "-S", "-c", source, *arguments], timeout_s=timeout_s)

    def says(self, source: str, *arguments: str) -> str:
        """What the source prints; it must end well."""
        result = self.script(source, *arguments)
        same("exit of the probe", (result.status, result.returncode, result.stderr), ("exited", 0, b""))
        return result.stdout.decode().strip()


Body = Callable[[Bench], None]


@dataclass(frozen=True)
class ContractCheck:
    """One promise and how it is tried."""

    name: str
    body: Body
    isolation: bool
    """Needs walls: `unsafe-local` cannot promise it."""
    limits: Limits


CHECKS: list[ContractCheck] = []


def promise(*, isolation: bool = False, limits: Limits | None = None) -> Callable[[Body], Body]:
    """Add a function to the contract under its own name."""

    def add(body: Body) -> Body:
        name = body.__name__.replace("_", " ")
        CHECKS.append(ContractCheck(name, body, isolation, limits or Limits()))
        return body

    return add


def same(what: str, seen: object, expected: object) -> None:
    """Raise Broken when two values differ."""
    if seen != expected:
        raise Broken(f"{what}: expected {expected!r}, saw {seen!r}")
