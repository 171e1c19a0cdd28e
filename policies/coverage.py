"""What holds a bundle to each sentence of its contract: checks, rehearsals, and what a reader must judge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from policies.base import Check
from policies.contract import Contract
from policies.coverage_topics import HEADING, PHASES, TOPICS, Topic
from policies.records import Phase, Record
from policies.registry import checks_for

T = TypeVar("T")
NOT_COVERED = "not covered: no check knows this sentence"


class Coverage(Record):
    """One sentence of a criterion, with everything that speaks to it."""

    number: int
    title: str
    sentence: str
    checks: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    sets: tuple[str, ...] = ()
    """What the sentence fixes, for checks and rehearsals to hold the bundle to."""
    judged: tuple[str, ...] = ()
    """What needs a reader, and why."""

    @property
    def covered(self) -> bool:
        """Whether anything knows the sentence."""
        return bool(self.checks or self.phases or self.sets or self.judged)


def coverage(contract: Contract, checks: Sequence[Check] | None = None) -> tuple[Coverage, ...]:
    """The table for one contract, sentence by sentence."""
    used = tuple(checks_for(contract.kind) if checks is None else checks)
    homes = {check.ID: _homes(check) for check in used}
    return tuple(
        _row(criterion.number, criterion.title, sentence, homes)
        for criterion in contract.criteria
        for sentence in criterion.sentences
    )


def _row(number: int, title: str, sentence: str, homes: dict[str, frozenset[int]]) -> Coverage:
    about = _topics(sentence)
    topics = [TOPICS[index] for index in sorted(about)]
    heading = not topics and sentence.rstrip().rstrip("*").endswith(":")
    return Coverage(
        number=number,
        title=title,
        sentence=sentence,
        checks=tuple(sorted(name for name, home in homes.items() if home & about)),
        phases=tuple(phase for phase in PHASES if any(phase in topic.phases for topic in topics)),
        sets=(HEADING,) if heading else _unique(topic.sets for topic in topics if topic.sets),
        judged=_unique(topic.judged for topic in topics if topic.judged),
    )


def _topics(sentence: str) -> frozenset[int]:
    """Indexes of the topics that a sentence is about."""
    text = " ".join(sentence.split())
    found = {index for index, topic in enumerate(TOPICS) if _compiled(topic.words).search(text)}
    return frozenset({index for index in found if TOPICS[index].alone} or found)


def _homes(check: Check) -> frozenset[int]:
    """Indexes of the topics that a check serves: by its id, or else the one for its criterion's rest."""
    named = {i for i, topic in enumerate(TOPICS) if topic.checks and _serves(topic, check)}
    return frozenset(named or {i for i, topic in enumerate(TOPICS) if topic.rest_of == check.CRITERION})


def _serves(topic: Topic, check: Check) -> bool:
    return _compiled(topic.checks).fullmatch(check.ID) is not None


def _unique(items: Iterator[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
