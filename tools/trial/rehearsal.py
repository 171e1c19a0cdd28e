"""Rehearses bundles in the sandbox: install, compose, trial. Owns their order and what is kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Literal

from policies.base import Api, Evidence
from policies.codemods import apply_codemods
from policies.contract import STANDARD, Contract
from policies.errors import BackendError, UsageError
from policies.parsed import ParsedBundle
from policies.records import Bundle, Phase, Rehearsal
from policies.registry import checks_for
from tools.doubles.hub.store import ensure_store
from tools.progress import Progress, silent
from tools.sandbox import cleanup
from tools.sandbox.base import Limits, SandboxName, SandboxSpec
from tools.sandbox.open import open_sandbox
from tools.trial.api_index import index_environment
from tools.trial.base import Environment, EnvironmentResult
from tools.trial.environment import default_cache_root, install_rehearsal, resolve_environment
from tools.trial.environment_install import Installer
from tools.trial.project_requirements import install_of_project, project_bundle
from tools.trial.report import TrialReport
from tools.trial.stage import Stage
from tools.trial.tests_run import rehearse_tests
from tools.trial.trial import rehearse_compose, rehearse_trial

HubMode = Literal["double", "real"]
REQUIREMENT_STAGES = range(20, 30)
"""Fixing order of the checks that are about requirements."""


class SandboxRehearser:
    """A `Rehearser`. The environment and the hub's store are found once and kept."""

    def __init__(
        self,
        *,
        sandbox: SandboxName = "auto",
        env: str = "auto",
        cache_root: Path | None = None,
        installer: Installer = "pip",
        pip_args: Sequence[str] | None = None,
        hub: HubMode = "double",
        limits: Limits | None = None,
        trial_wall_s: float = 300.0,
        progress: Progress = silent,
        jobs: int | None = None,
    ) -> None:
        """Nothing is started here.

        Args:
            env: `auto`, or the path of an interpreter that has the bundle's libraries.
            pip_args: more arguments for pip when an environment is built, such as a local index.
            trial_wall_s: wall-clock limit of one trial; running on is a failure.
            jobs: trials at the same time; one per processor, at most two, unless told.

        Raises UsageError for `hub="real"`, which no sandbox here can offer: none has a network.
        """
        if hub == "real":
            raise UsageError("hub 'real' needs a sandbox with a network, and none has one; use 'double'")
        self._sandbox = sandbox
        self._env = env
        self._cache_root = cache_root or default_cache_root()
        self._installer = installer
        self._pip_args = pip_args
        self._limits = limits or Limits()
        self._trial_wall_s = trial_wall_s
        self._progress = progress
        self._jobs = jobs or min(2, os.cpu_count() or 1)
        self._resolved: dict[str, tuple[EnvironmentResult, float]] = {}
        self._stores: dict[str, Path] = {}
        self._installed: Mapping[str, Api] = {}

    @property
    def installed(self) -> Mapping[str, Api]:
        """The APIs of the environment last used; empty before one is known."""
        return self._installed

    def environment(self, bundle: Bundle) -> EnvironmentResult:
        """The environment for a bundle, resolved when its requirements were not seen before.

        Raises EnvironmentUnavailable or UsageError when the machine or the option is at fault.
        """
        return self._resolve(bundle)[0]

    def verify(self) -> None:
        """Fail now rather than later: the cache must be writable, the sandbox open, a named interpreter run.

        Raises BackendError, SandboxUnavailable among them, or UsageError for the interpreter.
        """
        _writable(self._cache_root)
        open_sandbox(self._sandbox, SandboxSpec())
        if self._env != "auto":
            self._resolve(Bundle(files={}))

    def rehearse(
        self,
        bundle: Bundle,
        contract: Contract,
        *,
        phases: Sequence[Phase] = ("install", "compose", "trial"),
        run_ids: Sequence[str] = (),
    ) -> tuple[Rehearsal, ...]:
        """See `Rehearser.rehearse`. Raises BackendError and UsageError only."""
        if contract.kind == "tests":
            return self._rehearse_tests(bundle, contract, phases)
        result, wall_s = self._resolve(bundle)
        runs = tuple(run_ids) or run_ids_of(bundle)
        found: list[Rehearsal] = []
        if "install" in phases:
            found.append(install_rehearsal(bundle, result, wall_s))
        wanted = [phase for phase in ("compose", "trial") if phase in phases]
        if result.environment is None:
            reason = result.failure.message if result.failure else "the requirements cannot be had"
            return (*found, *(skipped(p, r, f"No environment: {reason}") for p in wanted for r in runs))
        stage = self._stage(result.environment, bundle)
        blocked: frozenset[str] = frozenset()
        if "compose" in phases and runs:
            self._progress("composing the configs")
            composition = rehearse_compose(stage, bundle, contract, runs)
            found += composition.rehearsals
            blocked = composition.blocked
        if "trial" in phases:
            found = reconciled(found, self._trials(stage, bundle, contract, runs, blocked))
        return tuple(found)

    def _rehearse_tests(
        self, bundle: Bundle, contract: Contract, phases: Sequence[Phase]
    ) -> tuple[Rehearsal, ...]:
        """Install and test a plain project; it has no configs to compose and no doubles to be served."""
        wanted = project_bundle(bundle, contract)
        result, wall_s = self._resolve(wanted)
        found = [install_of_project(bundle, wanted, result, wall_s)] if "install" in phases else []
        if "trial" not in phases:
            return tuple(found)
        if result.environment is None:
            reason = result.failure.message if result.failure else "the requirements cannot be had"
            return (*found, skipped("trial", "", f"No environment: {reason}"))
        if "pytest" not in result.environment.versions:
            raise UsageError(f"{result.environment.python} has no pytest; name another, or use --env auto")
        self._progress(f"running the tests, at most {self._trial_wall_s:.0f} s")
        stage = Stage(self._sandbox, result.environment, None, self._limits)
        return (*found, rehearse_tests(stage, bundle, contract, wall_s=self._trial_wall_s))

    def _resolve(self, bundle: Bundle) -> tuple[EnvironmentResult, float]:
        """The environment of a bundle with what it took to get it; a named interpreter serves all bundles.

        `auto` gives a bundle what its imports need as well: that this is not declared is a finding, and the
        repaired bundle, which declares it, then runs in the same environment.
        """
        wanted = with_needed_requirements(bundle) if self._env == "auto" else bundle
        key = wanted.files.get("pyproject.toml", "") if self._env == "auto" else ""
        if key not in self._resolved:
            start = monotonic()
            result = resolve_environment(
                self._env,
                wanted,
                cache_root=self._cache_root,
                installer=self._installer,
                progress=self._progress,
                sandbox=self._sandbox,
                pip_args=self._pip_args,
            )
            self._resolved[key] = (result, monotonic() - start)
        result, wall_s = self._resolved[key]
        if result.environment is not None:
            self._installed = index_environment(result.environment.site_packages, cache_root=self._cache_root)
        return result, wall_s

    def _stage(self, environment: Environment, bundle: Bundle) -> Stage:
        """Everything a rehearsal in this environment needs, beside the bundle."""
        if environment.key not in self._stores:
            self._stores[environment.key] = ensure_store(environment, self._cache_root, self._progress)
        return Stage(self._sandbox, environment, self._stores[environment.key], self._limits)

    def _trials(
        self, stage: Stage, bundle: Bundle, contract: Contract, runs: Sequence[str], blocked: frozenset[str]
    ) -> list[Rehearsal]:
        """The trials of all runs, some at the same time, in run order."""

        starting = [run_id for run_id in runs if run_id not in blocked]
        report = TrialReport(self._progress, starting, jobs=self._jobs, wall_s=self._trial_wall_s)
        report.begin()

        def one(run_id: str) -> Rehearsal:
            if run_id in blocked:
                return skipped("trial", run_id, "Not started: the entry module's config does not compose.")
            rehearsal = rehearse_trial(stage, bundle, contract, run_id, wall_s=self._trial_wall_s)
            report.end(rehearsal)
            return rehearsal

        return in_parallel(one, runs, self._jobs)


