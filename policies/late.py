"""Reviews that agree: a re-worded claim keeps its first wording, one that comes late is marked so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from policies.line_maps import nearest, unchanged
from policies.records import Bundle, Claim, Record

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
_SAME = {
    word: root
    for root, words in {
        "use": "uses used unused using ignored ignores read reads consulted honoured referenced respected",
        "trial": "trials",
        "pass": "passes",
        "step": "steps",
        "batch": "batches",
        "import": "imports imported importing",
        "log": "logs logged logging",
        "call": "calls called calling",
    }.items()
    for word in words.split()
}
"""Words that reviewers put for one another."""
NAME_WEIGHT = 3
"""A name of code tells as much as this many words of prose."""
ALIKE = 0.6
"""Share of the shorter claim's words, by weight, that the other must have."""
ALIKE_THERE = 0.4
"""The same where both cite the same lines."""


class _Words(NamedTuple):
    """The words of a claim that carry meaning: names of code by their last part, prose by its root."""

    names: frozenset[str]
    prose: frozenset[str]

    @property
    def weight(self) -> int:
        """How much they tell."""
        return NAME_WEIGHT * len(self.names) + len(self.prose)


class EarlierReview(Record):
    """What a reviewer said about an earlier version of the bundle, or about this one."""

    bundle: Bundle
    claims: tuple[Claim, ...] = ()


def settled(claims: Sequence[Claim], bundle: Bundle, earlier: Sequence[EarlierReview]) -> tuple[Claim, ...]:
    """Claims about `bundle`, each once, in the words in which it was first raised, the late ones marked.

    Args: earlier: oldest first.
    """
    found: dict[str, Claim] = {}
    for claim in claims:
        said = [[c for c in review.claims if _same(_moved(c, review, bundle), claim)] for review in earlier]
        text = next((c.text for same in said for c in same if _settled_wording(c)), claim.text)
        text = claim.text if text in found else text
        silent = [review for review, same in zip(earlier, said, strict=True) if not same]
        late = any(not touched(claim, review.bundle, bundle) for review in silent)
        found.setdefault(text, claim.model_copy(update={"text": text, "late": late}))
    return tuple(found.values())


def carried(claim: Claim, raised_on: Bundle, bundle: Bundle) -> Claim:
    """An earlier claim as one about `bundle`: its lines moved along, late only while nothing touched them."""
    old, new = raised_on.tree.get(claim.file), bundle.tree.get(claim.file)
    if not claim.line or old is None:
        return claim
    if new is None:
        return claim.model_copy(update={"line": 0, "end_line": 0, "late": False})
    first = unchanged(old, new, claim.line, claim.end_line)
    line, last = nearest(old, new, claim.line), nearest(old, new, claim.end_line)
    update = {"line": first or line, "end_line": max(line, last), "late": claim.late and first > 0}
    return claim.model_copy(update=update)


def touched(claim: Claim, before: Bundle, now: Bundle) -> bool:
    """Whether the lines that a claim about `now` cites are not those of `before`; so if it cites none."""
    old, new = before.tree.get(claim.file), now.tree.get(claim.file)
    if not claim.line or old is None or new is None:
        return True
    return not unchanged(new, old, claim.line, claim.end_line)


def alike(one: str, other: str, share: float = ALIKE) -> bool:
    """Whether two texts say the same in other words: many of them in common, names too, the same polarity."""
    if " ".join(one.split()) == " ".join(other.split()):
        return True
    if bool(_NEGATION.search(one)) != bool(_NEGATION.search(other)):
        return False
    a, b = _words(one), _words(other)
    for mine, theirs in zip(a, b, strict=True):
        if mine and theirs and not mine & theirs:
            return False
    common = _Words(a.names & b.names, a.prose & b.prose).weight
    return common >= NAME_WEIGHT and common >= share * min(a.weight, b.weight)


def _settled_wording(claim: Claim) -> bool:
    """Whether later reviews keep to it; a rejection's words that no test speaks to may be made clearer."""
    return claim.source == "model" or claim.status in ("confirmed", "refuted")


def _moved(claim: Claim, review: EarlierReview, bundle: Bundle) -> Claim:
    return carried(claim, review.bundle, bundle)


def _same(earlier: Claim, claim: Claim) -> bool:
    """Whether a claim repeats an earlier one; a rejection's claims cite no lines, but may name files."""
    if earlier.file and earlier.file != claim.file:
        return False
    if not earlier.file and not _may_be_about(earlier.text, claim.file):
        return False
    there = bool(earlier.line) and earlier.line <= claim.end_line and claim.line <= earlier.end_line
    other_criterion = earlier.criterion and claim.criterion and earlier.criterion != claim.criterion
    if other_criterion and not there:
        return False
    return alike(earlier.text, claim.text, ALIKE_THERE if there and not other_criterion else ALIKE)


def _may_be_about(text: str, file: str) -> bool:
    """Whether a text names this file, or none."""
    named = re.findall(r"[\w-]+\.(?:py|ya?ml|toml)\b", text)
    return not named or file.rpartition("/")[2] in named


def _words(text: str) -> _Words:
    found = [w.rstrip(".") for w in _WORD.findall(re.sub(r"[\w/-]+\.(?:py|ya?ml|toml)\b", "", text))]
    names = {word.rpartition(".")[2] for word in found if _coined(word)}
    prose = {_SAME.get(word.lower(), word.lower()) for word in found if not _coined(word)}
    return _Words(frozenset(names), frozenset(w for w in prose - _STOP if len(w) > 2 and w not in names))


def _coined(word: str) -> bool:
    """A name of code, not a word of prose nor an abbreviation."""
    if "_" in word or "." in word:
        return len(word) > 3
    return not word.islower() and not word.istitle() and not word.isupper()
