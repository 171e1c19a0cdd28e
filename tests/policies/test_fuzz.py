"""A few damaged copies of the example bundles; `python -m tests.fuzz_review` reviews as many as one likes."""

from __future__ import annotations

import pytest

from tests.fuzz_review import Options, sources, troubles

MUTANTS, CHUNK = 60, 10


@pytest.mark.parametrize("start", range(0, MUTANTS, CHUNK))
def test_damaged_bundles_are_reviewed_and_mended(start: int) -> None:
    given = sources(())
    found = [
        trouble
        for number in range(start, start + CHUNK)
        for trouble in troubles(given, number, Options(black=number % 2 == 0, codemods=number % 5 == 0))
    ]
    assert found == []
