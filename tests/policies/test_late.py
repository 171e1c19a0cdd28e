"""What counts as the same claim, and what as one that comes too late."""

from __future__ import annotations

import pytest

from policies.alike import alike
from policies.late import EarlierReview, carried, settled
from policies.records import Bundle, Claim

HEAD = "import torch\n\n\n"
TRAIN = (
    f"{HEAD}def train(cfg):\n    loss = step(cfg)\n    return loss\n\n\ndef step(cfg):\n    return cfg.lr\n"
)
FIRST = Bundle(files={"src/train.py": TRAIN, "src/model.py": "x = 1\n"})
MOVED = FIRST.with_file("src/train.py", "# one\n# two\n" + TRAIN)
EDITED = FIRST.with_file("src/train.py", TRAIN.replace("return cfg.lr", "return cfg.rate"))


def claim(text: str, first: int = 10, last: int = 0, **more: object) -> Claim:
    """A claim of the model about train.py."""
    place = {"file": "src/train.py", "line": first, "end_line": last or first, "criterion": 1}
    known = {"text": text, "status": "unverified", "evidence": "", "source": "model", **place, **more}
    return Claim.model_validate(known)


def said(text: str, status: str = "confirmed") -> Claim:
    """A claim of a rejection."""
    return Claim.model_validate({"text": text, "status": status, "evidence": ""})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("`warmup_steps` is never used", "the key warmup_steps is ignored in src/train.py", True),
        ("`warmup_steps` is never used", "`decay_rate` is never used", False),
        ("`warmup_steps` is never used", "`warmup_steps` is used twice", False),
        ("`warmup_steps` is never used", "`warmup_steps` is never logged", False),
        ("the trial trains on all batches", "in a trial, training goes over all batches", True),
        ("the trial trains on all batches", "the figures have no legend", False),
        ("  same   words ", "same words", True),
    ],
)
def test_alike(one: str, other: str, same: bool) -> None:
    assert (alike(one, other), alike(other, one)) == (same, same)


def test_what_an_earlier_review_did_not_say_of_the_same_lines_is_late() -> None:
    earlier = [EarlierReview(bundle=FIRST, claims=(said("the figures have no legend"),))]
    new = claim("`lr` is read from a missing node")
    assert settled([new], FIRST, earlier) == (new.model_copy(update={"late": True}),)
    moved = claim(new.text, 12)
    assert settled([moved], MOVED, earlier) == (moved.model_copy(update={"late": True}),)
    assert settled([new], EDITED, earlier) == (new,)
    assert settled([new], FIRST, []) == (new,)


def test_a_range_is_changed_when_something_was_put_into_it_or_taken_out() -> None:
    inserted = TRAIN.replace("    return loss\n", "    loss.backward()\n    return loss\n")
    new = claim("`train` never clips", 4, 7)
    earlier = [EarlierReview(bundle=FIRST)]
    assert settled([new], FIRST.with_file("src/train.py", inserted), earlier) == (new,)
    shorter = claim("`train` never clips", 4, 5)
    before = [EarlierReview(bundle=FIRST.with_file("src/train.py", inserted))]
    (kept,) = settled([claim("`train` never clips", 4, 6)], FIRST, before)
    assert (kept.late, settled([shorter], FIRST, before)[0].late) == (False, True)


def test_a_reworded_claim_keeps_its_first_words_and_is_in_time() -> None:
    first = claim("`cfg.lr` is never checked by `step`")
    earlier = [EarlierReview(bundle=FIRST, claims=(first,))]
    again = claim("`step` does not check `cfg.lr`", 12, criterion=4)
    assert settled([again], MOVED, earlier) == (claim(first.text, 12, criterion=4),)


def test_every_silent_review_of_the_lines_makes_a_claim_late() -> None:
    raised = claim("`cfg.lr` is never checked")
    earlier = [EarlierReview(bundle=FIRST), EarlierReview(bundle=FIRST, claims=(raised,))]
    assert [c.late for c in settled([raised], FIRST, earlier)] == [True]
    assert [c.late for c in settled([raised], FIRST, earlier[1:])] == [False]


def test_a_rejections_words_are_kept_where_a_test_speaks_to_them() -> None:
    new = claim("`lr` is never used by `step`")
    rejected = "the parameter lr in train.py is not used by step()"
    for status, text in (("confirmed", rejected), ("refuted", rejected), ("unverified", new.text)):
        earlier = [EarlierReview(bundle=FIRST, claims=(said(rejected, status),))]
        assert settled([new], FIRST, earlier) == (new.model_copy(update={"text": text}),), status
    elsewhere = [EarlierReview(bundle=FIRST, claims=(said("in model.py lr is not used by step()"),))]
    assert [c.late for c in settled([new], FIRST, elsewhere)] == [True]


def test_a_claim_is_carried_to_where_its_lines_are() -> None:
    late = claim("`lr` is unchecked", 10, late=True)
    assert carried(late, FIRST, MOVED) == late.model_copy(update={"line": 12, "end_line": 12})
    assert carried(late, FIRST, EDITED) == late.model_copy(update={"line": 9, "end_line": 9, "late": False})
    gone = FIRST.without_file("src/train.py")
    assert carried(late, FIRST, gone) == late.model_copy(update={"line": 0, "end_line": 0, "late": False})
