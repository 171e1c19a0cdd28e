"""Virtual environments that are built once: under a lock, in place, with a marker when they are complete."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from policies.errors import EnvironmentUnavailable, UsageError
from tools.progress import Progress
from tools.trial.environment_probe import base_python, probe

_MARKER = ".complete"
_CACHE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}
_NEWEST_MINOR = 14
_VENV_S = 180.0


@dataclass(frozen=True)
class Base:
    """The interpreter that environments are made from."""

    python: Path
    facts: dict[str, Any]  # parsed JSON has no narrower type

    @property
    def version(self) -> str:
        """Full version, e.g. `3.11.7`."""
        return ".".join(map(str, self.facts["version"]))

    @property
    def tag(self) -> str:
        """Version and platform: environments of the same tag can share wheels."""
        return f"{self.facts['implementation']}-{self.version}-{self.facts['platform']}"


class Site:
    """A virtual environment in the making, or one that is ready."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ready = (root / _MARKER).is_file()

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.root / "bin" / "python"

    @property
    def text(self) -> str:
        """What was written when it was completed."""
        return (self.root / _MARKER).read_text(encoding="utf-8")

    def complete(self, text: str = "") -> None:
        """Mark it as usable; without this it is removed."""
        fresh = self.root / f"{_MARKER}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.root / _MARKER)
        self.ready = True


def find_base(wanted: SpecifierSet) -> tuple[Base, str]:
    """An interpreter that `requires-python` admits, our own first; and a note when there is none.

    Raises EnvironmentUnavailable when not even our own can be described.
    """
    own = base_python()
    names = (shutil.which(f"python3.{minor}") for minor in range(_NEWEST_MINOR, 8, -1))
    for candidate in (own, *(Path(name) for name in names if name)):
        try:
            base = Base(candidate, probe(candidate))
        except UsageError as error:
            if candidate == own:
                raise EnvironmentUnavailable(str(error)) from error
            continue
        if wanted.contains(base.version, prereleases=True):
            return base, ""
    base = Base(own, probe(own))
    return base, f"No interpreter here satisfies `requires-python = {wanted}`; took Python {base.version}."


@contextmanager
def building(root: Path, base: Base, *, progress: Progress, with_pip: bool = True) -> Iterator[Site]:
    """The environment at `root`, ready or fresh and empty, while no other process can touch it.

    What is not completed is removed, also what a killed process left. Raises EnvironmentUnavailable when the
    cache cannot be written.
    """
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with _locked(root.with_name(root.name + ".lock"), progress):
            site = Site(root)
            if not site.ready:
                _make(root, base, with_pip)
            try:
                yield site
            finally:
                if not site.ready:
                    shutil.rmtree(root, ignore_errors=True)
    except OSError as error:
        if error.errno not in _CACHE_ERRORS:
            raise
        reason = f"the cache {root.parent.parent} cannot be written: {error.strerror}"
        raise EnvironmentUnavailable(f"{reason}. Free space, or set SUTURE_CACHE elsewhere") from error


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another process that builds the same environment")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(root: Path, base: Base, with_pip: bool) -> None:
    shutil.rmtree(root, ignore_errors=True)
    options = () if with_pip else ("--without-pip",)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    argv = (str(base.python), "-I", "-m", "venv", *options, str(root))
    try:
        result = subprocess.run(argv, capture_output=True, text=True, env=env, timeout=_VENV_S, check=False)
    except subprocess.TimeoutExpired as error:
        shutil.rmtree(root, ignore_errors=True)
        raise EnvironmentUnavailable(
            f"making a virtual environment took longer than {_VENV_S:.0f} s"
        ) from error
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise
    if result.returncode != 0:
        shutil.rmtree(root, ignore_errors=True)
        tail = ((result.stdout + result.stderr).strip().splitlines() or ["no output"])[-1]
        advice = "On Debian and Ubuntu the package python3-venv is needed"
        raise EnvironmentUnavailable(f"{base.python} cannot make a virtual environment: {tail}. {advice}")
