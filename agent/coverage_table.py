"""The table of what holds a bundle to each sentence of a contract: for terminals, RULES.md and programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from policies.contract import Contract
from policies.coverage import NOT_COVERED, Coverage, coverage

_WIDTH = 110


def coverage_data(contract: Contract) -> dict[str, Any]:
    """The table for programs."""
    rows = coverage(contract)
    return {
        "contract": contract.name,
        "sentences": [{**row.model_dump(mode="json"), "covered": row.covered} for row in rows],
    }


def coverage_text(contract: Contract, width: int = 0) -> str:
    """The table for a terminal `width` columns wide: each sentence, and below it what speaks to it."""
    columns = min(width or _WIDTH, _WIDTH)
    lines = [f"What holds a bundle to each sentence of the {contract.name} contract"]
    for (number, title), rows in groupby(coverage(contract), key=lambda row: (row.number, row.title)):
        lines += ["", f"{number}. {title}"]
        for row in rows:
            lines += _wrapped(first_line(row), "  ", columns)
            lines += [line for part in parts(row) for line in _wrapped(part, "      ", columns)]
    return "\n".join(lines) + "\n"


def coverage_page(contract: Contract) -> str:
    """The table in Markdown."""
    rows = [
        f"| {row.number} | {_cell(first_line(row))} | {'; '.join(_cell(part) for part in parts(row))} |"
        for row in coverage(contract)
    ]
    return "| criterion | sentence | held to it by |\n|---|---|---|\n" + "\n".join(rows)


def first_line(row: Coverage) -> str:
    """The sentence without the block of code that may follow it."""
    head, _, rest = row.sentence.partition("\n")
    return f"{head} …" if rest.strip() else head


def parts(row: Coverage) -> Iterator[str]:
    """What speaks to a sentence, a kind at a time."""
    if not row.covered:
        yield NOT_COVERED
    if row.checks:
        yield f"checks: {', '.join(row.checks)}"
    if row.phases:
        yield f"rehearsals: {', '.join(row.phases)}"
    for setting in row.sets:
        yield f"contract: {setting}"
    for reason in row.judged:
        yield f"judgement: {reason}"


def _wrapped(text: str, indent: str, columns: int) -> list[str]:
    return textwrap.wrap(
        text,
        columns,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
