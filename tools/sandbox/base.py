"""The sandbox contract: what a backend must do, and the values it deals in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Literal, Protocol, Self

SandboxName = Literal["auto", "bwrap", "docker", "unsafe-local"]
HERE = PurePosixPath(".")


@dataclass(frozen=True)
class Limits:
    """What one `run` may use. A limit that is reached ends the run; it never raises."""

    memory_bytes: int = 8 * 2**30
    """Address-space independent: resident memory of the whole process tree."""
    cpu_s: float = 900.0
    processes: int = 512
    """Alive at the same time; threads are allowed sixteen times as many."""
    file_size_bytes: int = 2 * 2**30
    output_bytes: int = 1_000_000
    """Kept of stdout and of stderr each: the first and the last half; the true size is reported."""
    disk_bytes: int = 16 * 2**30
    """Everything under the working directory and the home directory together."""


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
    """What ended it: `wall`, `memory`, `cpu`, `processes`, `disk` or `interrupted`; empty otherwise."""


@dataclass(frozen=True)
class SandboxSpec:
    """What a sandbox is opened with."""

    mounts: Sequence[Mount] = ()
    limits: Limits = field(default_factory=Limits)
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the little that every process gets (see `default_env`); the host's environment never is."""


@dataclass(frozen=True)
class FileEntry:
    """One regular file under the working directory."""

    path: PurePosixPath
    """Relative to the working directory."""
    size_bytes: int


def default_env(*, home: str, temp: str) -> dict[str, str]:
    """The environment that every command starts from; a spec may override each of them."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": temp,
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "MPLBACKEND": "Agg",
    }


class Sandbox(Protocol):
    """One private working directory that lives from `__enter__` to `__exit__`.

    Commands start in it (`workdir`: `/work` inside, unless a mount needs that place). HOME lies outside it
    and lives as long. Nothing of the host is writable, the network has only its own loopback, and every
    process that a command left behind is dead when `run` returns. A command that cannot be started exits
    with 127 or 126.
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
        cwd: PurePosixPath = HERE,
    ) -> ExecResult:
        """Run one command to its end. `env` adds to the sandbox's; `cwd` is relative to the workdir."""
        ...

    def read(self, path: PurePosixPath) -> bytes:
        """Bytes of a file, path relative to the workdir.

        Raises FileNotFoundError when it is not there, ValueError when the path leaves the workdir, leads over
        a symbolic link or is no regular file: what a bundle planted is never followed.
        """
        ...

    def write(self, path: PurePosixPath, data: bytes) -> None:
        """Write a file, making its folders; raises ValueError as `read` does."""
        ...

    def list_files(self, *, max_files: int = 10_000) -> tuple[FileEntry, ...]:
        """Regular files under the workdir in path order, symbolic links not followed; at most `max_files`."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
