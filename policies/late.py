"""Reviews that agree: a re-worded claim keeps its first wording, one that comes late is marked so."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
    | {"file", "code", "line", "lines", "src", "config", "yaml", "toml"}
)
ALIKE = 0.6
"""Share of the shorter claim's words that the other must have."""
ALIKE_THERE = 0.4
"""The same where both cite the same lines."""


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
        text = next((same[0].text for same in said if same), claim.text)
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
    """Whether two texts say the same in other words: many common words, common names, the same polarity."""
    if " ".join(one.split()) == " ".join(other.split()):
        return True
    a, b = _words(one), _words(other)
    names, others = set(filter(_coined, a)), set(filter(_coined, b))
    if names and others and not names & others:
        return False
    common = len(a & b)
    polar = bool(_NEGATION.search(one)) == bool(_NEGATION.search(other))
    return polar and common >= 2 and common >= share * min(len(a), len(b))


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


def _words(text: str) -> set[str]:
    """The words that carry meaning: names whole and by their last part, the rest as it is spelled."""
    said = {word.rstrip(".") for word in _WORD.findall(re.sub(r"[\w/-]+\.(?:py|ya?ml|toml)\b", "", text))}
    parts = {word.rpartition(".")[2] for word in said} | said
    return {w if _coined(w) else w.lower() for w in parts if len(w) > 2 and w.lower() not in _STOP}


def _coined(word: str) -> bool:
    """A name of code, not a word of prose."""
    return "_" in word or "." in word or (not word.islower() and not word.istitle() and not word.isupper())
