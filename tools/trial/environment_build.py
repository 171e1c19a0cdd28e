"""Builds the environment of a bundle's requirements once and finds it again by content.

Wheels only, and the bundle itself is not installed: no code of the bundle or of a package runs on the host.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from policies.errors import UsageError
from policies.records import Bundle, Failure
from policies.requirements import name_of
from tools.progress import Progress
from tools.sandbox.base import SandboxName
from tools.trial.base import EnvironmentResult
from tools.trial.environment_install import Installer, Outcome, install, installer_env, uv_links
from tools.trial.environment_pins import Plan, key_of, plans
from tools.trial.environment_probe import built_environment
from tools.trial.environment_requirements import PYPROJECT, read_requirements
from tools.trial.environment_share import share_files
from tools.trial.environment_source import SourceBuilder, needed_ahead
from tools.trial.environment_venv import Base, Site, building, find_base

MAX_SOURCE_ROUNDS = 8
_NOT_A_REQUIREMENT = re.compile(r"^\s*(name|version|description|readme|authors|#).*")
GPU_NOTE = (
    "torch came with its GPU libraries, which rehearsals do not use; an index with CPU builds, "
    "given in SUTURE_PIP_ARGS, saves several GB."
)


@dataclass(frozen=True)
class Options:
    """How environments are built."""

    cache_root: Path
    installer: Installer
    sandbox: SandboxName
    """Where wheels are built of what is published as source only."""
    pip_args: tuple[str, ...]
    """Given to every call of the installer, e.g. `--index-url`."""
    progress: Progress


def build_environment(bundle: Bundle, options: Options) -> EnvironmentResult:
    """The environment of the bundle's requirements, from the cache or built now.

    Raises:
        EnvironmentUnavailable: the network, the disk or the installer failed.
        UsageError: uv was asked for and is not installed.
    """
    program = _uv() if options.installer == "uv" else ""
    declared = read_requirements(bundle)
    base, python_note = find_base(declared.python)
    ways = plans(declared.requirements)
    key = key_of(ways[0], base.tag, options.installer, *options.pip_args)
    root = options.cache_root / "envs" / key
    with building(root, base, progress=options.progress, with_pip=False) as site:
        if not site.ready:
            done = _Filling(site, base, options, program).fill(ways)
            if isinstance(done, Outcome):
                return EnvironmentResult(None, _failure(done, bundle))
            share_files(root / "lib", options.cache_root / "files")
            site.complete(json.dumps({"lines": done.lines, "note": done.note}))
        note = json.loads(site.text)["note"]
    notes = tuple(filter(None, (*declared.notes, python_note, note)))
    environment = built_environment(root, base.facts, key, notes)
    if any(name.startswith("nvidia-") for name in environment.versions):
        environment = replace(environment, notes=(*notes, GPU_NOTE))
    return EnvironmentResult(environment)


class _Filling:
    """Puts requirements into a fresh environment."""

    def __init__(self, site: Site, base: Base, options: Options, uv: str) -> None:
        self._site = site
        self._options = options
        self._uv = uv
        self._sources = SourceBuilder(
            base,
            options.cache_root,
            sandbox=options.sandbox,
            pip_args=options.pip_args,
            progress=options.progress,
        )

    def fill(self, ways: Sequence[Plan]) -> Plan | Outcome:
        """The first way that works, or why the last one does not."""
        names = frozenset(name_of(line) for line in ways[0].lines)
        for pin in needed_ahead(names):
            self._sources.provide(pin)
        outcome = Outcome("done")
        for plan in ways:
            outcome = self._try(plan)
            if outcome.kind == "done":
                return plan
            if _is_final(outcome, plan, ways[-1]):
                break
        return outcome

    def _try(self, plan: Plan) -> Outcome:
        """Install a plan; what has no wheel is built from source, and the plan tried again."""
        outcome = Outcome("done")
        tried: set[str] = set()
        for _ in range(MAX_SOURCE_ROUNDS):
            outcome = self._install(plan)
            fresh = set(outcome.missing) - tried
            tried |= fresh
            if not fresh or not all(self._sources.provide(text) for text in sorted(fresh)):
                return self._explained(outcome)
        return outcome

    def _explained(self, outcome: Outcome) -> Outcome:
        reason = self._sources.reason
        if outcome.kind != "missing" or not reason:
            return outcome
        return replace(outcome, message=f"{outcome.message}, and its source does not build: {reason}")

    def _install(self, plan: Plan) -> Outcome:
        if not plan.lines:
            return Outcome("done")
        constraints = self._site.root / "constraints.txt"
        constraints.write_text("".join(f"{line}\n" for line in plan.constraints), encoding="utf-8")
        self._sources.wheels.mkdir(parents=True, exist_ok=True)
        pip = (self._sources.pip(), "-m", "pip", "--python", self._site.python)
        argv: tuple[str | Path, ...] = (*pip, "install", "--progress-bar", "off")
        if self._uv:
            argv = (self._uv, "pip", "install", "--python", self._site.python, *uv_links())
        options: tuple[str | Path, ...] = (
            "--only-binary",
            ":all:",
            "--find-links",
            self._sources.wheels,
            *self._options.pip_args,
        )
        self._options.progress(f"installing {len(plan.lines)} requirements")
        env = installer_env()
        return install(
            (*argv, *options, "-c", constraints, *plan.lines), env=env, progress=self._options.progress
        )


def _is_final(outcome: Outcome, plan: Plan, loosest: Plan) -> bool:
    """Whether giving up pins cannot help: what failed is the bundle's own requirement, as it stands."""
    if outcome.kind == "missing":
        own = {text.replace(" ", "") for text in loosest.lines}
        return any(text.replace(" ", "") in own for text in outcome.missing)
    return plan.lines == loosest.lines and "(constraint)" not in outcome.tail


def _uv() -> str:
    program = shutil.which("uv")
    if program is None:
        raise UsageError("the installer uv was asked for and is not on PATH; install it, or use pip")
    return program


def _failure(outcome: Outcome, bundle: Bundle) -> Failure:
    """An installation that cannot succeed, as a fact about the bundle."""
    named = outcome.missing or re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]*", outcome.message)
    return Failure(
        phase="install",
        exception="NoMatchingDistribution" if outcome.kind == "missing" else "VersionConflict",
        message=outcome.message,
        file=PYPROJECT,
        line=_line_naming(bundle.files.get(PYPROJECT, ""), {name_of(text) for text in named}),
        tail=outcome.tail,
    )


def _line_naming(text: str, names: set[str]) -> int:
    """The first line of `text` that states one of the distributions; 0 when none does."""
    spelled = "|".join(re.escape(name).replace(r"\-", "[-_.]+") for name in sorted(names) if name)
    for number, line in enumerate(text.splitlines(), start=1):
        if spelled and re.search(
            rf"(?<![\w.-])(?:{spelled})(?![\w-])", _NOT_A_REQUIREMENT.sub("", line), re.I
        ):
            return number
    return 0
