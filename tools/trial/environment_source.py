"""Wheels for what is published as source only: fetched as bytes, built in a sandbox that has no network.

An installer would run a package's setup code with the network up and the user's files in reach.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import ssl
import tarfile
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import Version

from policies.errors import EnvironmentUnavailable
from tools.progress import Progress
from tools.sandbox.base import Limits, Mount, SandboxName, SandboxSpec
from tools.sandbox.open import open_sandbox
from tools.trial.environment_install import classify, install, installer_env, run_installer
from tools.trial.environment_probe import built_environment
from tools.trial.environment_venv import Base, building

SOURCE_ONLY = {
    "antlr4-python3-runtime==4.9.3": ("hydra-core", "omegaconf"),
    "rouge-score==0.1.2": ("rouge-score",),
    "seqeval==1.2.2": ("seqeval",),
}
"""Pins of the reference stack that have no wheel, with the requirements that bring them: built ahead."""
MAX_SOURCE_BYTES = 200 * 2**20
BUILD_WALL_S = 300.0
_LINK = re.compile(r"No sources permitted for \S+: (\S+?)(?:#sha256=([0-9a-f]{64}))? \(from ")
_BACKEND = ("setuptools", "wheel")


@dataclass(frozen=True)
class Source:
    """A source distribution on an index."""

    url: str
    sha256: str
    version: Version

    @property
    def filename(self) -> str:
        """Its file name."""
        return unquote(urlsplit(self.url).path.rsplit("/", 1)[-1])


class SourceBuilder:
    """Builds wheels into `cache_root/wheels/...` for one base interpreter."""

    def __init__(
        self,
        base: Base,
        cache_root: Path,
        *,
        sandbox: SandboxName,
        pip_args: Sequence[str],
        progress: Progress,
    ) -> None:
        self.wheels = cache_root / "wheels" / base.tag
        self._base = base
        self._cache_root = cache_root
        self._sandbox = sandbox
        self._pip_args = tuple(pip_args)
        self._progress = progress
        self.reason = ""
        """Why the last source that was found did not build."""

    def provide(self, text: str) -> bool:
        """Have a wheel for a requirement in `wheels`; False when it has no source or does not build.

        Raises EnvironmentUnavailable when the network, the disk or the sandbox fails.
        """
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            return False
        if self._have(requirement):
            return True
        source = self._find(requirement)
        if source is None:
            return False
        self._progress(f"building a wheel of {source.filename}")
        data = fetch(source)
        return self._build(requirement, source, data)

    def _have(self, requirement: Requirement) -> bool:
        name = canonicalize_name(requirement.name).replace("-", "_")
        versions = (path.name.split("-")[1] for path in self.wheels.glob("*.whl") if _stem(path) == name)
        return any(requirement.specifier.contains(version, prereleases=True) for version in versions)

    def pip(self) -> Path:
        """The interpreter of an environment with pip and nothing else."""
        return self._tools(())

    def _find(self, requirement: Requirement) -> Source | None:
        """The newest source that satisfies the requirement, from what pip says it may not use."""
        plain = f"{requirement.name}{requirement.specifier}"
        folder = self._cache_root / "builders" / "none"
        options: tuple[str | Path, ...] = ("-vv", "--no-deps", "--only-binary", ":all:", "--dest", folder)
        argv = (self.pip(), "-m", "pip", "download", *options, *self._pip_args, plain)
        output, code = run_installer(argv, env=installer_env(), progress=self._progress)
        found = [_source(url, digest, requirement) for url, digest in _LINK.findall(output)]
        if code != 0 and not found:
            classify(output)
        return max((s for s in found if s), key=lambda s: s.version, default=None)

    def _tools(self, requires: Sequence[str]) -> Path:
        """The interpreter of an environment with build tools, made of wheels alone."""
        wanted = sorted({*requires, "pip>=22.3"})
        digest = hashlib.sha256("\n".join((self._base.tag, *wanted)).encode()).hexdigest()[:16]
        root = self._cache_root / "builders" / digest

        with building(root, self._base, progress=self._progress) as site:
            if not site.ready:
                pip: tuple[str | Path, ...] = (site.python, "-m", "pip", "install", "--only-binary", ":all:")
                argv = (*pip, *self._pip_args, *wanted)
                outcome = install(argv, env=installer_env(), progress=self._progress)
                if outcome.kind != "done":
                    names = ", ".join(wanted)
                    raise EnvironmentUnavailable(f"the build tools {names} cannot be had: {outcome.message}")
                site.complete()
        return site.python

    def _build(self, requirement: Requirement, source: Source, data: bytes) -> bool:
        """Ask the source what else it needs, then build it with that."""
        system = build_system(data, source.filename)
        stated = tuple(map(str, system["requires"]))
        python = self._tools(stated)
        asked = self._inside(python, source, data, ("hook.py", source.filename, json.dumps(system)))
        if isinstance(asked, str):
            return self._say(asked)
        more = _last_line(asked[0])
        if more:
            python = self._tools((*stated, *more))
        options = ("--no-index", "--no-deps", "--no-build-isolation", "--use-pep517", "--no-cache-dir")
        argv = ("-m", "pip", "wheel", *options, "--wheel-dir", "out", source.filename)
        done = self._inside(python, source, data, argv)
        if isinstance(done, str):
            return self._say(done)
        if len(done[1]) != 1 or not _is_of(next(iter(done[1])), requirement, source):
            return self._say(f"it gives {', '.join(done[1]) or 'no wheel'}")
        return self._keep(*next(iter(done[1].items())))

    def _inside(
        self, python: Path, source: Source, data: bytes, argv: Sequence[str]
    ) -> tuple[bytes, dict[str, bytes]] | str:
        """Run the build interpreter in a fresh sandbox: its output and wheels, or what went wrong."""
        environment = built_environment(python.parent.parent, self._base.facts, "", ())
        mounts = tuple(Mount(path, PurePosixPath(path)) for path in environment.prefixes)
        spec = SandboxSpec(mounts=mounts, limits=Limits(memory_bytes=4 * 2**30))
        with open_sandbox(self._sandbox, spec) as sandbox:
            sandbox.write(PurePosixPath(source.filename), data)
            sandbox.write(
                PurePosixPath("hook.py"), Path(__file__).with_name("environment_hook.py").read_bytes()
            )
            result = sandbox.run((str(python), *argv), timeout_s=BUILD_WALL_S)
            if result.returncode != 0:
                lines = (result.stderr or result.stdout).decode("utf-8", "replace").strip().splitlines()
                return (lines or [f"it was {result.status} {result.reason}"])[-1]
            built = [f.path for f in sandbox.list_files() if f.path.match("out/*.whl")]
            return result.stdout, {path.name: sandbox.read(path) for path in built}

    def _say(self, reason: str) -> bool:
        self.reason = reason
        return False

    def _keep(self, name: str, data: bytes) -> bool:
        self.wheels.mkdir(parents=True, exist_ok=True)
        fresh = self.wheels / f".{os.getpid()}-{name}"
        fresh.write_bytes(data)
        fresh.replace(self.wheels / name)
        return True


def needed_ahead(names: frozenset[str]) -> tuple[str, ...]:
    """The source-only pins that these requirements bring along."""
    return tuple(pin for pin, triggers in SOURCE_ONLY.items() if names & set(triggers))


def fetch(source: Source) -> bytes:
    """The bytes of a source distribution, checked against the index's hash. Executes nothing."""
    context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    try:
        with urllib.request.urlopen(source.url, timeout=60, context=context) as reply:
            data: bytes = reply.read(MAX_SOURCE_BYTES + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise EnvironmentUnavailable(f"{source.filename} cannot be fetched: {error}") from error
    if len(data) > MAX_SOURCE_BYTES:
        raise EnvironmentUnavailable(f"{source.filename} is larger than {MAX_SOURCE_BYTES} bytes")
    if source.sha256 and hashlib.sha256(data).hexdigest() != source.sha256:
        raise EnvironmentUnavailable(f"{source.filename} does not have the hash that the index gives")
    return data


def build_system(data: bytes, filename: str) -> dict[str, Any]:  # parsed TOML has no narrower type
    """The table `[build-system]` of a source distribution (PEP 518); the default when it has none."""
    try:
        system = tomllib.loads(_member(data, filename))["build-system"]
    except (KeyError, ValueError, OSError, tarfile.TarError, zipfile.BadZipFile):
        system = None
    valid = isinstance(system, dict) and isinstance(system.get("requires"), list)
    return system if valid else {"requires": list(_BACKEND)}


def _member(data: bytes, filename: str) -> str:
    """The text of the archive's top-level pyproject.toml. Raises KeyError when there is none."""
    if filename.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            name = next((n for n in archive.namelist() if re.fullmatch(r"[^/]+/pyproject\.toml", n)), "")
            return archive.read(name).decode()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            if re.fullmatch(r"[^/]+/pyproject\.toml", member.name):
                file = tar.extractfile(member)
                return file.read(2**20).decode() if file else ""
    raise KeyError("pyproject.toml")


def _source(url: str, digest: str, requirement: Requirement) -> Source | None:
    """The link as a source that satisfies the requirement; None for any other file."""
    filename = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
    try:
        name, version = parse_sdist_filename(filename)
    except InvalidSdistFilename:
        return None
    fits = requirement.specifier.contains(version)
    return Source(url, digest, version) if fits and name == canonicalize_name(requirement.name) else None


def _stem(path: Path) -> str:
    return canonicalize_name(path.name.split("-")[0]).replace("-", "_")


def _last_line(output: bytes) -> tuple[str, ...]:
    """The JSON list that the hook prints last; a build that prints something else needs nothing more."""
    try:
        value = json.loads(output.decode("utf-8", "replace").strip().splitlines()[-1])
    except (ValueError, IndexError):
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _is_of(wheel: str, requirement: Requirement, source: Source) -> bool:
    """Whether the wheel's file name carries the name and version that were asked for."""
    name, version = wheel.split("-")[:2]
    return (
        canonicalize_name(name) == canonicalize_name(requirement.name) and Version(version) == source.version
    )
