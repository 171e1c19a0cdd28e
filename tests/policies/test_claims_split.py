"""A reviewer's prose falls apart into statements; advice and summaries fall away."""

from __future__ import annotations

import pytest

from policies.claims_split import split_claims


@pytest.mark.parametrize(
    ("prose", "claims"),
    [
        ("", ()),
        (
            "The code cannot run:\n1. train.py imports `.x`, but src/x.py is missing. Fix: add it.\n"
            "2. Model has no forward(); it is unused.\nBecause of these issues the code is not ready.",
            (
                "train.py imports `.x`, but src/x.py is missing.",
                "Model has no forward()",
                "it is unused.",
            ),
        ),
        (
            "1. src/evaluate.py\n   • Misses `from typing import Any`.\n   • Reads no file.\n2. Done badly.",
            (
                "src/evaluate.py: Misses `from typing import Any`.",
                "src/evaluate.py: Reads no file.",
                "Done badly.",
            ),
        ),
        (
            "1. evaluate.py plots learning curves and bars; it does NOT\n   - draw a matrix\n   - run a test",
            (
                "evaluate.py plots learning curves and bars",
                "it does NOT: draw a matrix",
                "it does NOT: run a test",
            ),
        ),
        (
            "model.py – uses `a; b. C` wrongly, e.g. Foo. It crashes in line 3.",
            ("model.py – uses `a; b. C` wrongly, e.g. Foo.", "model.py: It crashes in line 3."),
        ),
        ("All other checks pass, but `x` is never read.", ("All other checks pass", "`x` is never read.")),
        ("- one is wrong\n- one is wrong\n", ("one is wrong",)),
        ("Minimal fix\n- Add a file\n- Call it\n", ()),
        ("(1) It fails\n    on start. (2) It hangs.", ("It fails on start.", "(2) It hangs.")),
        ("The spec demands all metrics. You should add them. Paths must be absolute.", ()),
        (
            "One line\r\ngoes on here.\r\n\r\nAnother paragraph.",
            ("One line goes on here.", "Another paragraph."),
        ),
    ],
)
def test_split(prose: str, claims: tuple[str, ...]) -> None:
    assert split_claims(prose) == claims


def test_odd_prose_neither_fails_nor_hangs() -> None:
    for prose in ("(" * 5000, "a. B" * 5000, "1. " * 3000, "`" * 4001, "\n" * 10_000, "x" * 100_000):
        split_claims(prose)
