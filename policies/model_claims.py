"""The reviewing model's claims: tested like those of a rejection, and what the tests do to the verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from policies import claims_findings
from policies.alike import denies
from policies.base import Evidence
from policies.claims import test_claims
from policies.claims_base import Case
from policies.contract import Contract
from policies.contract_reader import standard_number
from policies.late import EarlierReview, carried, settled
from policies.parsed import ParsedBundle
from policies.records import Bundle, Claim, Finding, Severity, Verdict
from policies.review import judged
from policies.review_answer import CitedClaim, citation_problem

_IN_FILE = re.compile(
    r",? *(?:\b(?:in|by|of|from|inside|within) +)?`?\b(?:\w+/)*\w+\.py\b`?:?", re.IGNORECASE
)
CHECK_ID = "reviewer-claim"
"""The check id of findings that come from a claim of the reviewing model."""


def raised(
    cited: Iterable[CitedClaim], subject: ParsedBundle, earlier: Sequence[EarlierReview]
) -> tuple[Claim, ...]:
    """An answer's claims, not yet tested: in the words of earlier ones they repeat, late ones marked."""
    made = [_claim(claim, subject) for claim in cited]
    held = settled([claim for claim in made if claim.line], subject.bundle, earlier)
    return (*held, *(claim for claim in made if not claim.line))


def remembered(reviews: Sequence[EarlierReview], bundle: Bundle) -> tuple[Claim, ...]:
    """What the model said of other versions of the bundle, once each, as claims about this one."""
    known: dict[str, Claim] = {}
    for review in reviews:
        known |= {c.text: carried(c, review.bundle, bundle) for c in review.claims if c.line}
    return tuple(c for c in known.values() if c.source == "model")


def tested(
    claims: Iterable[Claim], subject: ParsedBundle, findings: Sequence[Finding], evidence: Evidence
) -> tuple[Claim, ...]:
    """Every claim whose citation holds, with the status that testing gives it."""
    return tuple(_tested(claim, subject, findings, evidence) if claim.line else claim for claim in claims)


def with_claims(
    verdict: Verdict, claims: Sequence[Claim], subject: ParsedBundle, evidence: Evidence
) -> Verdict:
    """The verdict with the model's claims in it; one that blocks is a finding, unless a finding says it."""
    known = {claim.text for claim in verdict.claims}
    new = [claim for claim in claims if claim.text not in known]
    findings = [finding for claim in claims for finding in _findings(claim, verdict, subject, evidence)]
    if not findings:
        return verdict.model_copy(update={"claims": (*verdict.claims, *new)})
    return judged(subject, evidence, (*verdict.findings, *findings), (*verdict.claims, *new))


def _claim(cited: CitedClaim, subject: ParsedBundle) -> Claim:
    problem = citation_problem(cited, subject.bundle)
    first = max(1, cited.start_line)
    return Claim(
        text=" ".join(cited.text.split()),
        status="unverified",
        evidence=f"The citation does not hold: {problem}." if problem else "",
        source="model",
        severity=Severity(cited.severity),
        criterion=_criterion(cited.criterion, subject.contract),
        file=cited.file,
        line=0 if problem else first,
        end_line=0 if problem else max(first, cited.end_line),
    )


def _criterion(number: int, contract: Contract) -> int:
    """The standard's number for one of the contract's own; 0 when there is none."""
    title = next((c.title for c in contract.criteria if c.number == number), "")
    if title:
        return standard_number(title) or 0
    return number if 1 <= number <= 9 else 0


def _tested(claim: Claim, subject: ParsedBundle, findings: Sequence[Finding], evidence: Evidence) -> Claim:
    """The claim with its status; what one file lacks another may have, and then nothing is wrong."""
    (result,) = test_claims([claim.text], subject, findings, evidence)
    status, shown = result.status, result.evidence
    anywhere = _IN_FILE.sub("", claim.text)
    if status == "confirmed" and anywhere != claim.text and denies(claim.text):
        (broad,) = test_claims([anywhere], subject, findings, evidence)
        if broad.status != "confirmed":
            status, shown = (
                "unverified",
                f"Partly so. Holds of that file, but not of the whole bundle: {shown}",
            )
    return claim.model_copy(update={"status": status, "evidence": shown})


def _findings(claim: Claim, verdict: Verdict, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
    """The finding that a blocking claim makes."""
    case = Case(claim.text, subject, verdict.findings, evidence)
    if claim.blocks and not any(claims_findings.finding(case)):
        yield Finding(
            check=CHECK_ID,
            criterion=claim.criterion or 1,
            severity=Severity.BLOCKING,
            file=claim.file,
            line=claim.line,
            message=f"The reviewing model's claim holds: {claim.text}",
            evidence=claim.evidence,
        )
