"""Cuts one sentence of a reviewer into atomic statements: clauses, consequences, members of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator

SPAN = re.compile(r"`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|\([^()\n]*\)|\[[^\[\]\n]*\]")
"""Code, quotes and parentheses, which are never cut."""
_ERROR = r"(?:run-?time )?\w*(?:Error|Exception)\b"
_RESULT = (
    r"making|causing|breaking|violating|corrupting|producing|preventing|leading to|resulting in|"
    r"invalidating|stopping|contradicting|hampering|violates?|breaks?|contradicts?"
)
_TAIL = re.compile(
    rf",\s+(?=(?:(?:always|thus|thereby|therefore)\s+)?(?:{_RESULT})\b)"
    r"|(?:,|,?\s+and)\s+(?=(?:so|therefore|thus|hence|consequently)\b(?! (?:far|that|called)\b))"
    rf"|,?\s+and\s+(?=(?:{_RESULT})\b)"
    rf"|\s+[–—-]\s+(?=(?:{_RESULT}|{_ERROR})\b)"
    r"|,?\s+and\s+(?=hard-?codes\b)|,?\s+but\s+(?=(?:all )?other\b)"
    r"|\s*(?:⇒|⇨|→|=>|-->)\s+(?=\w)"
)
"""Where a sentence goes on to what follows from it."""
_SHARED = re.compile(
    r"(?P<subject>(?:this|that|it|these)\b[^,]*?)\s+(?P<verb>is|are)\s+(?P<first>[^,]+?)"
    r"\s+and\s+(?P<second>not\b.+)",
    re.IGNORECASE | re.DOTALL,
)
"""`This is a and not b`: two statements about one subject."""
_IGNORES = re.compile(r"(?P<head>\S.*?\bignores)\s+(?P<first>[^,;]+?)\s+and\s+(?P<second>[^,;]+)", re.DOTALL)
_UNFINISHED = re.compile(r"\b(?:the|a|an|and|or|of|to|that|does|is|are|not)$", re.IGNORECASE)
_NONE_OF = re.compile(r"(?:no|without)\s+[^,;:.]+(?:,\s+(?:and\s+)?no\s+[^,;:.]+)+\.?", re.IGNORECASE)
_ASIDE = re.compile(r"\(([^()]*;[^()]*)\)")
_VERB = re.compile(r"\b(?:is|are|uses?|has|have|does|never|returns?|lacks?|ignores?)\b")
_FILE = re.compile(r"((?:[\w-]+/)*[\w-]+\.(?:py|ya?ml|toml))\b")


def atoms(sentence: str, context: str = "") -> Iterator[str]:
    """The statements that a sentence makes, in order; each keeps the file that the first one names.

    Args: `context` is what stands above it, which may name the file already.
    """
    named = None if _FILE.search(context) else _FILE.search(sentence)
    for number, part in enumerate(_parts(sentence)):
        lacks = number and named and not _FILE.search(part)
        yield f"{named[1]}: {part}" if lacks and named else part


def _parts(sentence: str) -> Iterator[str]:
    for piece in _cut(sentence):
        yield from _listed(piece)
        yield from _asides(piece)


def _cut(sentence: str) -> Iterator[str]:
    """Cuts before consequences, outside code and parentheses."""
    guarded = SPAN.sub(lambda span: "\0" * len(span[0]), sentence)
    start = 0
    for mark in _TAIL.finditer(guarded):
        left, right = sentence[start : mark.start()].strip(" –—-"), sentence[mark.end() :].strip()
        if min(len(left.split()), len(right.split())) > 1 and not _UNFINISHED.search(left):
            yield left
            start = mark.end()
    yield sentence[start:].strip(" –—-")


def _listed(piece: str) -> Iterator[str]:
    """`No a, no b` and `this is a and not b` as one statement each."""
    if _NONE_OF.fullmatch(piece):
        yield from (part.strip(" .") for part in re.split(r",\s+(?:and\s+)?(?=no\b)", piece, flags=re.I))
    elif match := _SHARED.fullmatch(piece):
        yield f"{match['subject']} {match['verb']} {match['first']}"
        yield f"{match['subject']} {match['verb']} {match['second']}"
    elif match := _IGNORES.fullmatch(piece):
        yield f"{match['head']} {match['first']}"
        yield f"{match['head']} {match['second']}"
    else:
        yield piece


def _asides(piece: str) -> Iterator[str]:
    """Statements that stand in parentheses, where semicolons part them."""
    for aside in _ASIDE.finditer(piece):
        for part in re.split(r";\s+|\s+and\s+(?=\w*_\w+\s)", aside[1]):
            if len(part.split()) >= 3 and _VERB.search(part):
                yield part.strip()
