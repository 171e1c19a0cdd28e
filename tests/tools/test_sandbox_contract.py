"""Every backend keeps the contract, and the contract notices backends that do not."""

from __future__ import annotations

import pytest

from tools.sandbox.base import SandboxName, SandboxSpec
from tools.sandbox.contract import CheckOutcome, run_contract
from tools.sandbox.contract_bench import CHECKS
from tools.sandbox.open import available_backends, open_sandbox
from tools.sandbox.unsafe_local import UnsafeLocalSandbox

BACKENDS: tuple[SandboxName, ...] = ("bwrap", "unsafe-local")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name.replace(" ", "-"))
def test_backend_keeps_the_promise(backend: SandboxName, check: object) -> None:
    if reason := available_backends()[backend]:
        pytest.skip(f"{backend} does not work here: {reason}")
    name = check.name  # type: ignore[attr-defined]  # a ContractCheck
    isolation = check.isolation  # type: ignore[attr-defined]
    detail = "not promised by unsafe-local" if isolation and backend == "unsafe-local" else ""
    outcome = run_contract(lambda spec: open_sandbox(backend, spec), only=[name])
    assert outcome == [CheckOutcome(name, True, detail)]


class Boaster(UnsafeLocalSandbox):
    """Claims walls that it does not have."""

    @property
    def backend(self) -> SandboxName:
        return "bwrap"


def test_false_claims_are_noticed() -> None:
    names = [check.name for check in CHECKS if check.isolation]
    outcomes = run_contract(Boaster, only=names)
    assert [outcome.passed for outcome in outcomes] == [False] * len(names)


class Careless(UnsafeLocalSandbox):
    """Ignores the limits that it is given."""

    def __init__(self, spec: SandboxSpec) -> None:
        super().__init__(SandboxSpec(mounts=spec.mounts, env={"LEAK": "1"}))


def test_missing_limits_are_noticed() -> None:
    names = ["environment is clean", "file size limit holds", "output is capped"]
    outcomes = run_contract(Careless, only=names)
    assert {outcome.name: outcome.passed for outcome in outcomes} == dict.fromkeys(names, False)
