"""What a rehearsal is played on: a fresh sandbox with environment, scripts, double and checkout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from policies.records import Bundle
from tools.doubles import hub
from tools.sandbox.base import Limits, Mount, Sandbox, SandboxName, SandboxSpec
from tools.sandbox.open import open_sandbox
from tools.trial.base import Environment

CHECKOUT = PurePosixPath("checkout")
INSIDE = Mount(Path(__file__).with_name("inside"), PurePosixPath("/suture/inside"))
HUB = Mount(Path(hub.__file__).parent, PurePosixPath("/suture/hub"))
ENV = {
    "HYDRA_FULL_ERROR": "1",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONUNBUFFERED": "1",
    # The contract promises a key; this one has the right form and opens nothing.
    "WANDB_API_KEY": "0" * 40,
    "WANDB_ERROR_REPORTING": "false",
}
"""What every rehearsed command finds in its environment, beside the doubles' addresses."""


@dataclass(frozen=True)
class Stage:
    """How to open a sandbox for a bundle; one stage serves many rehearsals, also at the same time."""

    sandbox: SandboxName
    environment: Environment
    store: Path | None
    """None where no hub double is served."""
    limits: Limits

    @property
    def store_mount(self) -> Mount:
        """The hub double's models and data sets."""
        assert self.store is not None, "only a stage with a hub double has a store"
        return Mount(self.store, PurePosixPath("/suture/store"))

    @contextmanager
    def set(self, bundle: Bundle) -> Iterator[Sandbox]:
        """A sandbox in which `checkout/` holds exactly the bundle and its run configs.

        Raises SandboxUnavailable.
        """
        prefixes = [Mount(path, PurePosixPath(path)) for path in self.environment.prefixes]
        mounts = (*prefixes, INSIDE, *(() if self.store is None else (HUB, self.store_mount)))
        with open_sandbox(self.sandbox, SandboxSpec(mounts=mounts, limits=self.limits, env=ENV)) as sandbox:
            for path, data in bundle.blobs.items():
                sandbox.write(CHECKOUT / path, data)
            yield sandbox


def script(sandbox: Sandbox, name: str) -> str:
    """Where the sandbox shows one of our scripts."""
    return str(sandbox.path_inside(INSIDE) / name)


def read_or_empty(sandbox: Sandbox, name: str) -> bytes:
    """A file that a command may have left in the working directory."""
    try:
        return sandbox.read(PurePosixPath(name))
    except (FileNotFoundError, ValueError):
        return b""
