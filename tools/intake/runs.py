"""Reads the list of experiment runs, with their run configs, out of a prompt."""

from __future__ import annotations

import re
from typing import NamedTuple

from policies.errors import UsageError
from policies.records import Run

_RUN_ID = re.compile(r"\s*(?:[-*+]\s+)?(?:#+\s*)?\**run[ _-]?id\**\s*:\**\s*(\S.*)", re.IGNORECASE)
_FIELD = re.compile(r"\s*(?:[-*+]\s+)?\**(method|model|dataset|data set)(?: name)?\**\s*:\**\s*(.*)", re.I)
_OPEN = re.compile(r"\s*(```|~~~)\s*(\w*)\s*")
_YAML_ID = re.compile(r"run_id\s*:\s*['\"]?([^'\"#\n]+?)['\"]?\s*(?:#.*)?")


class ListedRun(NamedTuple):
    """A run of the list and its config; `config` is None when the prompt shows none."""

    run: Run
    config: str | None


def listed_runs(text: str) -> list[ListedRun]:
    """The runs of a prompt, by their `Run ID:` lines; else by fenced YAML that carries a run_id."""
    blocks: list[tuple[str, list[str]]] = []
    fence, end = "", 0
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if fence:
            fence = "" if line.strip() == fence or number >= end else fence
        elif match := _OPEN.fullmatch(line):
            fence, end = match[1], _closing(lines, number, match[1])
        elif match := _RUN_ID.fullmatch(line):
            blocks.append((match[1].strip().strip("`*'\"").strip(), []))
            continue
        if blocks:
            blocks[-1][1].append(line)
    if not blocks and re.search(r"run[ _-]?id\s*:[ \t]*$", text, re.IGNORECASE | re.MULTILINE):
        raise UsageError("a run id in the run list is empty")
    return [_listed(run_id, body) for run_id, body in blocks] or _from_yaml(lines)


def dedent(lines: list[str]) -> str:
    """YAML without its margin; in a prompt often only the first line was indented."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return ""
    margin = min((_indent(line) for line in filled[1:]), default=_indent(filled[0]))
    first = lines.index(filled[0])
    if _indent(lines[first]) > margin:
        lines = [*lines[:first], " " * margin + lines[first].lstrip(), *lines[first + 1 :]]
    margin = min(margin, _indent(lines[first]))
    return "\n".join(line[margin:] if line.strip() else "" for line in lines).strip("\n") + "\n"


def _listed(run_id: str, body: list[str]) -> ListedRun:
    opening = next((i for i, line in enumerate(body) if _OPEN.fullmatch(line)), len(body))
    fields: dict[str, str] = {}
    for line in body[:opening]:
        if match := _FIELD.fullmatch(line):
            value = match[2].strip()
            fields.setdefault(match[1].lower().replace(" ", ""), "" if value == "None" else value)
    config = None if opening == len(body) else dedent(_fenced(body, opening))
    return ListedRun(Run(run_id=run_id, **fields), config)


def _fenced(lines: list[str], opening: int) -> list[str]:
    match = _OPEN.fullmatch(lines[opening])
    assert match, "a fence opens here"
    return lines[opening + 1 : _closing(lines, opening, match[1])]


def _closing(lines: list[str], opening: int, fence: str) -> int:
    """The line that closes a fence; the end of the text when none does."""
    return next((i for i in range(opening + 1, len(lines)) if lines[i].strip() == fence), len(lines))


def _from_yaml(lines: list[str]) -> list[ListedRun]:
    """Runs that are only shown as YAML."""
    runs: list[ListedRun] = []
    number = 0
    while number < len(lines):
        if _OPEN.fullmatch(lines[number]):
            config = dedent(_fenced(lines, number))
            number += len(_fenced(lines, number)) + 1
            ids = [m[1] for line in config.split("\n") if (m := _YAML_ID.fullmatch(line))]
            runs += [ListedRun(Run(run_id=ids[0]), config)] if ids else []
        number += 1
    return runs


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
