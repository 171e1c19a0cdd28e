"""Subword pieces: words of the lexicon first, then pseudo-words up to the vocabulary size of a family."""

from __future__ import annotations

import itertools
import string
from collections import Counter
from collections.abc import Iterable, Iterator

CONSONANTS = "bcdfghjklmnprstvwz"
VOWELS = "aeiou"
SYLLABLES = [c + v for c in CONSONANTS for v in VOWELS]
LETTERS = string.ascii_letters + string.digits + string.punctuation
FOREIGN = (
    "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšžłćńśżźőűğışđ½—–“”‘’…€£°"
    "αβγδεζηθικλμνξοπρστυφχψωабвгдежзийклмнопрстуфхцчшщыьэюя日本語中文مرحبا"
)


def alphabet() -> list[str]:
    """Single characters, the common ones first, none twice."""
    return list(dict.fromkeys(LETTERS + FOREIGN + FOREIGN.upper()))


def single_characters(text: str) -> list[str]:
    """Characters of a text that stand alone, none twice (upper-casing can give two for one)."""
    return [c for c in dict.fromkeys(text) if len(c) == 1 and not c.isspace()]


def common_words(lines: Iterable[str]) -> list[str]:
    """Words of a text, the frequent first, without punctuation around them."""
    counts = Counter(w.strip(string.punctuation + "“”—") for line in lines for w in line.split())
    del counts[""]
    return sorted(counts, key=lambda w: (-counts[w], w))


def pseudo_words() -> Iterator[str]:
    """Pronounceable strings of two and more syllables, without end, none twice."""
    for length in itertools.count(2):
        for parts in itertools.product(SYLLABLES, repeat=length):
            yield "".join(parts)


def fill(pieces: list[str], size: int, prefixes: tuple[str, ...]) -> list[str]:
    """`pieces` followed by pseudo-words, each once per prefix, until there are `size`."""
    seen = set(pieces)
    fillers = (prefix + word for word in pseudo_words() for prefix in prefixes)
    fresh = (piece for piece in fillers if piece not in seen)
    return [*pieces, *itertools.islice(fresh, max(0, size - len(pieces)))][:size]
