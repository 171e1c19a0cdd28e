"""One sentence of a reviewer becomes statements that can each be true or false."""

from __future__ import annotations

import pytest

from policies.claims_atoms import atoms


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("train.py has no seed.", ("train.py has no seed.",)),
        (
            "model.py lacks an import, so the module crashes.",
            ("model.py lacks an import", "model.py: so the module crashes."),
        ),
        (
            "This causes a KeyError and breaks the file rule (req. 5).",
            ("This causes a KeyError", "breaks the file rule (req. 5)."),
        ),
        (
            "`x` is read before it is bound, causing an UnboundLocalError.",
            ("`x` is read before it is bound", "causing an UnboundLocalError."),
        ),
        ("The head is gone ⇒ AttributeError at once", ("The head is gone", "AttributeError at once")),
        ("No tests, no docs, and no data loading.", ("No tests", "no docs", "no data loading")),
        (
            "This launch is fragile and not part of the contract.",
            ("This launch is fragile", "This launch is not part of the contract."),
        ),
        ("score() ignores sign and scale", ("score() ignores sign", "score() ignores scale")),
        (
            "Only one part is built (see f; others are ignored and g_x uses a constant).",
            (
                "Only one part is built (see f; others are ignored and g_x uses a constant).",
                "others are ignored",
                "g_x uses a constant",
            ),
        ),
        ("It runs (slowly, so nobody waits).", ("It runs (slowly, so nobody waits).",)),
        ("The batches therefore hold no labels.", ("The batches therefore hold no labels.",)),
    ],
)
def test_atoms(sentence: str, parts: tuple[str, ...]) -> None:
    assert tuple(atoms(sentence)) == parts


def test_a_file_named_above_is_not_repeated() -> None:
    assert tuple(atoms("train.py fails early, so nothing is saved.", "src/train.py")) == (
        "train.py fails early",
        "so nothing is saved.",
    )
