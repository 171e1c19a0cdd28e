"""What every sandbox must do, as checks that run anywhere: the tests and `suture doctor` share them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from policies.errors import SutureError
from tools.sandbox import contract_checks
from tools.sandbox.base import Mount, Sandbox, SandboxName, SandboxSpec
from tools.sandbox.contract_bench import Bench, Broken, ContractCheck

Opener = Callable[[SandboxSpec], Sandbox]


@dataclass(frozen=True)
class CheckOutcome:
    """What one check showed."""

    name: str
    passed: bool
    detail: str
    """Why it failed, or `not promised by BACKEND` when it does not apply."""


def host_python() -> tuple[str, tuple[Mount, ...]]:
    """The interpreter that runs us, and the mounts it needs inside."""
    roots = {Path(sys.base_prefix).resolve(), Path(sys.executable).resolve().parent.parent}
    mounts = tuple(Mount(root, PurePosixPath(root)) for root in sorted(roots) if root != Path("/"))
    return str(Path(sys.executable).resolve()), mounts


def run_contract(open_one: Opener, *, only: Sequence[str] = ()) -> list[CheckOutcome]:
    """Try every promise, each on a fresh sandbox; `only` names the checks. A bad backend never raises."""
    return [_outcome(check, open_one) for check in contract_checks.CHECKS if not only or check.name in only]


def _outcome(check: ContractCheck, open_one: Opener) -> CheckOutcome:
    python, mounts = host_python()
    env: Mapping[str, str] = {"SUTURE_CONTRACT": "given"}
    try:
        with open_one(SandboxSpec(mounts=mounts, limits=check.limits, env=env)) as sandbox:
            if check.isolation and not isolates(sandbox.backend):
                return CheckOutcome(check.name, True, f"not promised by {sandbox.backend}")
            check.body(Bench(sandbox, python))
    except (Broken, SutureError, OSError, ValueError) as error:
        return CheckOutcome(check.name, False, f"{type(error).__name__}: {error}")
    return CheckOutcome(check.name, True, "")


def isolates(backend: SandboxName) -> bool:
    """Whether the backend has walls at all."""
    return backend != "unsafe-local"
