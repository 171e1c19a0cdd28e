"""The commands that act: fix, resume, review, rehearse.

Heavy imports happen inside the commands, so that `suture --help` answers at once.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli_run import INTERRUPTED, NOT_READY, READY
from agent.output import print_json
from policies.errors import Interrupted, UsageError
from tools.progress import Progress, silent

if TYPE_CHECKING:
    from agent.library_review import Judged
    from agent.results import RepairResult
    from agent.settings import Settings
    from policies.contract import Kind
    from policies.policy import Policy
    from policies.records import Phase, Rehearsal, Request, Verdict

app = typer.Typer(no_args_is_help=True, add_completion=False)


class SandboxChoice(StrEnum):
    """Where the bundle's code runs."""

    AUTO = "auto"
    BWRAP = "bwrap"
    DOCKER = "docker"
    UNSAFE_LOCAL = "unsafe-local"


class HubChoice(StrEnum):
    """Who answers for the Hugging Face Hub."""

    DOUBLE = "double"
    REAL = "real"


class LlmChoice(StrEnum):
    """Whether a model may be asked."""

    OFF = "off"
    AUTO = "auto"


class InstallerChoice(StrEnum):
    """What builds environments."""

    PIP = "pip"
    UV = "uv"


class FormatChoice(StrEnum):
    """How a verdict is printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class PhaseChoice(StrEnum):
    """What can be rehearsed."""

    INSTALL = "install"
    COMPOSE = "compose"
    TRIAL = "trial"


Input = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="A review transcript (.txt), a bundle JSON, a directory, or - for standard input.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data for programs on standard output.")]
Workspace = Annotated[Path, typer.Option(metavar="DIR", help="Where ledgers are made.")]
Sandbox = Annotated[SandboxChoice, typer.Option(help="Where the bundle's code runs.")]
Env = Annotated[
    str, typer.Option(metavar="auto|PYTHON", help="The interpreter that has the bundle's libraries.")
]
Installer = Annotated[InstallerChoice, typer.Option(help="What builds environments for --env auto.")]
Hub = Annotated[HubChoice, typer.Option(help="The offline double of the hub, or the real one.")]
Llm = Annotated[LlmChoice, typer.Option(help="auto: on when OPENAI_API_KEY or OPENAI_BASE_URL is set.")]
ModelName = Annotated[str | None, typer.Option("--model", metavar="NAME", help="The model to ask.")]
MaxAttempts = Annotated[int | None, typer.Option(min=1, metavar="N", help="Attempts at most. [default: 12]")]
MaxSeconds = Annotated[
    float | None, typer.Option(min=1, metavar="S", help="Seconds at most. [default: 3600]")
]
MaxTokens = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Tokens of the model at most. [default: 400000]")
]
MaxUsd = Annotated[float | None, typer.Option(min=0, metavar="USD", help="Cost of the model at most.")]
TrialSeconds = Annotated[float, typer.Option(min=1, metavar="S", help="Wall clock of one rehearsed trial.")]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        metavar="NAME|FILE",
        help="What the bundle is held to: standard, python-tests, or a .toml or .py file; repeatable.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]


@app.command()
def fix(
    source: Input,
    policy: Policies = None,
    workspace: Workspace = Path("workspace"),
    sandbox: Sandbox = SandboxChoice.AUTO,
    env: Env = "auto",
    installer: Installer = InstallerChoice.PIP,
    hub: Hub = HubChoice.DOUBLE,
    llm: Llm = LlmChoice.AUTO,
    model: ModelName = None,
    max_attempts: MaxAttempts = None,
    max_seconds: MaxSeconds = None,
    max_tokens: MaxTokens = None,
    max_usd: MaxUsd = None,
    trial_seconds: TrialSeconds = 300.0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Repair a rejected bundle until it is ready, or say why it is not."""
    from agent.library import repair

    settings = _settings(sandbox, env, installer, hub, llm, model, trial_seconds)
    settings = _with_budget(settings, max_attempts, max_seconds, max_tokens, max_usd)
    held_to = _policy(policy, source)
    request = _read(source, quiet, held_to.kind)
    with _progress(quiet) as progress:
        result = repair(request, workspace=workspace, settings=settings, progress=progress, policy=held_to)
    _deliver(result, as_json)


