"""Reviews that agree: a re-worded claim keeps its first wording, one that comes late is marked so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.alike import ALIKE, alike
from policies.line_maps import nearest, unchanged
from policies.records import Bundle, Claim, Record

ALIKE_THERE = 0.4
"""How alike two claims must be where both cite the same lines."""


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
