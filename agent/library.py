"""The library's front door: repair a request, resume a ledger, review or rehearse without repairing."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.results import RepairResult, result_of
from agent.settings import Settings
from policies.errors import BackendError, Interrupted
from policies.policy import Policy, changes_of
from policies.records import Record, Request, Spent
from tools.intake import read_request
from tools.ledger import Ledger
from tools.policy_load import load_policies
from tools.progress import Progress, silent

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite import SqliteSaver

    from agent.deps import Deps
    from agent.state import RepairState
    from tools.llm.base import Model
    from tools.trial.base import Rehearser

WORKSPACE = Path("workspace")
THREAD = {"configurable": {"thread_id": "repair"}}


def repair(
    request: Request | str | Path,
    *,
    workspace: Path = WORKSPACE,
    settings: Settings | None = None,
    progress: Progress = silent,
    rehearser: Rehearser | None = None,
    model: Model | None = None,
    policy: Policy | None = None,
) -> RepairResult:
    """Repair a bundle until it is ready or nothing is left to try.

    Args:
        request: a request, or any INPUT that intake reads.
        policy: what the bundle is held to; None takes what the settings name. One that was not loaded from
            a name or file must be given again to `resume`.
        rehearser, model: doubles or backends of one's own; by default they come from the settings.
    Raises: UsageError for the input or an option, BackendError for the machine.
    """
    settings = settings or Settings()
    policy = policy or load_policies(settings.policies, bundle=_source_of(request))
    names = tuple(source.name for source in policy.asked)
    settings = settings.model_copy(update={"policies": names, "policy_sources": policy.sources})
    request = request if isinstance(request, Request) else read_request(request, policy.kind)
    contract = policy.contract_for(request)
    rehearser = rehearser or make_rehearser(settings, progress)
    ledger = Ledger.create(workspace, _name_of(request), request, contract)
    with ledger, ledger.claim():
        (ledger.private_dir / "settings.json").write_text(settings.model_dump_json(indent=1), "utf-8")
        ledger.import_bundle(request.bundle)
        return _drive(ledger, settings, progress, rehearser, model, policy)


async def arepair(request: Request | str | Path, **options: Any) -> RepairResult:  # the options of `repair`
    """`repair` for asynchronous callers: the work is done in a thread."""
    return await asyncio.to_thread(repair, request, **options)


def resume(
    path: Path,
    *,
    settings: Settings | None = None,
    progress: Progress = silent,
    rehearser: Rehearser | None = None,
    model: Model | None = None,
    policy: Policy | None = None,
) -> RepairResult:
    """Go on with a repair that was interrupted, with the budget it has left.

    Args:
        settings: other options than the first time, e.g. a larger budget; None takes the recorded ones.
        policy: None loads the recorded one again; that one of its files changed is said as progress.
    """
    with Ledger.open(path) as ledger, ledger.claim():
        settings = settings or recorded_settings(ledger)
        policy = policy or load_policies(settings.policies, bundle=ledger.request().source)
        for note in changes_of(settings.policy_sources, policy.sources):
            progress(note)
        rehearser = rehearser or make_rehearser(settings, progress)
        ledger.import_bundle(ledger.request().bundle)
        return _drive(ledger, settings, progress, rehearser, model, policy)


def recorded_settings(ledger: Ledger) -> Settings:
    """The options that the repair was started with."""
    path = ledger.private_dir / "settings.json"
    return Settings.model_validate_json(path.read_text("utf-8")) if path.exists() else Settings()


def make_rehearser(settings: Settings, progress: Progress) -> Rehearser:
    """The rehearser that the settings describe. Raises when the sandbox or the interpreter cannot be used."""
    from tools.trial.rehearsal import SandboxRehearser

    rehearser = SandboxRehearser(
        sandbox=settings.sandbox,
        env=settings.env,
        cache_root=settings.cache,
        installer=settings.installer,
        hub=settings.hub,
        trial_wall_s=settings.trial_seconds,
        progress=progress,
    )
    rehearser.verify()
    return rehearser


def _source_of(request: Request | str | Path) -> str:
    return request.source if isinstance(request, Request) else str(request)


def _name_of(request: Request) -> str:
    stem = Path(request.source).stem if request.source not in ("", "-") else "bundle"
    parent = Path(request.source).parent.name if re.fullmatch(r"\d+", stem) else ""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{parent}-{stem}".strip("-")) or "bundle"


def _drive(
    ledger: Ledger,
    settings: Settings,
    progress: Progress,
    rehearser: Rehearser,
    model: Model | None,
    policy: Policy,
) -> RepairResult:
    """Run the graph from its last checkpoint to an end, or to an interruption."""
    from agent.graph import RECURSION_LIMIT, build_graph

    with _checkpointer(ledger) as saver:
        app: Any = build_graph().compile(checkpointer=saver)  # LangGraph's generics say nothing useful here
        known = app.get_state(THREAD)
        deps = _deps(ledger, settings, progress, rehearser, model, policy)
        start = None
        if not known.values:
            start = {"candidate": ledger.request().bundle, "spent": Spent()}
        elif not known.next and known.values["end"].reason != "ready":
            app.update_state(THREAD, {"end": None, "model_down": ""}, as_node="record")
        config = {**THREAD, "recursion_limit": RECURSION_LIMIT}
        try:
            if start or app.get_state(THREAD).next:
                app.invoke(start, config, context=deps, durability="sync")
        except KeyboardInterrupt:
            return _interrupted(ledger, app.get_state(THREAD).values)
    recorded = ledger.read_result()
    assert recorded is not None, "the graph ends by writing a result"
    return RepairResult.model_validate(recorded)


def _interrupted(ledger: Ledger, values: RepairState) -> RepairResult:
    """What there is so far. Raises Interrupted when nothing was reviewed yet."""
    if "best" not in values:
        raise Interrupted(f"interrupted before the first review; go on with: suture resume {ledger.path}")
    result = result_of(
        ledger,
        reason="interrupted",
        verdict=values["best"].verdict,
        rehearsals=values["best"].rehearsals,
        budget=values["spent"],
        before=values["original"].rehearsals,
        detail=f"go on with: suture resume {ledger.path}",
    )
    ledger.write_result(result.model_dump(mode="json"))
    return result


def _deps(
    ledger: Ledger,
    settings: Settings,
    progress: Progress,
    rehearser: Rehearser,
    model: Model | None,
    policy: Policy,
) -> Deps:
    from agent.deps import Deps
    from agent.exchanges import ExchangeLog, RememberingModel
    from tools.llm.budgeted import Tally
    from tools.llm.open import open_model, wrap_model

    tally, exchanges = Tally(), ExchangeLog(ledger.private_dir / "attempts")
    if model is None:
        model = open_model(
            settings.llm,
            settings.model,
            budget=settings.budget,
            tally=tally,
            sink=exchanges,
            layer=lambda inner: RememberingModel(inner, exchanges),
        )
    else:
        remembering = RememberingModel(model, exchanges)
        model = wrap_model(remembering, budget=settings.budget, tally=tally, sink=exchanges)
    return Deps(
        request=ledger.request(),
        contract=ledger.contract,
        ledger=ledger,
        rehearser=rehearser,
        checks=policy.checks_for(ledger.contract.kind),
        budget=settings.budget,
        model=model,
        tally=tally,
        exchanges=exchanges,
        progress=progress,
    )


@contextmanager
def _checkpointer(ledger: Ledger) -> Iterator[SqliteSaver]:
    """The SQLite file beside the ledger's own records; our records are the only types it may hold."""
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
    from langgraph.checkpoint.sqlite import SqliteSaver

    serializer = JsonPlusSerializer(allowed_msgpack_modules=_record_types())
    connection = sqlite3.connect(ledger.private_dir / "checkpoints.sqlite", check_same_thread=False)
    with closing(connection):
        try:
            yield SqliteSaver(connection, serde=serializer)
        except sqlite3.OperationalError as error:
            retry = f"go on later with: suture resume {ledger.path}"
            raise BackendError(
                f"the checkpoints of the repair cannot be written: {error}; {retry}"
            ) from error


def _record_types() -> list[tuple[str, str]]:
    """Module and name of every record class; state, ledger and model records included."""
    kinds, found = [Record], list[tuple[str, str]]()
    while kinds:
        kind = kinds.pop()
        found.append((kind.__module__, kind.__name__))
        kinds += kind.__subclasses__()
    return [*found, ("policies.records", "Severity")]
