"""Every sentence of a contract is covered, and every check speaks to one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policies.contract import STANDARD, Criterion
from policies.contract_reader import contract_of
from policies.coverage import coverage
from policies.coverage_topics import HEADING, TOPICS
from policies.python_tests import CONTRACT
from policies.registry import all_checks, checks_for

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"


def test_every_sentence_of_the_contracts_that_ship_is_covered() -> None:
    rows = (*coverage(STANDARD), *coverage(CONTRACT))
    assert [row.sentence for row in rows if not row.covered] == []


def test_every_check_speaks_to_a_sentence_of_the_standard() -> None:
    named = {name for row in coverage(STANDARD) for name in row.checks}
    assert named == {check.ID for check in checks_for("experiment")}


def test_every_topic_that_asks_for_checks_has_some() -> None:
    ids = [check.ID for check in all_checks()]
    stale = [t.words for t in TOPICS if t.checks and not any(re.fullmatch(t.checks, i) for i in ids)]
    assert stale == []


def test_every_criterion_has_a_topic_for_its_other_checks() -> None:
    assert sorted(topic.rest_of for topic in TOPICS if topic.rest_of) == list(range(1, 10))


def test_a_sentence_that_nothing_knows_is_not_covered() -> None:
    text = ("The logo is blue.", "Proceed as follows:", "No placeholder code\nin any file")
    criterion = Criterion(number=1, title="Looks", sentences=text)
    found = coverage(STANDARD.model_copy(update={"criteria": (criterion,)}))
    assert [row.covered for row in found] == [False, True, True]
    assert found[1].sets == (HEADING,)
    assert found[2].checks == ("placeholder", "placeholder-comment")


def test_every_sentence_of_real_inputs_is_covered() -> None:
    from tools.intake import read_request

    inputs = sorted(CORPUS.glob("**/*.txt"))
    if not inputs:
        pytest.skip(f"the corpus is not beside the project: {CORPUS}")
    rows = {row for path in inputs for row in coverage(contract_of(read_request(path)))}
    assert sorted(row.sentence for row in rows if not row.covered) == []
