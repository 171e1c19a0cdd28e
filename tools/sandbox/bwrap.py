"""The bubblewrap backend: fresh namespaces, a read-only system, no network but its own loopback."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

from policies.errors import SandboxUnavailable
from tools.sandbox.base import Mount, SandboxName, SandboxSpec, default_env
from tools.sandbox.hosted import HostedSandbox
from tools.sandbox.supervise import STARTER, Launch

UID = 1000
HOME = "/home/suture"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
"""Bound read-only, or repeated as a link where the host has a link."""
ETC = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/sys/devices/system/cpu",
)
"""What libraries look up and that tells nothing about the host's users."""
STUBS = {
    "passwd": f"root:x:0:0::/:/bin/sh\nsuture:x:{UID}:{UID}::{HOME}:/bin/sh\n",
    "group": f"root:x:0:\nsuture:x:{UID}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "resolv.conf": "",
}
_WORK_PLACES = ("/work", "/bundle", "/suture-work")


class BwrapSandbox(HostedSandbox):
    """Isolation by user, pid, network, ipc, uts and mount namespaces, without privileges."""

    def __init__(self, spec: SandboxSpec) -> None:
        super().__init__(spec)
        self._program = find_bwrap()
        self._workdir = _free_place([mount.inside for mount in spec.mounts])

    @property
    def backend(self) -> SandboxName:
        """The backend's name."""
        return "bwrap"

    @property
    def workdir(self) -> PurePosixPath:
        """See `Sandbox.workdir`."""
        return self._workdir

    def path_inside(self, mount: Mount) -> PurePosixPath:
        """See `Sandbox.path_inside`."""
        return mount.inside

    def launch(
        self, argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str], folder: Path
    ) -> Launch:
        """See `HostedSandbox.launch`. The arguments travel in memory, so that no process list shows them."""
        inside = self._workdir / folder.relative_to(self.directory.work)
        arguments = [*self._arguments(env), "--chdir", str(inside)]
        descriptor = os.memfd_create("bwrap-arguments")
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(b"".join(os.fsencode(argument) + b"\0" for argument in arguments))
        os.lseek(descriptor, 0, os.SEEK_SET)
        status = ("--json-status-fd", "{status_fd}")
        return Launch(
            argv=(self._program, "--args", str(descriptor), *status, "--", *STARTER, *argv),
            mode="exec",
            env={"PATH": "/usr/bin:/bin"},
            cwd=self.directory.root,
            limits=self.spec.limits,
            timeout_s=timeout_s,
            disk_bytes=self.directory.disk_bytes,
            pass_fds=(descriptor,),
        )

    def release(self, launch: Launch) -> None:
        """Close the descriptor that carried the arguments."""
        for descriptor in launch.pass_fds:
            os.close(descriptor)

    def _arguments(self, env: Mapping[str, str]) -> Iterator[str]:
        options = known_options(self._program)
        yield from ("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session")
        yield from ("--uid", str(UID), "--gid", str(UID), "--hostname", "sandbox", "--cap-drop", "ALL")
        if "--disable-userns" in options:
            yield "--disable-userns"
        yield from self._mounts("--size" in options)
        for path in ("/dev", "/"):
            yield from ("--remount-ro", path)
        yield "--clearenv"
        for name, value in {**default_env(home=HOME, temp="/tmp"), **self.spec.env, **env}.items():
            yield from ("--setenv", name, value)

    def _mounts(self, sized: bool) -> Iterator[str]:
        yield from _system()
        yield from self._stubs()
        yield from ("--proc", "/proc", *_covered_proc(), "--dev", "/dev")
        for path in ("/tmp", "/dev/shm"):
            if sized:
                yield from ("--size", str(self.spec.limits.memory_bytes // 2))
            yield from ("--tmpfs", path)
        for mount in self.spec.mounts:
            if not _already_there(mount):
                yield from ("--ro-bind", str(mount.host), str(mount.inside))
        yield from ("--bind", str(self.directory.home), HOME)
        yield from ("--bind", str(self.directory.work), str(self._workdir))

    def _stubs(self) -> Iterator[str]:
        folder = self.directory.root / "etc"
        folder.mkdir(exist_ok=True)
        for name, text in STUBS.items():
            path = folder / name
            if not path.exists():
                path.write_text(text, encoding="utf-8")
            yield from ("--ro-bind", str(path), f"/etc/{name}")


def find_bwrap() -> str:
    """The program's path. Raises SandboxUnavailable when it is not installed."""
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxUnavailable("bubblewrap is not installed (the package is called `bubblewrap`)")
    return program


@lru_cache(maxsize=4)
def known_options(program: str) -> frozenset[str]:
    """The long options that this bubblewrap understands; older ones lack some."""
    result = subprocess.run([program, "--help"], capture_output=True, text=True, check=False, timeout=10)
    words = (result.stdout + result.stderr).split()
    return frozenset(word for word in words if word.startswith("--"))


def _system() -> Iterator[str]:
    for name in (*SYSTEM, *ETC):
        path = Path(name)
        if path.is_symlink() and name in SYSTEM:
            yield from ("--symlink", str(path.readlink()), name)
        elif path.exists():
            yield from ("--ro-bind", str(path.resolve()), name)


def _covered_proc() -> Iterator[str]:
    """Read-only covers for the parts of /proc that act on the whole machine.

    A caller who is root stays root to the kernel in its files' eyes, with no capability left: the new /proc
    would let the command write `kernel/core_pattern`, which the host then runs as root.
    """
    # Processes come and go while this looks: their entries are left out before anything asks about them.
    machine_wide = [entry for entry in os.scandir("/proc") if not entry.name.isdigit()]
    for entry in sorted(machine_wide, key=lambda entry: entry.name):
        mode = entry.stat(follow_symlinks=False).st_mode
        writable_file = stat.S_ISREG(mode) and mode & 0o222
        if stat.S_ISDIR(mode) or writable_file:
            yield from ("--ro-bind", entry.path, entry.path)


def _already_there(mount: Mount) -> bool:
    """Whether the system mounts show this path already; their folders cannot take a mount point."""
    return mount.host == Path(mount.inside) and any(mount.inside.is_relative_to(name) for name in SYSTEM)


def _free_place(taken: Sequence[PurePosixPath]) -> PurePosixPath:
    """The first working directory that no mount lies in, so that no mount point is made in the checkout."""
    for place in map(PurePosixPath, _WORK_PLACES):
        if not any(path.is_relative_to(place) or place.is_relative_to(path) for path in taken):
            return place
    raise ValueError(f"the mounts occupy {' and '.join(_WORK_PLACES)}; one of them must stay free")
