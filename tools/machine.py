"""What works on this machine and what does not: the findings of `suture doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from policies.records import Record
from tools.llm.endpoint import endpoint_configured
from tools.progress import Progress, silent
from tools.sandbox.base import Sandbox, SandboxName, SandboxSpec
from tools.sandbox.contract import CheckOutcome, run_contract
from tools.sandbox.open import available_backends, open_sandbox

LEAST_FREE_BYTES: Final = 10 * 2**30
"""An environment with torch takes about 3 GB; a build needs its downloads beside it."""
LEAST_GIT: Final = (2, 31)
"""The first version that takes configuration from the environment."""
_INSTALL_BWRAP: Final = (
    "apt install bubblewrap, or dnf install bubblewrap; allow unprivileged user namespaces"
)


class Diagnosis(Record):
    """One thing that was looked at."""

    name: str
    status: Literal["works", "missing", "optional"]
    """`optional`: not there, and nothing but its own feature needs it."""
    detail: str
    advice: str = ""
    """How to get it; empty when it works."""


def examine(
    cache_root: Path,
    *,
    contract: bool = True,
    progress: Progress = silent,
    env: Mapping[str, str] = os.environ,
) -> tuple[Diagnosis, ...]:
    """Look at everything that a repair may need.

    Args: contract: also try every promise of each sandbox that starts, which takes some seconds.
    """
    progress("looking at the interpreter and git")
    found = [_python(), _git()]
    for name, reason in available_backends().items():
        progress(f"trying the sandbox {name}")
        found.append(_backend(name, reason, contract=contract))
    progress("looking at the cache and the disk")
    return (*found, *_installers(), *_cache(cache_root), _model(env))


def sandbox_works(found: tuple[Diagnosis, ...]) -> bool:
    """Whether a sandbox that isolates can be used here."""
    walls = ("sandbox bwrap", "sandbox docker")
    return any(item.name in walls and item.status == "works" for item in found)


def _python() -> Diagnosis:
    detail = f"{platform.python_version()} at {sys.executable}"
    return Diagnosis(name="python", status="works", detail=detail)


def _git() -> Diagnosis:
    advice = f"apt install git; {'.'.join(map(str, LEAST_GIT))} or later"
    said = _output("git", "--version")
    if said is None:
        return Diagnosis(name="git", status="missing", detail="not found on PATH", advice=advice)
    numbers = [int(n) for n in said.removeprefix("git version ").split()[0].split(".")[:2] if n.isdecimal()]
    if tuple(numbers) < LEAST_GIT:
        return Diagnosis(name="git", status="missing", detail=f"{said} is too old", advice=advice)
    return Diagnosis(name="git", status="works", detail=said)


def _output(*argv: str) -> str | None:
    """First line that a program prints; None when it is not there or fails."""
    program = shutil.which(argv[0])
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *argv[1:]], capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.splitlines()
    return lines[0].strip() if done.returncode == 0 and lines else None


def _backend(name: SandboxName, reason: str, *, contract: bool) -> Diagnosis:
    label = f"sandbox {name}"
    advice = _INSTALL_BWRAP if name == "bwrap" else ""
    if reason:
        status: Literal["missing", "optional"] = "missing" if name == "bwrap" else "optional"
        return Diagnosis(name=label, status=status, detail=reason, advice=advice)
    if not contract:
        return Diagnosis(name=label, status="works", detail="starts")

    def opened(spec: SandboxSpec) -> Sandbox:
        return open_sandbox(name, spec)

    return _judged(label, run_contract(opened))


def _judged(label: str, outcomes: list[CheckOutcome]) -> Diagnosis:
    broken = [outcome for outcome in outcomes if not outcome.passed]
    unpromised = sum(outcome.passed and bool(outcome.detail) for outcome in outcomes)
    kept = len(outcomes) - len(broken) - unpromised
    detail = f"keeps {kept} of {len(outcomes)} promises"
    if broken:
        named = "; ".join(f"{outcome.name} ({outcome.detail})" for outcome in broken)
        return Diagnosis(
            name=label,
            status="missing",
            detail=f"{detail}; broken: {named}",
            advice="do not use it for bundles you distrust",
        )
    if unpromised:
        detail += f"; {unpromised} it does not make, as it isolates nothing"
    return Diagnosis(name=label, status="works", detail=detail)


def _installers() -> Iterator[Diagnosis]:
    pip = _output(sys.executable, "-m", "pip", "--version")
    if pip is None:
        yield Diagnosis(
            name="pip", status="optional", detail="this interpreter has none", advice="python -m ensurepip"
        )
    else:
        yield Diagnosis(name="pip", status="works", detail=pip.partition(" from ")[0])
    uv = _output("uv", "--version")
    if uv is None:
        yield Diagnosis(
            name="uv", status="optional", detail="not found on PATH; pip is used", advice="pip install uv"
        )
    else:
        yield Diagnosis(name="uv", status="works", detail=uv)


def _cache(root: Path) -> Iterator[Diagnosis]:
    there = next(path for path in (root, *root.parents) if path.exists())
    if not os.access(there, os.W_OK):
        yield Diagnosis(
            name="cache",
            status="missing",
            detail=f"{root} cannot be written",
            advice="set SUTURE_CACHE to a folder",
        )
        return
    yield Diagnosis(name="cache", status="works", detail=f"{root}, {_size(_folder_bytes(root))}")
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE_BYTES:
        advice = f"free {_size(LEAST_FREE_BYTES)}, or set SUTURE_CACHE to a folder on another disk"
        yield Diagnosis(name="disk", status="missing", detail=f"{_size(free)} free at {there}", advice=advice)
    else:
        yield Diagnosis(name="disk", status="works", detail=f"{_size(free)} free at {there}")


def _folder_bytes(root: Path) -> int:
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            try:
                # Blocks, not lengths, and each link once: environments share their files by hard links.
                status = os.lstat(os.path.join(folder, name))  # noqa: PTH118  # a large tree; Path is slow
            except OSError:
                continue
            total += status.st_blocks * 512 // max(1, status.st_nlink)
    return total


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count / 2**20:.0f} MB"


def _model(env: Mapping[str, str]) -> Diagnosis:
    if endpoint_configured(env):
        where = _without_secret(env.get("OPENAI_BASE_URL", "")) or "the default endpoint"
        return Diagnosis(name="model", status="works", detail=f"configured: {where} (not asked)")
    advice = "set OPENAI_API_KEY, and OPENAI_BASE_URL for an endpoint of your own"
    return Diagnosis(
        name="model", status="optional", detail="none configured: repairs use codemods only", advice=advice
    )


def _without_secret(url: str) -> str:
    """The address without what may stand before its host."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}" if mark else url.rpartition("@")[2]
