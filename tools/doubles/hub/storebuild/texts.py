"""Sentences, reviews, articles and sums made of a small lexicon, the same for the same seed."""

from __future__ import annotations

import random
from typing import Any


class Writer:
    """A seeded author. `words` is the lexicon of the catalogue."""

    def __init__(self, words: dict[str, Any], seed: str) -> None:
        self.words = words
        self.dice = random.Random(seed)

    def pick(self, group: str) -> str:
        """One word of a group."""
        return str(self.dice.choice(self.words[group]))

    def rare(self, share: float) -> bool:
        """True in about `share` of the calls."""
        return self.dice.random() < share

    def person(self) -> str:
        """A full name."""
        return f"{self.pick('first_names')} {self.pick('last_names')}"

    def phrase(self) -> str:
        """Article, adjective and noun."""
        return f"the {self.pick('adjectives')} {self.pick('nouns')}"

    def clause(self) -> str:
        """A short statement without capital or full stop."""
        subject = self.person() if self.rare(0.3) else self.phrase()
        adverb = f"{self.pick('adverbs')} " if self.rare(0.3) else ""
        place = f" in {self.pick('places')}" if self.rare(0.3) else ""
        return f"{subject} {adverb}{self.pick('verbs_past')} {self.phrase()}{place}"

    def sentence(self) -> str:
        """One sentence; a few carry signs outside ASCII."""
        text = self.clause()
        if self.rare(0.4):
            text += f" {self.pick('connectives')} {self.clause()}"
        if self.rare(0.06):
            text += f", {self.pick('unicode')}"
        return text[0].upper() + text[1:] + "."

    def passage(self, least: int, most: int) -> str:
        """Several sentences."""
        return " ".join(self.sentence() for _ in range(self.dice.randint(least, most)))

    def opinion(self, mood: str) -> str:
        """A phrase whose adjective carries the mood, `good` or `bad`."""
        return f"{self.pick('adjectives')} {self.pick('nouns')} with a {self.pick(mood)} {self.pick('nouns')}"

    def review(self, grade: float, least: int, most: int) -> str:
        """Opinions whose share of praise is the grade, 0 to 1."""
        lines = []
        for _ in range(self.dice.randint(least, most)):
            mood = "good" if self.rare(0.1 + 0.8 * grade) else "bad"
            lines.append(f"The {self.opinion(mood)} {self.pick('adverbs')} {self.pick('verbs_past')} us.")
        return " ".join(lines)

    def news(self, topic: str) -> str:
        """A sentence that names words of a topic."""
        first, second = self.dice.sample(self.words["topics"][topic], 2)
        return f"The {first} and the {second}: {self.sentence()}"

    def question(self) -> str:
        """A question about some statement."""
        opening = self.dice.choice(["Why did", "When did", "Where did", "How did"])
        return f"{opening} {self.phrase()} {self.pick('verbs')} {self.phrase()}?"

    def sum(self) -> tuple[str, str]:
        """A word problem and its worked answer, ending in `#### n`."""
        name, thing = self.pick("first_names"), self.pick("nouns")
        start, more, times = self.dice.randint(2, 90), self.dice.randint(2, 60), self.dice.randint(2, 9)
        total = start + more
        result = total * times
        question = (
            f"{name} has {start} {thing}s and buys {more} more every week. "
            f"How many {thing}s would {times} people like {name} have after one week?"
        )
        answer = (
            f"After one week {name} has {start} + {more} = <<{start}+{more}={total}>>{total} {thing}s.\n"
            f"So {times} people have {total} * {times} = <<{total}*{times}={result}>>{result} {thing}s.\n"
            f"#### {result}"
        )
        return question, answer


def corpus(words: dict[str, Any]) -> list[str]:
    """The text that subword vocabularies are learned from."""
    writer = Writer(words, "corpus")
    lines = [writer.sentence() for _ in range(1500)]
    lines += [writer.review(grade / 10, 1, 3) for grade in range(11) for _ in range(30)]
    lines += [part for _ in range(200) for part in writer.sum()]
    function = words["function"]
    for _ in range(60):
        writer.dice.shuffle(function_words := list(function))
        lines.append(" ".join(function_words) + ".")
    lines += [word.capitalize() for word in function]
    return lines
