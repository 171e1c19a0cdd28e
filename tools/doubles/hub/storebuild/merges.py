"""Merge lists for byte-pair tokenizers: learned from the lexicon's text, then filled to the family's size."""

from __future__ import annotations

import json
from typing import Any

from .outside import library
from .pieces import CONSONANTS, VOWELS

LEARNED = 4000


def learned(lines: list[str], alphabet: list[str], pre_tokenizer: Any) -> list[tuple[str, str]]:
    """Merges that byte-pair encoding finds in the lines."""
    tokenizer = library("tokenizers").Tokenizer(library("tokenizers.models").BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    size = len(alphabet) + LEARNED
    options = {"vocab_size": size, "initial_alphabet": alphabet, "show_progress": False}
    trainer = library("tokenizers.trainers").BpeTrainer(**options)
    tokenizer.train_from_iterator(lines, trainer)
    pairs = json.loads(tokenizer.to_str())["model"]["merges"]
    split = [p.split(" ") if isinstance(p, str) else p for p in pairs]
    return [(left, right) for left, right in split]


class MergeTable:
    """Pieces and the merges that make them, in order."""

    def __init__(self, alphabet: list[str]) -> None:
        self.pieces = dict.fromkeys(alphabet)
        self.merges: list[tuple[str, str]] = []

    def add(self, left: str, right: str) -> str:
        """Make `left + right` a piece, unless it is one or a part is missing. Returns the joined text."""
        joined = left + right
        if joined not in self.pieces and left in self.pieces and right in self.pieces:
            self.pieces[joined] = None
            self.merges.append((left, right))
        return joined

    def fill(self, count: int, mark: str) -> None:
        """Grow to `count` pieces by pseudo-words, with and without the mark of a word's start."""
        syllables = [self.add(c, v) for c in CONSONANTS for v in VOWELS]
        stems = syllables + [self.add(mark, s) for s in syllables]
        while len(self.pieces) < count:
            longer = []
            for stem in stems:
                for syllable in syllables:
                    if len(self.pieces) >= count:
                        return
                    longer.append(self.add(stem, syllable))
            stems = longer

    def cut(self, count: int, letters: int) -> None:
        """Keep the first `count` pieces, of which `letters` are not merged."""
        self.pieces = dict.fromkeys(list(self.pieces)[:count])
        self.merges = self.merges[: count - letters]


def table(lines: list[str], alphabet: list[str], pre_tokenizer: Any, count: int, mark: str) -> MergeTable:
    """A merge table of exactly `count` pieces."""
    result = MergeTable(alphabet)
    for left, right in learned(lines, alphabet, pre_tokenizer):
        result.add(left, right)
    result.fill(count, mark)
    result.cut(count, len(alphabet))
    return result