@app.command()
def resume(
    ledger: Annotated[
        Path, typer.Argument(metavar="LEDGER", help="The folder of a repair.", show_default=False)
    ],
    llm: Annotated[LlmChoice | None, typer.Option(help="Change whether a model may be asked.")] = None,
    model: ModelName = None,
    max_attempts: MaxAttempts = None,
    max_seconds: MaxSeconds = None,
    max_tokens: MaxTokens = None,
    max_usd: MaxUsd = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a repair that was interrupted or ran out of budget."""
    from agent.library import recorded_settings
    from agent.library import resume as go_on
    from tools.ledger import Ledger

    with Ledger.open(ledger) as book:
        settings = recorded_settings(book)
    changes = {"llm": llm.value if llm else settings.llm, "model": model or settings.model}
    settings = _with_budget(
        settings.model_copy(update=changes), max_attempts, max_seconds, max_tokens, max_usd
    )
    with _progress(quiet) as progress:
        result = go_on(ledger, settings=settings, progress=progress)
    _deliver(result, as_json)


@app.command()
def review(
    source: Input,
    policy: Policies = None,
    rehearse_too: Annotated[
        bool, typer.Option("--rehearse/--no-rehearse", help="Run the bundle in the sandbox as well.")
    ] = True,
    sandbox: Sandbox = SandboxChoice.AUTO,
    env: Env = "auto",
    installer: Installer = InstallerChoice.PIP,
    hub: Hub = HubChoice.DOUBLE,
    llm: Llm = LlmChoice.AUTO,
    model: ModelName = None,
    max_tokens: MaxTokens = None,
    max_usd: MaxUsd = None,
    trial_seconds: TrialSeconds = 300.0,
    quiet: Quiet = False,
    form: Annotated[
        FormatChoice, typer.Option("--format", help="For people, for programs, or for code-scanning viewers.")
    ] = FormatChoice.TEXT,
    as_json: AsJson = False,
) -> None:
    """Judge a bundle; changes nothing."""
    from tools.plain_text import one_line

    if as_json and form is FormatChoice.SARIF:
        raise UsageError("--json and --format sarif exclude each other")
    settings = _settings(sandbox, env, installer, hub, llm, model, trial_seconds)
    settings = _with_budget(settings, None, None, max_tokens, max_usd)
    held_to = _policy(policy, source)
    request = _read(source, quiet, held_to.kind)
    with _progress(quiet) as progress:
        judged = _judged(request, settings, held_to, progress, rehearse_too)
    for note in () if quiet else judged.notes:
        sys.stderr.write(f"note: {one_line(note)}\n")
    verdict = judged.verdict
    _print_verdict(verdict, judged.rehearsals, request, held_to, FormatChoice.JSON if as_json else form)
    raise typer.Exit(READY if verdict.is_code_ready else NOT_READY)


@app.command()
def rehearse(
    source: Input,
    policy: Policies = None,
    run_id: Annotated[
        list[str] | None, typer.Option("--run-id", metavar="ID", help="Only this run; repeatable.")
    ] = None,
    only: Annotated[
        list[PhaseChoice] | None, typer.Option("--only", help="Only this phase; repeatable.")
    ] = None,
    sandbox: Sandbox = SandboxChoice.AUTO,
    env: Env = "auto",
    installer: Installer = InstallerChoice.PIP,
    hub: Hub = HubChoice.DOUBLE,
    trial_seconds: TrialSeconds = 300.0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run a bundle's rehearsals; changes nothing."""
    settings = _settings(sandbox, env, installer, hub, LlmChoice.OFF, None, trial_seconds)
    held_to = _policy(policy, source)
    request = _read(source, quiet, held_to.kind)
    phases: list[Phase] = [p.value for p in only or list(PhaseChoice)]
    with _progress(quiet) as progress:
        rehearsals = _rehearsed(request, settings, held_to, progress, phases, run_id or [])
    if as_json:
        print_json([r.model_dump(mode="json") for r in rehearsals])
    else:
        from agent.render import render_rehearsals
        from agent.render_base import make_console

        render_rehearsals(make_console(sys.stdout), rehearsals)
    raise typer.Exit(READY if all(r.status == "passed" for r in rehearsals) else NOT_READY)


def _settings(
    sandbox: SandboxChoice,
    env: str,
    installer: InstallerChoice,
    hub: HubChoice,
    llm: LlmChoice,
    model: str | None,
    trial_seconds: float,
) -> Settings:
    from agent.settings import Settings

    return Settings(
        sandbox=sandbox.value,
        env=env,
        installer=installer.value,
        hub=hub.value,
        llm=llm.value,
        model=model,
        trial_seconds=trial_seconds,
    )


def _with_budget(
    settings: Settings, attempts: int | None, seconds: float | None, tokens: int | None, usd: float | None
) -> Settings:
    given = {"max_attempts": attempts, "max_seconds": seconds, "max_tokens": tokens, "max_usd": usd}
    changed = {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update={"budget": settings.budget.model_copy(update=changed)})


def _policy(specs: list[str] | None, source: str) -> Policy:
    from tools.policy_load import load_policies

    return load_policies(specs or (), bundle=source)


def _read(source: str, quiet: bool, kind: Kind) -> Request:
    """The request, with what intake noticed said aloud."""
    from tools.intake import read_request

    request = read_request(source, kind)
    for note in () if quiet else request.notes:
        sys.stderr.write(f"note: {note}\n")
    return request


def _judged(
    request: Request, settings: Settings, policy: Policy, progress: Progress, rehearse_too: bool
) -> Judged:
    from agent.library_review import judge

    return judge(request, settings, policy, rehearse=rehearse_too, progress=progress)


def _print_verdict(
    verdict: Verdict,
    rehearsals: tuple[Rehearsal, ...],
    request: Request,
    policy: Policy,
    form: FormatChoice,
) -> None:
    if form is FormatChoice.JSON:
        print_json(verdict.model_dump(mode="json"))
    elif form is FormatChoice.SARIF:
        from agent.sarif import as_sarif

        checks = {check.ID: check for check in policy.checks_for()}
        start = policy.contract_for(request).entry_file
        print_json(as_sarif(verdict, checks, request.bundle.tree, start))
    else:
        from agent.render import render_verdict
        from agent.render_base import make_console

        render_verdict(make_console(sys.stdout), verdict, rehearsals)


def _rehearsed(
    request: Request,
    settings: Settings,
    policy: Policy,
    progress: Progress,
    phases: list[Phase],
    run_ids: list[str],
) -> tuple[Rehearsal, ...]:
    from agent.library import make_rehearser
    from tools.trial.rehearsal import run_ids_of

    unknown = [r for r in run_ids if r not in run_ids_of(request.bundle)]
    if unknown:
        known = ", ".join(run_ids_of(request.bundle)) or "none"
        raise UsageError(f"there is no run {unknown[0]!r} in {request.source}; its runs: {known}")
    rehearser = make_rehearser(settings, progress)
    contract = policy.contract_for(request)
    return rehearser.rehearse(request.bundle, contract, phases=phases, run_ids=run_ids)


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """Live progress; Ctrl-C and SIGTERM end the work alike, and leave nothing running."""
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if quiet:
            yield silent
            return
        from agent.render_base import make_console
        from agent.render_progress import TerminalProgress

        with TerminalProgress(make_console()) as progress:
            yield progress
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End the sandboxes first: the threads that wait for them would wait on."""
    from tools.sandbox.cleanup import abort_all

    abort_all()
    raise KeyboardInterrupt


def _deliver(result: RepairResult, as_json: bool) -> None:
    from agent.render import render_interruption, render_result
    from agent.render_base import make_console

    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        render = render_interruption if result.reason == "interrupted" else render_result
        render(make_console(), result)
    if result.reason == "interrupted":
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(READY if result.reason == "ready" else NOT_READY)
