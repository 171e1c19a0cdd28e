"""The sandbox contract: what a backend must do, and the values it deals in. Backends live beside this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Literal, Protocol, Self

SandboxName = Literal["auto", "bwrap", "docker", "unsafe-local"]


@dataclass(frozen=True)
class Limits:
    """What one `run` may use. A limit that is reached ends the run; it never raises."""

    memory_bytes: int = 8 * 2**30
    """Address-space independent: resident memory of the whole process tree."""
    cpu_s: float = 900.0
    processes: int = 512
    file_size_bytes: int = 2 * 2**30
    output_bytes: int = 1_000_000
    """Kept of stdout and of stderr each: the first and the last half; the true size is reported."""


@dataclass(frozen=True)
class Mount:
    """A host path that is visible read-only inside."""

    host: Path
    inside: PurePosixPath


@dataclass(frozen=True)
class ExecResult:
    """The outcome of one command. Non-zero exits, time-outs and kills are results, not errors."""

    status: Literal["exited", "timed_out", "killed"]
    returncode: int | None
    """None unless `status` is `exited`."""
    stdout: bytes
    stderr: bytes
    stdout_bytes: int
    """True size, before the cap."""
    stderr_bytes: int
    truncated: bool
    wall_s: float
    peak_memory_bytes: int
    """Highest resident memory seen of the process tree; 0 when unknown."""
    reason: str = ""
    """Which limit ended it: `memory`, `cpu`, `wall`; empty otherwise."""


@dataclass(frozen=True)
class SandboxSpec:
    """What a sandbox is opened with."""

    mounts: Sequence[Mount] = ()
    limits: Limits = field(default_factory=Limits)
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment of the processes inside, beside PATH, HOME, LANG and TMPDIR."""


class Sandbox(Protocol):
    """One private working directory, `/work` inside, that lives from `__enter__` to `__exit__`.

    Commands start in `/work`. Nothing of the host is writable, the network has only its own loopback,
    and every process that a command left behind is dead when `run` returns.
    """

    @property
    def backend(self) -> SandboxName:
        """The backend's name."""
        ...

    @property
    def workdir(self) -> PurePosixPath:
        """The working directory as processes inside see it."""
        ...

    def path_inside(self, mount: Mount) -> PurePosixPath:
        """Where processes inside see a mount (`unsafe-local` cannot relocate paths)."""
        ...

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath = PurePosixPath("."),
    ) -> ExecResult:
        """Run one command to its end. `env` adds to the sandbox's; `cwd` is relative to the workdir."""
        ...

    def read(self, path: PurePosixPath) -> bytes:
        """Bytes of a file, path relative to the workdir. FileNotFoundError when it is not there."""
        ...

    def write(self, path: PurePosixPath, data: bytes) -> None:
        """Write a file, making its folders. ValueError for a path that leaves the workdir."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
