"""Tests the claims of a reviewer: each is confirmed, refuted, unverified, or a matter of judgement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from policies import (
    claims_code,
    claims_config,
    claims_data,
    claims_evaluate,
    claims_features,
    claims_files,
    claims_findings,
    claims_follow,
    claims_launch,
    claims_library,
    claims_logged,
    claims_method,
    claims_quote,
    claims_script,
    claims_trial,
    claims_use,
)
from policies.base import Evidence
from policies.claims_base import Case, Outcome, Tested, joined
from policies.claims_split import split_claims
from policies.parsed import ParsedBundle
from policies.records import Claim, ClaimStatus, Finding
from policies.run_check import reason_of

__all__ = ["split_claims", "test_claims"]

Tester = Callable[[Case], Iterator[Outcome]]
TESTERS: tuple[Tester, ...] = (
    claims_files.missing_import,
    claims_files.missing_file,
    claims_files.package_marker,
    claims_files.empty_files,
    claims_files.transport,
    claims_files.run_configs,
    claims_files.extra_files,
    claims_code.syntax,
    claims_code.undefined_name,
    claims_code.used_before_bound,
    claims_code.name_at_import,
    claims_code.eager_annotations,
    claims_code.missing_member,
    claims_use.unused,
    claims_use.stub,
    claims_use.quoted_comment,
    claims_config.dependency,
    claims_config.config_key,
    claims_config.section_is_no_dict,
    claims_config.present_and_absent,
    claims_config.config_file_read,
    claims_config.cache_folder,
    claims_config.trial_wandb,
    claims_evaluate.command_line,
    claims_evaluate.artefacts,
    claims_script.figures,
    claims_script.only_figures,
    claims_script.primary_metric,
    claims_script.hard_coded,
    claims_launch.launches,
    claims_launch.outside_contract,
    claims_data.drops_label,
    claims_data.reads_key,
    claims_data.never_made,
    claims_data.missing_key_raises,
    claims_features.features,
    claims_features.safeguards,
    claims_method.constant,
    claims_method.shared_object,
    claims_method.ignores_direction,
    claims_method.nowhere,
    claims_quote.code_is_there,
    claims_library.model_head,
    claims_library.gone,
    claims_logged.only_logged,
    claims_logged.never_logged,
    claims_logged.logs_key,
    claims_findings.finding,
    claims_findings.attribute_raises,
    claims_findings.no_effect,
    claims_findings.rehearsal,
    claims_trial.unshortened,
    claims_trial.starts,
    claims_findings.everything_else,
    claims_follow.violates,
    claims_follow.breaks,
    claims_follow.raises,
    claims_follow.bound_too_late,
    claims_follow.rests_on_nothing,
)
MAX_STATEMENTS = 200
"""So many statements of a rejection are tested; real ones make some twenty."""
MAX_CHARS = 1_000
"""A longer statement is no sentence: no test reads it."""
FAILED = "a test of this statement failed itself"
_QUALITY = re.compile(
    r"\b(?:faithful\w*|incomplete\w*|insufficient\w*|simplif\w+|placeholder\w*|production|publication\w*|quality|"
    r"comprehensive\w*|heuristic\w*|meaningless|degenerate|inadequate|robust\w*|reproducib\w+|error-prone|"
    r"convention\w*|best practice\w*|not (?:fully |properly |correctly )?implement\w*|never implements?|"
    r"implementation|described|hypothesis|paper|baseline\w*|algorithm\w*|as required|violat\w+|criteri\w+|"
    r"requirements?|standards?|specification|spec|intent|duplicate\w*|unclear|ambiguous|design)\b",
    re.IGNORECASE,
)


def test_claims(
    claims: Iterable[str],
    subject: ParsedBundle,
    findings: Sequence[Finding],
    evidence: Evidence,
    testers: Sequence[Tester] = TESTERS,
) -> tuple[Claim, ...]:
    """Hold every claim against the bundle, the findings and the rehearsals.

    Returns: one claim each, in order. What no test speaks to is `unverified`, never guessed.
    """
    tested: tuple[Tested, ...] = ()
    given = list(claims)
    for text in given[:MAX_STATEMENTS]:
        case = Case(
            text=str(text),
            subject=subject,
            findings=findings,
            evidence=evidence,
            earlier=tested,
            item=getattr(text, "item", -1),
            number=getattr(text, "number", ""),
        )
        tested += (_tested(case, testers),)
    beyond = f"Only the first {MAX_STATEMENTS} statements are tested."
    return (*(t.claim for t in tested), *(_untestable(text, beyond) for text in given[MAX_STATEMENTS:]))


def _tested(case: Case, testers: Sequence[Tester]) -> Tested:
    """The claim and what every test showed; a test that fails itself shows nothing, and that is told."""
    if len(case.text) > MAX_CHARS:
        return Tested(case, _untestable(case.text, "It is too long to be one statement."), ())
    outcomes: list[Outcome] = []
    lost = ""
    for test in testers:
        try:
            outcomes += tuple(test(case))
        except Exception as error:  # noqa: BLE001  # whatever one test trips over, the others still speak
            lost = f" ({FAILED}: {reason_of(error)})"
    claim = _claim(case, outcomes)
    told = claim.model_copy(update={"evidence": claim.evidence + lost}) if lost else claim
    return Tested(case, told, tuple(outcomes))


def _untestable(text: str, why: str) -> Claim:
    return Claim(text=str(text), status="unverified", evidence=why)


def _claim(case: Case, outcomes: Sequence[Outcome]) -> Claim:
    confirmed = [o.evidence for o in outcomes if o.status == "confirmed"]
    refuted = [o.evidence for o in outcomes if o.status == "refuted"]
    partly = [o.evidence for o in outcomes if o.status == "partly"]
    if partly or (confirmed and refuted):
        says = [*partly, *(f"holds: {e}" for e in confirmed), *(f"does not hold: {e}" for e in refuted)]
        return Claim(text=case.text, status="unverified", evidence=f"Partly so. {joined(says)}")
    if confirmed:
        return Claim(text=case.text, status="confirmed", evidence=joined(confirmed))
    if refuted:
        return Claim(text=case.text, status="refuted", evidence=joined(refuted))
    return Claim(text=case.text, status=_untested(case), evidence=_reason(case))


def _untested(case: Case) -> ClaimStatus:
    return "judgement" if _QUALITY.search(case.body) else "unverified"


def _reason(case: Case) -> str:
    """Why a claim was neither confirmed nor refuted."""
    if _QUALITY.search(case.body):
        return "No test can tell: it is about the quality of the code or its faithfulness to the method."
    return "No check, file or rehearsal speaks to this statement."
