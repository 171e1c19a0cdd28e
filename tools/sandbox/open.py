"""Chooses a sandbox backend and says why one does not work here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from policies.errors import SandboxUnavailable
from tools.sandbox.base import Sandbox, SandboxName, SandboxSpec
from tools.sandbox.bwrap import BwrapSandbox
from tools.sandbox.unsafe_local import UnsafeLocalSandbox

_BACKENDS: Mapping[SandboxName, Callable[[SandboxSpec], Sandbox]] = {
    "bwrap": BwrapSandbox,
    "unsafe-local": UnsafeLocalSandbox,
}
_SELF_TEST_S = 20.0


def open_sandbox(name: SandboxName, spec: SandboxSpec) -> Sandbox:
    """A sandbox to enter with `with`. `auto` takes an isolating backend, never `unsafe-local`.

    Raises:
        SandboxUnavailable: the backend does not work here; the message says why and what to do.
    """
    chosen: SandboxName = "bwrap" if name == "auto" else name
    if reason := _reason(chosen):
        raise SandboxUnavailable(f"sandbox {chosen!r} does not work here: {reason}. {_advice(chosen)}")
    return _BACKENDS[chosen](spec)


def available_backends() -> dict[SandboxName, str]:
    """Every backend by name: empty when it works here, else the reason."""
    names: tuple[SandboxName, ...] = ("bwrap", "docker", "unsafe-local")
    return {name: _reason(name) for name in names}


@lru_cache(maxsize=8)
def _reason(name: SandboxName) -> str:
    if not sys.platform.startswith("linux"):
        return f"it needs Linux, this is {sys.platform}"
    if name not in _BACKENDS:
        return "this version has no such backend"
    if not Path("/proc/self/stat").exists():
        return "/proc is not mounted"
    try:
        with _BACKENDS[name](SandboxSpec()) as sandbox:
            result = sandbox.run(["true"], timeout_s=_SELF_TEST_S)
    except (SandboxUnavailable, OSError) as error:
        return str(error)
    if result.status == "exited" and result.returncode == 0:
        return ""
    return f"its self-test ended with {result.status} {result.returncode} {result.reason}".strip()


def _advice(chosen: SandboxName) -> str:
    working = [name for name, reason in available_backends().items() if not reason]
    isolating = [name for name in working if name != "unsafe-local"]
    if isolating:
        return f"Working here: {', '.join(working)}."
    install = "Install bubblewrap (apt install bubblewrap, dnf install bubblewrap) and allow user namespaces"
    if "unsafe-local" in working and chosen != "unsafe-local":
        return f"{install}, or ask for `unsafe-local` by name, which isolates nothing."
    return f"{install}."
