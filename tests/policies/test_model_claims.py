"""What a model's claims do to a verdict."""

from __future__ import annotations

from policies import model_claims
from policies.base import Evidence
from policies.contract import STANDARD
from policies.late import EarlierReview
from policies.parsed import ParsedBundle
from policies.records import Bundle, Claim, Finding, Proof, Rehearsal, Rejection, Severity
from policies.review import review
from policies.review_answer import CitedClaim

TRAIN = "import wandb\n\n\ndef train(cfg):\n    return cfg.lr\n"
BUNDLE = Bundle(
    files={"src/train.py": TRAIN, "config/config.yaml": "freeze_encoder: true\nlr: 0.1\n"},
    run_configs={"config/runs/a.yaml": "run_id: a\n"},
)
SUBJECT = ParsedBundle(BUNDLE, STANDARD)
RAN = Evidence(
    rehearsals=(
        Rehearsal(
            phase="trial",
            run_id="a",
            status="passed",
            wall_s=1.0,
            proof=Proof(optimizer_steps=2, parameters_moved=True),
        ),
    )
)
UNUSED = "`freeze_encoder` is never used in src/train.py"


def cited(text: str = UNUSED, *, line: int = 4, quote: str = "def train(cfg):", **more: object) -> CitedClaim:
    """A blocking claim about train.py."""
    place = {"file": "src/train.py", "start_line": line, "end_line": line, "quote": quote}
    said = {"text": text, "criterion": 1, "severity": "blocking", "consequence": "x"}
    return CitedClaim.model_validate({**place, **said, **more})


def weigh(claims: tuple[Claim, ...], rejection: Rejection | None = None) -> tuple[list[str], list[Finding]]:
    """The statuses of the claims and the findings that they make, where no check objects."""
    verdict = review(SUBJECT, RAN, rejection=rejection, checks=())
    assert verdict.is_code_ready
    found = model_claims.with_claims(
        verdict,
        model_claims.tested(claims, SUBJECT, verdict.findings, RAN),
        SUBJECT,
        RAN,
    )
    assert found.is_code_ready is not bool(found.blocking)
    return [c.status for c in found.claims], list(found.findings)


def test_a_confirmed_blocking_claim_keeps_the_bundle_from_being_ready() -> None:
    claims = model_claims.raised([cited()], SUBJECT, ())
    finding = Finding(
        check="reviewer-claim",
        criterion=1,
        severity=Severity.BLOCKING,
        file="src/train.py",
        line=4,
        message=f"The reviewing model's claim holds: {UNUSED}",
        evidence="`freeze_encoder` (set at config/config.yaml:1): no mention in src/train.py",
    )
    assert weigh(claims) == (["confirmed"], [finding])
    verdict = review(SUBJECT, RAN, checks=())
    tested = model_claims.tested(claims, SUBJECT, (), RAN)
    found = model_claims.with_claims(verdict, tested, SUBJECT, RAN)
    assert f"line 4: The reviewing model's claim holds: {UNUSED} [reviewer-claim" in found.code_issue
    assert [c.status for c in found.criteria if c.number == 1] == ["violated"]


def test_what_cannot_be_confirmed_does_not_block() -> None:
    refuted = cited("src/train.py has a syntax error", quote="return", line=5)
    wrong_place = cited(line=1)
    unknown_file = cited(file="src/trian.py")
    advice = cited(severity="advisory")
    taste = cited("`train` could be clearer")
    claims = model_claims.raised([refuted, wrong_place, unknown_file, advice, taste], SUBJECT, ())
    statuses, findings = weigh(claims)
    assert findings == []
    # Claims whose citation does not hold come last.
    assert statuses == ["refuted", "confirmed", "unverified", "unverified", "unverified"]
    assert [c.evidence for c in claims[-2:]] == [
        "The citation does not hold: the quote is not on src/train.py:1, but on src/train.py:4.",
        "The citation does not hold: there is no file src/trian.py in the bundle.",
    ]


def test_what_another_file_does_is_not_missing() -> None:
    elsewhere = SUBJECT.replace(BUNDLE.with_file("src/model.py", "def build(cfg):\n    cfg.freeze_encoder\n"))
    for text in (UNUSED, "`freeze_encoder` is never used"):
        claims = model_claims.raised([cited(text)], elsewhere, ())
        (claim,) = model_claims.tested(claims, elsewhere, (), RAN)
        assert (claim.status, claim.blocks) == ("unverified", False)
        (claim,) = model_claims.tested(claims, SUBJECT, (), RAN)
        assert (claim.status, claim.blocks) == ("confirmed", True)


def test_a_late_claim_does_not_block() -> None:
    claims = model_claims.raised([cited()], SUBJECT, [EarlierReview(bundle=BUNDLE)])
    assert [c.late for c in claims] == [True]
    assert weigh(claims) == (["confirmed"], [])


def test_what_a_finding_says_is_no_second_finding() -> None:
    found = Finding(
        check="undefined-name",
        criterion=1,
        severity=Severity.BLOCKING,
        file="src/train.py",
        line=4,
        message="`build_head` is not defined",
        evidence="build_head()",
    )
    broken = ParsedBundle(BUNDLE.with_file("src/train.py", TRAIN + "build_head()\n"), STANDARD)
    verdict = review(broken, RAN, checks=()).model_copy(update={"findings": (found,)})
    claims = model_claims.raised([cited("`build_head` is not defined in src/train.py")], broken, ())
    tested = model_claims.tested(claims, broken, verdict.findings, RAN)
    result = model_claims.with_claims(verdict, tested, broken, RAN)
    assert ([c.status for c in result.claims], result.findings) == (["confirmed"], (found,))


def test_a_claim_in_the_words_of_the_rejection_is_listed_once_and_may_block() -> None:
    rejection = Rejection(is_code_ready=False, code_issue=UNUSED)
    claims = model_claims.raised([cited()], SUBJECT, ())
    statuses, findings = weigh(claims, rejection)
    assert (statuses, [f.check for f in findings]) == (["confirmed"], ["reviewer-claim"])


def test_claims_about_other_versions_are_remembered_and_tested_again() -> None:
    claims = model_claims.raised([cited(), cited(line=1)], SUBJECT, ())
    moved = SUBJECT.replace(BUNDLE.with_file("src/train.py", "# head\n" + TRAIN))
    kept = model_claims.remembered([EarlierReview(bundle=BUNDLE, claims=claims)], moved.bundle)
    assert [(c.text, c.line) for c in kept] == [(UNUSED, 5)]
    mended = SUBJECT.replace(BUNDLE.with_file("src/train.py", TRAIN.replace("cfg.lr", "cfg.freeze_encoder")))
    assert [[c.status for c in model_claims.tested(kept, s, (), RAN)] for s in (moved, mended)] == [
        ["confirmed"],
        ["unverified"],
    ]


def test_a_criterion_is_the_standards() -> None:
    (claim,) = model_claims.raised([cited(criterion=8)], SUBJECT, ())
    (unknown,) = model_claims.raised([cited(criterion=77)], SUBJECT, ())
    assert (claim.criterion, unknown.criterion) == (8, 0)
