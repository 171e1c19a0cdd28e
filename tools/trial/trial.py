"""One compose and one trial rehearsal in the sandbox, from the commands to the records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath

from policies.contract import Contract
from policies.parsed import parse_module
from policies.records import Bundle, Failure, Proof, Rehearsal
from tools.doubles.hub.store import hub_env
from tools.sandbox.base import ExecResult, Sandbox
from tools.trial.command import trial_command
from tools.trial.compose import Composition, compose_job, judge, read_answers
from tools.trial.failure import output_tail, parse_failure
from tools.trial.hydra_mains import hydra_mains
from tools.trial.inside.launch import HARNESS_FAULT
from tools.trial.proof import proof_of, written
from tools.trial.stage import CHECKOUT, HUB, Stage, read_or_empty, script

COMPOSE_WALL_S = 120.0
JOB = PurePosixPath("job.json")


def rehearse_compose(stage: Stage, bundle: Bundle, contract: Contract, run_ids: Sequence[str]) -> Composition:
    """Compose every run's config by the bundle's own Hydra, all in one process."""
    mains = hydra_mains(bundle)
    if not any(not main.registers_configs for main in mains):
        return judge(bundle, contract, mains, run_ids, ())
    with stage.set(bundle) as sandbox:
        sandbox.write(JOB, compose_job(contract, mains, run_ids, str(CHECKOUT)))
        argv = [str(stage.environment.python), script(sandbox, "compose.py"), str(JOB)]
        result = sandbox.run(argv, timeout_s=COMPOSE_WALL_S)
        answers = read_or_empty(sandbox, "answers.json")
        if not answers:
            failure = parse_failure("compose", result, list(bundle.tree), str(sandbox.workdir / CHECKOUT))
            return Composition(tuple(failed_compose(run_id, result, failure) for run_id in run_ids))
    return judge(bundle, contract, mains, run_ids, read_answers(answers))


def failed_compose(run_id: str, result: ExecResult, failure: Failure) -> Rehearsal:
    """Hydra did not get as far as answering for any run."""
    return Rehearsal(phase="compose", run_id=run_id, status="failed", wall_s=result.wall_s, failure=failure)


def rehearse_trial(
    stage: Stage, bundle: Bundle, contract: Contract, run_id: str, *, wall_s: float
) -> Rehearsal:
    """Run the contract's trial command for one run, in a checkout of its own, with the probes in place."""
    text = bundle.files.get(contract.entry_file)
    if text is None:
        return Rehearsal(
            phase="trial",
            run_id=run_id,
            status="skipped",
            wall_s=0.0,
            note=f"{contract.entry_file} is missing.",
        )
    if parse_module(contract.entry_file, text).empty:
        return judged(bundle, contract, run_id, None, Proof(), "")
    with stage.set(bundle) as sandbox:
        sandbox.write(JOB, trial_job(stage, sandbox, contract, run_id, wall_s))
        argv = [str(stage.environment.python), "-I", "-S", script(sandbox, "launch.py"), str(JOB)]
        result = sandbox.run(argv, timeout_s=wall_s)
        proof = proof_of(
            read_or_empty(sandbox, "probe.jsonl"),
            read_or_empty(sandbox, "hub.jsonl"),
            written(sandbox.list_files(), CHECKOUT, bundle.tree, contract.cache_dir),
        )
        if result.returncode == HARNESS_FAULT and (reason := read_or_empty(sandbox, "launch-error.txt")):
            note = f"Could not be rehearsed: {reason.decode('utf-8', 'replace')}"
            return Rehearsal(phase="trial", run_id=run_id, status="skipped", wall_s=result.wall_s, note=note)
        return judged(bundle, contract, run_id, result, proof, str(sandbox.workdir / CHECKOUT))


def trial_job(stage: Stage, sandbox: Sandbox, contract: Contract, run_id: str, wall_s: float) -> bytes:
    """The job for `inside/launch.py`."""
    job = {
        "argv": trial_command(contract, run_id, str(stage.environment.python)),
        "cwd": str(CHECKOUT),
        "limit_s": wall_s,
        "probes": script(sandbox, "probes"),
        "hub": {
            "server": str(sandbox.path_inside(HUB) / "server.py"),
            "store": str(sandbox.path_inside(stage.store_mount)),
        },
        "hub_env": hub_env(0),
    }
    return json.dumps(job).encode()


def judged(
    bundle: Bundle, contract: Contract, run_id: str, result: ExecResult | None, proof: Proof, checkout: str
) -> Rehearsal:
    """Passed only with exit status 0 and proof that a step moved a parameter."""
    failure = None
    if result is not None and (result.status != "exited" or result.returncode != 0):
        failure = parse_failure("trial", result, list(bundle.tree), checkout)
    elif not proof.trained:
        failure = no_work(contract, proof, output_tail(result) if result else None)
    return Rehearsal(
        phase="trial",
        run_id=run_id,
        status="failed" if failure else "passed",
        wall_s=result.wall_s if result else 0.0,
        failure=failure,
        proof=proof,
    )


def no_work(contract: Contract, proof: Proof, tail: str | None) -> Failure:
    """The program ended well without having trained; `tail` is None when there was nothing to run."""
    counted = (
        f"{proof.optimizer_steps} optimizer steps, {proof.backward_passes} backward passes and "
        f"{proof.batches} batches were counted"
    )
    if tail is None:
        message = f"{contract.entry_file} holds no statement"
    elif proof.optimizer_steps:
        message = f"exit status 0, but no parameter moved: {counted}"
    else:
        message = f"exit status 0, but nothing was trained: {counted}"
    return Failure(
        phase="trial", exception="NoWork", message=message, file=contract.entry_file, tail=tail or ""
    )
