"""Splits a reviewer's prose into atomic statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from policies.claims_atoms import SPAN, atoms

_MARKER = re.compile(r"(?:\(?\d{1,2}[.):]\)?|\(?[a-z]\)|[•◦▪‣*–—-]|‚Ä¢)\s+(?=\S)")
_END = re.compile(
    r"(?<=[.!?])[\"'”’)\]*]*(?:\s+(?=[\"'“‘(\[*`]*[A-Z0-9_(`\"“\0]|\w+(?:\.py\b|\.\w+\(|_\w))|\s{2,}(?=\S))"
    r"|;\s+(?=\S)"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|incl|resp|req|reqs|approx|fig|sec|no)|\b[A-Z])\.$", re.I
)
_ADVICE = re.compile(
    r"(?:(?:minimal |suggested |recommended |required |possible |quick )?fix(?:es)?\b(?!\w)"
    r"|(?:please|add|provide|move|remove|ensure|use|store|pass|replace|change|correct|implement|make|switch|"
    r"convert|register|consider|include|rewrite|rename|declare|import|define|create|call|set|update|honou?r|"
    r"either|alternatively|instead|safer to|you (?:must|should|need|can)|must be|should|(?:it|they) should|"
    r"we recommend|recommendation|to fix|only after|at (?:a )?minimum|at the end of training)\b)",
    re.IGNORECASE,
)
_NEEDS = re.compile(
    r"\b(?:must|should|needs? to|has to|have to|ought to|is required|are required|requires)\b", re.I
)
_CONTRAST = re.compile(
    r"\b(?:but|yet|however|although|whereas|while|instead|currently|never|not|no|cannot|fails?|lacks?|missing)\b",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"(?:the |task-)?(?:spec\w*|requirements?|instructions?|criteri\w+|rubric|checklist)(?: \d+)?"
    r"(?: explicitly)? (?:mandates?|demands?|requires?|forbids?|asks?|calls?|states?|says?|prescribes?)\b"
    r"|only the\b.*\ballowed|(?:uv run|python3? -)|\(?i\.e\.",
    re.IGNORECASE,
)
"""A sentence that repeats what the criteria say, or a command."""
_RELIC = re.compile(r"\b(?:so|therefore|thus|hence)\b[^.]*\bmust\b", re.IGNORECASE)
"""What is left of advice after a cut."""
_FILE_TOPIC = re.compile(r"`?((?:[\w-]+/)*[\w-]+\.(?:py|ya?ml|toml))`?\s*(?:[:‒–—]|\s[-‑]\s)")
_NOT_READY = re.compile(
    r"\b(?:not|isn't|never)\b(?:\W+\w+){0,4}?\W+(?:ready|compliant|executable|production|publication)\b"
    r"|\bfar from\b|\brequired before\b|\bit needs\b",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"(?:because|due to|as a result|therefore|thus|hence|overall|until|for these reasons|consequently|so|"
    r"in summary|at minimum)\b.*\b(?:not|cannot|can't|won't|never|neither|fails?|unmet|far from|crash)\b",
    re.IGNORECASE | re.DOTALL,
)
_GENERAL = re.compile(
    r"\b(?:ready|readiness|production|publication|executable|execut\w+|run|runs|requirements?|criteria|criterion|"
    r"standards?|rules?|checklist|bar|issues?|problems?|defects?|blockers?|concerns?|re-?implementation|"
    r"details?|several|major|critical|blocking)\b",
    re.IGNORECASE,
)
_CONCRETE = re.compile(
    r"`|\w+\.(?:py|ya?ml|toml)\b|\b\w+_\w+|\b\w+\(|\b[a-z]+[A-Z]\w*|\b[A-Z]\w*[a-z][A-Z]\w*|\"[^\"]+\"|-\\u003e"
)
_CODE = re.compile(r"`|\w+\.(?:py|ya?ml|toml)\b|\b\w+_\w+|\b\w+\(")
_PRAISE = re.compile(r"((?:all|everything)\b[^.;]*?),? (?:but|however,?|yet) (.+)", re.IGNORECASE | re.DOTALL)
_TOPIC_WORDS = 8
_BLANKS = re.compile(r"[^\S\n]{3,}")
MAX_CHARS = 50_000
"""What is left of a longer rejection is one statement; real ones hold some 2,000 characters."""
MAX_ITEM_CHARS = 10_000
"""A longer paragraph is one statement: no prose is like that, and patterns may take for ever on it."""


class Statement(str):
    """The text of a claim that knows where in the rejection it stands."""

    item: int
    """Running number of the list item or paragraph; statements of one item speak of one thing."""
    number: str
    """The number that the reviewer gave the point; empty when none."""

    @classmethod
    def of(cls, text: str, item: int, number: str) -> Statement:
        """A text with its place."""
        statement = cls(text)
        statement.item, statement.number = item, number
        return statement


class _Item(NamedTuple):
    """One list item or paragraph: how deep it is indented, its number if it has one, and its text."""

    indent: int
    listed: bool
    text: str
    number: str = ""


class _Topic(NamedTuple):
    """What stands above a nested list: a heading or an unfinished sentence, or advice."""

    indent: int
    text: str
    advice: bool


def split_claims(code_issue: str) -> tuple[Statement, ...]:
    """The statements of a rejection, in order, each once; advice and summaries are left out."""
    claims: list[Statement] = []
    topics: list[_Topic] = []
    point = ""
    issue, rest = code_issue[:MAX_CHARS], code_issue[MAX_CHARS:].strip()
    items = list(_items(issue.replace("\r\n", "\n")))
    for number, item in enumerate(items):
        after = items[number + 1] if number + 1 < len(items) else None
        topics = [t for t in topics if t.indent < item.indent]
        point = item.number or (point if topics else "")
        heads = after is not None and after.listed and (after.indent > item.indent or not item.listed)
        if len(item.text) > MAX_ITEM_CHARS:
            claims.append(Statement.of(item.text, number, point))
        elif _ADVICE.match(item.text) or any(t.advice for t in topics):
            topics.append(_Topic(item.indent, "", True))
        elif item.listed and heads and _is_topic(item.text):
            topics.append(_Topic(item.indent, item.text, False))
        elif item.listed or not _is_preamble(item.text):
            above = "".join(t.text for t in topics[-1:])
            sentences = list(_statements(item.text, above))
            if heads and not item.listed and item.text.endswith(":"):
                sentences = [s for s in sentences if not s.endswith(":")]
            lead = sentences.pop() if heads and item.listed and _leads_on(item.text, sentences) else ""
            prefix = f"{above.rstrip(':. ')}: " if above else ""
            claims += [Statement.of(prefix + sentence, number, point) for sentence in sentences]
            topics.append(_Topic(item.indent, lead, False))
    claims += [Statement.of(rest, len(items), "")] if rest else []
    return tuple(dict.fromkeys(claims))


def _items(text: str) -> Iterator[_Item]:
    """List items and paragraphs; an indented line without a marker continues what stands above it."""
    current: _Item | None = None
    for line in text.split("\n"):
        stripped = _BLANKS.sub("  ", line.strip())
        indent = len(line) - len(line.lstrip())
        marker = _MARKER.match(stripped)
        goes_on = current is not None and not marker and stripped and (indent > current.indent or not indent)
        if current and goes_on and (indent or not current.listed):
            current = current._replace(text=f"{current.text} {stripped}")
            continue
        if current:
            yield current
        told = "".join(c for c in marker[0] if c.isdigit()) if marker else ""
        current = _Item(indent, bool(marker), stripped[marker.end() :] if marker else stripped, told)
        current = current if stripped else None
    if current:
        yield current


def _statements(text: str, above: str) -> Iterator[str]:
    """Atomic statements; a file named at the start, or above them, counts for all."""
    topic = _FILE_TOPIC.match(text)
    sentences = (part for whole in _sentences(text) for part in _praise_apart(whole))
    for number, sentence in enumerate(sentences):
        bare = sentence.strip(" *•-–—")
        if _is_advice(bare) or len(bare.split()) < 2 or _is_summary(bare):
            continue
        names_file = re.search(r"\.(?:py|ya?ml|toml)\b", bare)
        head = f"{topic[1]}: " if topic and number and not names_file else ""
        for atom in atoms(bare, head + above):
            if not _ADVICE.match(atom) and not _says_rule(atom) and not _RELIC.search(atom):
                yield head + atom


def _says_rule(sentence: str) -> bool:
    """Whether a sentence only repeats the criteria; what they are said to forbid is worth a test."""
    return bool(_RULE.match(sentence)) and not re.search(r"\bforbids?\b", sentence, re.IGNORECASE)


def _praise_apart(sentence: str) -> tuple[str, ...]:
    """`All the rest is fine, but x` are two statements."""
    match = _PRAISE.match(sentence)
    return (match[1], match[2]) if match else (sentence,)


def _is_advice(sentence: str) -> bool:
    """A sentence that says what to do instead of what is."""
    needs = _NEEDS.search(sentence)
    told = needs and not _CONTRAST.search(sentence) and not re.search(r"[‒–—]", sentence[: needs.start()])
    return bool(_ADVICE.match(sentence) or told)


def _sentences(text: str) -> Iterator[str]:
    """Cuts at sentence ends and semicolons that stand outside code, quotes and parentheses."""
    guarded = SPAN.sub(_guard, text)
    start = 0
    for match in _END.finditer(guarded):
        left = text[start : match.start()].rstrip()
        if text[match.start()] != ";" and _ABBREVIATION.search(left):
            continue
        right = text[match.end() :]
        if text[match.start()] == ";" and min(len(left.split()), len(right.split())) < 3:
            continue
        yield text[start : match.end()].strip().rstrip(";")
        start = match.end()
    if text[start:].strip():
        yield text[start:].strip()


def _guard(span: re.Match[str]) -> str:
    """Code, quotes and parentheses made opaque, but for a full stop just before they close."""
    kept = 2 if span[0][-2] in ".!?" and span[0][0] in '"“' else 0
    return "\0" * (len(span[0]) - kept) + span[0][len(span[0]) - kept :]


def _is_topic(text: str) -> bool:
    """A short heading over a nested list, not a statement."""
    return len(text.split()) <= _TOPIC_WORDS and not re.search(r"[.!?]$", text)


def _leads_on(text: str, sentences: list[str]) -> bool:
    """Whether the last sentence is only completed by the list below it."""
    return bool(sentences) and not re.search(r"[.!?:)`\"”]$", text)


def _is_preamble(text: str) -> bool:
    """A paragraph that only says that something is wrong."""
    return bool(_GENERAL.search(text)) and not _CONCRETE.search(text) and _short(text)


def _is_summary(sentence: str) -> bool:
    """A sentence that only draws the conclusion that the bundle is not ready."""
    if _PROMISE.match(sentence) and _GENERAL.search(sentence) and not _CODE.search(sentence):
        return True
    return bool(_NOT_READY.search(sentence)) and not _CONCRETE.search(sentence)


def _short(text: str) -> bool:
    return len(list(_sentences(text))) <= 1 and len(text.split()) <= 30
