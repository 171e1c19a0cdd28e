"""Whether two claims say the same in other words."""

from __future__ import annotations

import re
from typing import NamedTuple

_FILE = re.compile(r"[\w/-]+\.(?:py|ya?ml|toml)\b")
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_NEGATION = re.compile(
    r"\b(?:not|no|never|nothing|none|without|miss(?:es|ing)|lacks?|lacking|absent|cannot|un(?:used|defined)"
    r"|ignor(?:es|ed)|fails?|omit(?:s|ted))\b|n't\b",
    re.IGNORECASE,
)
_STOP = frozenset(
    {"the", "and", "but", "for", "with", "that", "this", "which", "are", "was", "were", "has", "have", "its"}
    | {"from", "into", "when", "then", "than", "because", "there", "here", "will", "would", "does", "any"}
    | {"not", "never", "none", "nothing", "without", "missing", "lacks", "fails", "cannot", "also", "only"}
    | {"file", "code", "line", "lines", "src", "config", "yaml", "toml", "run", "runs", "being", "though"}
    | {"parameter", "key", "value", "function", "method", "class", "variable", "setting", "defined", "set"}
)
_USE = frozenset(
    {"use", "uses", "used", "using", "unused", "ignore", "ignores", "ignored", "read", "reads"}
    | {"consulted", "honoured", "referenced"}
)
"""Words that reviewers put for one another where they speak of what is (not) used."""
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|s)$")
NAME_WEIGHT = 3
"""A name of code tells as much as this many words of prose."""
ALIKE = 0.6
"""Share of the shorter claim's words, by weight, that the other must have."""


class _Words(NamedTuple):
    """The words of a claim that carry meaning: names of code by their last part, prose by its root."""

    names: frozenset[str]
    prose: frozenset[str]

    @property
    def weight(self) -> int:
        """How much they tell."""
        return NAME_WEIGHT * len(self.names) + len(self.prose)


def alike(one: str, other: str, share: float = ALIKE) -> bool:
    """Whether two texts say the same in other words: many of them in common, names too, the same polarity."""
    if " ".join(one.split()) == " ".join(other.split()):
        return True
    if denies(one) != denies(other):
        return False
    names = _names(one) | _names(other)
    a, b = _words(one, names), _words(other, names)
    for mine, theirs in zip(a, b, strict=True):
        if mine and theirs and not mine & theirs:
            return False
    common = _Words(a.names & b.names, a.prose & b.prose).weight
    return common >= NAME_WEIGHT and common >= share * min(a.weight, b.weight)


def denies(text: str) -> bool:
    """Whether a text says that something is not there, or not so."""
    return _NEGATION.search(text) is not None


def _names(text: str) -> frozenset[str]:
    """Names of code by their last part: in backticks, called, or spelled as no prose is."""
    marked = [word for span in re.findall(r"`([^`\n]+)`", text) for word in _WORD.findall(span)]
    called = re.findall(r"[\w.]+(?=\()", text)
    spelled = [word for word in _said(text) if _coined(word)]
    return frozenset(word.rstrip(".").rpartition(".")[2] for word in (*marked, *called, *spelled)) - {
        "py",
        "",
    }


def _words(text: str, names: frozenset[str]) -> _Words:
    """The words of a text, told apart by what is a name in it or in the other text."""
    last = [word.rpartition(".")[2] for word in _said(text)]
    prose = {word.lower() for word in last if word not in names and len(word) > 2} - _STOP
    return _Words(frozenset(last) & names, frozenset(map(_root, prose)))


def _root(word: str) -> str:
    return "use" if word in _USE else _ENDING.sub("", word)


def _said(text: str) -> list[str]:
    return [word.rstrip(".") for word in _WORD.findall(_FILE.sub("", text))]


def _coined(word: str) -> bool:
    """A name of code, not a word of prose nor an abbreviation."""
    if "_" in word or "." in word:
        return len(word) > 3
    return not word.islower() and not word.istitle() and not word.isupper()
