"""Makes rejections that no reviewer would write from ones that a reviewer did, and some from nothing."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_WORDS = re.compile(r"\S+")
_MARKS: tuple[str, ...] = (
    "`",
    '"',
    "'",
    "“",
    "(",
    ")",
    "[",
    "{",
    ";",
    ":",
    ".",
    "\n",
    "\n- ",
    "\n1) ",
    " but ",
    " and ",
    ", ",
)
_MARKS += ("->", "\\u003e", "…", "—", "*", "**", "```", "src/", ".py", "cfg.", "\t", "\0", "é", "💥")
_REPEATED = {
    "one letter": ("", "a", ""),
    "blanks": ("src/train.py: ", " ", "x"),
    "tabs": ("src/train.py is", "\t", "missing"),
    "line ends": ("", "\n", ""),
    "backticks": ("", "`", ""),
    "odd backtick": ("", "`a` ", "`"),
    "quotes": ("", '"', ""),
    "opened quotes": ("", "“", ""),
    "opened parentheses": ("", "(", ""),
    "nested parentheses": ("", "(a", ")))"),
    "closed parentheses": ("", "()", ")"),
    "dots": ("", ".", ""),
    "dotted name": ("`", "a.", "b` is never defined"),
    "path": ("", "a/", "train.py is missing"),
    "many paths": ("", "src/train.py, ", "are missing"),
    "dashes": ("", "-", ".py"),
    "spaced dashes": ("", " - ", "causing an error"),
    "underscores": ("", "_", ""),
    "digits": ("", "1", ""),
    "numbered": ("", "1. ", ""),
    "headings": ("", "a: ", ""),
    "commas": ("", "a, ", "are missing"),
    "and": ("", "x and ", "are not used"),
    "but": ("", "all is fine but ", ""),
    "no": ("", "no a, ", "no b"),
    "not": ("", "not ", ""),
    "words": ("", "the model is never used ", ""),
    "sentences": ("", "Train.py is empty. ", ""),
    "quoted code": ("`", "x = f(y) ", "` is dead code"),
    "keys": ("cfg.", "a_b.", "c is missing in config.yaml"),
    "escapes": ("", "\\u003e", ""),
    "no text": ("", "\0", ""),
    "lines": ("", "- model_x is never used\n", ""),
    "deeper lines": ("", "- a_b is missing\n  ", ""),
}


def hostile_prose(size: int) -> dict[str, str]:
    """Name -> a rejection of about `size` characters that a pattern which backtracks does not survive."""
    return {
        **{name: head + unit * (size // len(unit)) + tail for name, (head, unit, tail) in _REPEATED.items()},
        "names": " ".join(f"name_{i}" for i in range(size // 10)) + " are undefined",
        "statements": "\n".join(f"- `name_{i}` is not defined in train.py" for i in range(size // 40)),
    }


def mutated_prose(text: str, rng: random.Random) -> str:
    """The text with one to four damages."""
    for _ in range(rng.randint(1, 4)):
        text = rng.choice(_DAMAGES)(rng, text)
    return text


def _cut(rng: random.Random, text: str) -> str:
    return text[rng.randint(0, len(text)) :] if rng.random() < 0.3 else text[: rng.randint(0, len(text))]


def _shuffle(rng: random.Random, text: str) -> str:
    """The words of one line in another order."""
    lines = text.split("\n")
    index = rng.randrange(len(lines))
    words = lines[index].split(" ")
    rng.shuffle(words)
    lines[index] = " ".join(words)
    return "\n".join(lines)


def _drop_words(rng: random.Random, text: str) -> str:
    return _WORDS.sub(lambda match: "" if rng.random() < 0.1 else match[0], text)


def _swap_words(rng: random.Random, text: str) -> str:
    """A few words replaced by others of the text."""
    words = _WORDS.findall(text)
    return _WORDS.sub(lambda match: rng.choice(words) if rng.random() < 0.05 else match[0], text)


def _insert(rng: random.Random, text: str) -> str:
    place = rng.randint(0, len(text))
    return text[:place] + rng.choice(_MARKS) * rng.choice((1, 1, 1, 2, 40)) + text[place:]


def _strip_marks(rng: random.Random, text: str) -> str:
    """Every mark of one kind left out."""
    return text.replace(rng.choice(_MARKS), rng.choice(("", " ")))


def _join_lines(rng: random.Random, text: str) -> str:
    return text.replace("\n", " ")


def _repeat(rng: random.Random, text: str) -> str:
    start = rng.randint(0, len(text))
    end = min(len(text), start + rng.randint(1, 60))
    return text[:end] + text[start:end] * rng.choice((1, 3, 30)) + text[end:]


_DAMAGES: tuple[Callable[[random.Random, str], str], ...] = (
    _cut,
    _shuffle,
    _drop_words,
    _swap_words,
    _insert,
    _insert,
    _strip_marks,
    _join_lines,
    _repeat,
)
