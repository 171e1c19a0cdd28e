"""The library's review: the verdict on a request, with rehearsals and a reviewing model where wanted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.settings import Settings
from policies.base import Evidence
from policies.errors import BackendError
from policies.parsed import ParsedBundle
from policies.policy import Policy
from policies.records import Bundle, Rehearsal, Request, Verdict
from policies.review import review as check
from tools.intake import read_request
from tools.llm.endpoint import endpoint_configured
from tools.policy_load import load_policies
from tools.progress import Progress, silent

if TYPE_CHECKING:
    from agent.exchanges import ExchangeLog
    from agent.model_review import ModelReview
    from policies.late import EarlierReview
    from tools.llm.base import Model
    from tools.trial.base import Rehearser


@dataclass(frozen=True)
class Judged:
    """A verdict with what it rests on."""

    verdict: Verdict
    rehearsals: tuple[Rehearsal, ...]
    notes: tuple[str, ...] = ()
    """What a person should know beyond it, one sentence each."""


def review(
    request: Request | str | Path,
    *,
    rehearse: bool = True,
    earlier: Verdict | None = None,
    earlier_bundle: Bundle | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    rehearser: Rehearser | None = None,
    model: Model | None = None,
    policy: Policy | None = None,
) -> Verdict:
    """Judge a bundle; changes nothing. Where a model is configured, it reviews too.

    Args:
        request: a request, or any INPUT that intake reads.
        rehearse: whether it is run in the sandbox as well.
        earlier: the verdict of the round before. What it claimed keeps its wording, and what nobody claimed
            then about lines that are still the same is late and does not block.
        earlier_bundle: the bundle that `earlier` judged; None when it is the same as now.
        rehearser, model: doubles or backends of one's own; by default they come from the settings.
        policy: what the bundle is held to; None takes what the settings name.
    Raises: UsageError for the input or an option, BackendError for the machine.
    """
    from policies.late import EarlierReview

    settings = settings or Settings()
    source = request.source if isinstance(request, Request) else request
    policy = policy or load_policies(settings.policies, bundle=source)
    request = request if isinstance(request, Request) else read_request(request, policy.kind)
    before = None
    if earlier is not None:
        before = EarlierReview(bundle=earlier_bundle or request.bundle, claims=earlier.claims)
    return judge(
        request,
        settings,
        policy,
        rehearse=rehearse,
        before=before,
        progress=progress,
        rehearser=rehearser,
        model=model,
    ).verdict


def judge(
    request: Request,
    settings: Settings,
    policy: Policy,
    *,
    rehearse: bool,
    before: EarlierReview | None = None,
    progress: Progress = silent,
    rehearser: Rehearser | None = None,
    model: Model | None = None,
) -> Judged:
    """The verdict, the rehearsals that it rests on, and what remains to be said."""
    contract, evidence = policy.contract_for(request), Evidence()
    if rehearse:
        from agent.library import make_rehearser

        rehearser = rehearser or make_rehearser(settings, progress)
        evidence = Evidence(rehearser.rehearse(request.bundle, contract), rehearser.installed)
    elif settings.env != "auto":
        from tools.trial.api_index import named_apis

        progress("reading the installed libraries")
        evidence = Evidence(installed=named_apis(settings.env, settings.cache))
    progress("reviewing")
    subject = ParsedBundle(request.bundle, contract, request.context)
    verdict = check(subject, evidence, rejection=request.rejection, checks=policy.checks_for(contract.kind))
    notes: tuple[str, ...] = ()
    asked = None if contract.kind == "tests" else _reviewer(settings, model)
    if asked is not None or before is not None:
        verdict, notes = _with_model(request, subject, evidence, verdict, before, asked, progress)
    return Judged(verdict, tuple(evidence.rehearsals), notes)


def _with_model(
    request: Request,
    subject: ParsedBundle,
    evidence: Evidence,
    checked: Verdict,
    before: EarlierReview | None,
    reviewer: tuple[Model, ExchangeLog] | None,
    progress: Progress,
) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict with what the model said in the round before and says now."""
    from agent.model_review import incoming, opinion, weighed

    said = [before] if before else list(incoming(request.bundle, request.rejection, checked))
    verdict = weighed(checked, subject, evidence, said)
    if reviewer is None:
        return verdict, ()
    model, exchanges = reviewer
    exchanges.begin_review(subject.bundle.digest, model.name)
    progress(f"asking {model.name} for a review")
    made = _asked(subject, verdict, evidence, model, said)
    if not made.problem:
        verdict = weighed(checked, subject, evidence, [*said, made.said])
    note = opinion(made, verdict)
    return verdict, (note,) if note else ()


def _asked(
    subject: ParsedBundle, verdict: Verdict, evidence: Evidence, model: Model, said: list[EarlierReview]
) -> ModelReview:
    """The model's review; a model that cannot be asked leaves the verdict to the checks."""
    from agent.model_review import ask, unanswered
    from policies.errors import LimitReached, ModelUnavailable

    try:
        return ask(subject, verdict, evidence, model, said)
    except LimitReached as reached:
        return unanswered(subject.bundle, str(reached))
    except ModelUnavailable as error:
        return unanswered(subject.bundle, f"the model cannot be asked: {error}")


def _reviewer(settings: Settings, model: Model | None) -> tuple[Model, ExchangeLog] | None:
    """The model with the memory of its reviews: asked the same again, it says the same, at no cost."""
    if model is None and (settings.llm == "off" or not endpoint_configured()):
        return None
    from agent.exchanges import ExchangeLog, RememberingModel
    from tools.llm.budgeted import Tally
    from tools.llm.open import open_model, wrap_model
    from tools.trial.environment import default_cache_root

    log, tally = ExchangeLog(_folder(settings.cache or default_cache_root())), Tally()
    if model is not None:
        remembering = RememberingModel(model, log)
        return wrap_model(remembering, budget=settings.budget, tally=tally, sink=log), log
    opened = open_model(
        settings.llm,
        settings.model,
        budget=settings.budget,
        tally=tally,
        sink=log,
        layer=lambda inner: RememberingModel(inner, log),
    )
    return (opened, log) if opened else None


def _folder(cache_root: Path) -> Path:
    """Where reviews are remembered. Raises BackendError when it cannot be made."""
    folder = cache_root / "reviews"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise BackendError(
            f"{folder} cannot be made: {why}; set SUTURE_CACHE to a folder that can"
        ) from error
    return folder
