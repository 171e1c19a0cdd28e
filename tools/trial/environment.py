"""Environments with a bundle's libraries: the one the user names, or one built from the requirements."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from policies.records import Bundle, Rehearsal
from tools.progress import Progress, silent
from tools.sandbox.base import SandboxName
from tools.trial.base import Environment, EnvironmentResult
from tools.trial.environment_build import Options, build_environment
from tools.trial.environment_install import Installer
from tools.trial.environment_probe import named_environment
from tools.trial.environment_requirements import pyproject_failure, read_requirements


def default_cache_root() -> Path:
    """`$SUTURE_CACHE`, or `suture` in the user's cache directory (XDG base directory specification)."""
    if own := os.environ.get("SUTURE_CACHE"):
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(shared) if shared.startswith("/") else Path.home() / ".cache"
    return base / "suture"


def resolve_environment(
    spec: str,
    bundle: Bundle,
    *,
    cache_root: Path,
    installer: Installer = "pip",
    progress: Progress = silent,
    sandbox: SandboxName = "auto",
    pip_args: Sequence[str] | None = None,
) -> EnvironmentResult:
    """An environment for the bundle; `installed` is left to the caller.

    Args:
        spec: `auto`, or the path of an interpreter or of a virtual environment.
        sandbox: where source-only requirements are built.
        pip_args: further arguments of the installer; those of `$SUTURE_PIP_ARGS` unless given.

    Raises:
        UsageError: `spec` names nothing that runs, or uv is not installed.
        EnvironmentUnavailable: the network, the disk or the installer failed.
    """
    if spec != "auto":
        return EnvironmentResult(named_environment(spec))
    given = shlex.split(os.environ.get("SUTURE_PIP_ARGS", "")) if pip_args is None else pip_args
    options = Options(cache_root.absolute(), installer, sandbox, tuple(given), progress)
    return build_environment(bundle, options)


def install_rehearsal(bundle: Bundle, environment_result: EnvironmentResult, wall_s: float) -> Rehearsal:
    """Whether the bundle's `pyproject.toml` says validly what it needs, and whether that can be had."""
    failure = pyproject_failure(bundle) or environment_result.failure
    environment = environment_result.environment
    notes = [*environment.notes, *absent(bundle, environment)] if environment else []
    return Rehearsal(
        phase="install",
        run_id="",
        status="failed" if failure else "passed",
        wall_s=wall_s,
        failure=failure,
        note=" ".join(notes),
    )


def absent(bundle: Bundle, environment: Environment) -> Iterator[str]:
    """What a named interpreter lacks. It says nothing about the bundle: such an environment is shared."""
    if environment.built:
        return
    missing = []
    for requirement in read_requirements(bundle).requirements:
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        version = environment.versions.get(canonicalize_name(requirement.name))
        if version is None:
            missing.append(str(requirement))
        elif not requirement.specifier.contains(version, prereleases=True):
            missing.append(f"{requirement} (it has {version})")
    if missing:
        yield f"Not in the given interpreter: {', '.join(missing)}."
