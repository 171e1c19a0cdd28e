"""What the backends that run commands from a host directory share; each adds only how it launches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from tools.sandbox import cleanup
from tools.sandbox.base import HERE, ExecResult, FileEntry, Mount, SandboxName, SandboxSpec
from tools.sandbox.supervise import Launch, Supervisor
from tools.sandbox.workdir import Workdir


class HostedSandbox:
    """A sandbox around a `Workdir`. Several threads may run commands in it at the same time."""

    def __init__(self, spec: SandboxSpec) -> None:
        self.spec = spec
        self._dir: Workdir | None = None
        self._running: set[Supervisor] = set()

    @property
    def backend(self) -> SandboxName:
        """The backend's name."""
        raise NotImplementedError

    @property
    def workdir(self) -> PurePosixPath:
        """See `Sandbox.workdir`."""
        raise NotImplementedError

    def path_inside(self, mount: Mount) -> PurePosixPath:
        """See `Sandbox.path_inside`."""
        raise NotImplementedError

    def launch(
        self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str], folder: Path
    ) -> Launch:
        """How the backend starts `argv` in `folder`, a host path below the working directory."""
        raise NotImplementedError

    def release(self, launch: Launch) -> None:
        """Give back what `launch` holds on the host."""

    @property
    def directory(self) -> Workdir:
        """The open directory; a sandbox is used inside `with`."""
        assert self._dir is not None, "the sandbox is not open"
        return self._dir

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        env: Mapping[str, str] | None = None,
        cwd: PurePosixPath = HERE,
    ) -> ExecResult:
        """See `Sandbox.run`. Raises ValueError or FileNotFoundError for a `cwd` that cannot be one."""
        folder = self.directory.folder(cwd)
        launch = self.launch(argv, timeout_s=timeout_s, env=env or {}, folder=folder)
        supervisor = Supervisor(launch)
        self._running.add(supervisor)
        try:
            return supervisor.run()
        finally:
            self._running.discard(supervisor)
            self.release(launch)

    def read(self, path: PurePosixPath) -> bytes:
        """See `Sandbox.read`."""
        return self.directory.read(path)

    def write(self, path: PurePosixPath, data: bytes) -> None:
        """See `Sandbox.write`."""
        self.directory.write(path, data)

    def list_files(self, *, max_files: int = 10_000) -> tuple[FileEntry, ...]:
        """See `Sandbox.list_files`."""
        return self.directory.list_files(max_files)

    def abort(self) -> None:
        """Kill what runs and remove the directory, from any thread."""
        for supervisor in list(self._running):
            supervisor.abort()
        if self._dir is not None:
            self._dir.remove()

    def __enter__(self) -> Self:
        self._dir = Workdir()
        cleanup.register(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cleanup.unregister(self)
        if self._dir is not None:
            self._dir.remove()
            self._dir = None
