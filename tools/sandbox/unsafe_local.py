"""The backend that isolates nothing: a temporary directory, a clean environment, limits, and a firm end.

The command runs as the caller, sees the whole host and its network. Used only when asked for by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from tools.sandbox.base import Mount, SandboxName, default_env
from tools.sandbox.hosted import HostedSandbox
from tools.sandbox.supervise import STARTER, Launch


class UnsafeLocalSandbox(HostedSandbox):
    """Same protocol, no walls."""

    @property
    def backend(self) -> SandboxName:
        """The backend's name."""
        return "unsafe-local"

    @property
    def workdir(self) -> PurePosixPath:
        """The host directory itself."""
        return PurePosixPath(self.directory.work)

    def path_inside(self, mount: Mount) -> PurePosixPath:
        """The host path: nothing is relocated."""
        return PurePosixPath(mount.host)

    def launch(
        self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str], folder: Path
    ) -> Launch:
        """See `HostedSandbox.launch`."""
        base = default_env(home=str(self.directory.home), temp=str(self.directory.temp))
        base["PATH"] = os.environ.get("PATH", base["PATH"])
        return Launch(
            argv=(*STARTER, *argv),
            mode="reap",
            env={**base, **self.spec.env, **env},
            cwd=folder,
            limits=self.spec.limits,
            timeout_s=timeout_s,
            disk_bytes=self.directory.disk_bytes,
        )
