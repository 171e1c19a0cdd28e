"""Cuts a review prompt into its sections, by what their headings are about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["criteria", "hypothesis", "method", "design", "runs", "other"]

_KINDS: tuple[tuple[Kind, str], ...] = (
    ("criteria", r"criteria|requirement|checklist"),
    ("hypothesis", r"hypothes"),
    ("runs", r"\bruns?\b"),
    ("design", r"\bdesign\b|\bset-?up\b"),
    ("method", r"\bmethod"),
)
_HEADING = re.compile(r"(#{1,6})\s+(\S.*)")
_BOLD = re.compile(r"\*\*([^*]+?):?\*\*:?")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_FIRST_CRITERION = re.compile(r"\s*(?:#+\s*)?\**1[.)]\s*\**\s*\S")


class Heading(NamedTuple):
    """One heading of the prompt."""

    line: int
    level: int
    kind: Kind


def sections(prompt: str) -> dict[Kind, str]:
    """Kind -> text below the first heading of that kind, up to the next heading that is not inside it."""
    lines = prompt.split("\n")
    headings = list(_headings(lines))
    found: dict[Kind, str] = {}
    for number, heading in enumerate(headings):
        if heading.kind != "other" and heading.kind not in found:
            end = next((h.line for h in headings[number + 1 :] if h.level <= heading.level), len(lines))
            found[heading.kind] = "\n".join(lines[heading.line + 1 : end]).strip("\n")
    if "criteria" not in found and (text := _numbered(lines, headings)):
        found["criteria"] = text
    return found


def _headings(lines: list[str]) -> Iterator[Heading]:
    """Headings after a blank line; inside a fence only one of a known kind counts, and ends it.

    The YAML of run configs has comments at the margin that look like headings.
    """
    fenced = False
    for number, line in enumerate(lines):
        if _FENCE.match(line):
            fenced = not fenced
        elif number == 0 or not lines[number - 1].strip():
            heading = _heading(number, line)
            if heading and (not fenced or (heading.kind != "other" and heading.level == 1)):
                fenced = False
                yield heading


def _heading(number: int, line: str) -> Heading | None:
    if match := _HEADING.fullmatch(line.rstrip()):
        return Heading(number, len(match[1]), _kind(match[2]))
    if (match := _BOLD.fullmatch(line.rstrip())) and (kind := _kind(match[1])) != "other":
        return Heading(number, 1, kind)
    return None


def _kind(title: str) -> Kind:
    """What a short title is about; a long line is a comment or a sentence."""
    if len(title.split()) > 8:
        return "other"
    return next((kind for kind, words in _KINDS if re.search(words, title, re.IGNORECASE)), "other")


def _numbered(lines: list[str], headings: list[Heading]) -> str:
    """The numbered list with which a prompt without a criteria heading begins."""
    end = next((h.line for h in headings if h.kind != "other"), len(lines))
    start = next((i for i, line in enumerate(lines[:end]) if _FIRST_CRITERION.match(line)), end)
    return "\n".join(lines[start:end]).strip("\n")