def with_needed_requirements(bundle: Bundle) -> Bundle:
    """The bundle with the `pyproject.toml` that the codemods for requirements make of it."""
    checks = [check for check in checks_for(STANDARD.kind) if check.STAGE in REQUIREMENT_STAGES]
    repaired = apply_codemods(ParsedBundle(bundle, STANDARD), Evidence(), checks).bundle
    text = repaired.files.get("pyproject.toml")
    return bundle if text is None else bundle.with_file("pyproject.toml", text)


def _writable(cache_root: Path) -> None:
    try:
        cache_root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_root):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        raise BackendError(
            f"the cache {cache_root} cannot be written: {why}; set SUTURE_CACHE to a folder that can"
        ) from error


def run_ids_of(bundle: Bundle) -> tuple[str, ...]:
    """The run ids that a bundle's run configs stand for."""
    names = (PurePosixPath(path) for path in sorted(bundle.run_configs))
    return tuple(path.stem for path in names if path.suffix in (".yaml", ".yml"))


def skipped(phase: str, run_id: str, note: str) -> Rehearsal:
    """A rehearsal that did not take place."""
    return Rehearsal.model_validate(
        {"phase": phase, "run_id": run_id, "status": "skipped", "wall_s": 0.0, "note": note}
    )


def reconciled(before: Sequence[Rehearsal], trials: Sequence[Rehearsal]) -> list[Rehearsal]:
    """All rehearsals, where a trial that passed overrules what composing a module on its own suggested."""
    passed = {rehearsal.run_id for rehearsal in trials if rehearsal.status == "passed"}
    found = []
    for one in before:
        if one.phase == "compose" and one.status == "failed" and one.run_id in passed and one.failure:
            note = f"{one.note} On its own {one.failure.file} fails: {one.failure.message}".strip()
            one = one.model_copy(update={"status": "passed", "failure": None, "note": note})
        found.append(one)
    return [*found, *trials]


def in_parallel(work: Callable[[str], Rehearsal], items: Sequence[str], jobs: int) -> list[Rehearsal]:
    """Results in the order of the items. When interrupted, what runs is ended rather than waited for."""
    if jobs == 1 or len(items) < 2:
        return [work(item) for item in items]
    cleanup.arm()
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            cleanup.abort_all()
            raise
