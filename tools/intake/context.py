"""Reads the research context out of the sections of a prompt."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping

from policies.records import ResearchContext, Run
from tools.intake.prompt import Kind

_METRICS = re.compile(r"^\W*(?:evaluation )?metrics\W*?:\W*?(\[.*\])\s*$", re.IGNORECASE | re.MULTILINE)
_METRIC_LINE = re.compile(r"^\W*evaluation metrics\W*?:[ \t]*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_METRIC_ITEMS = re.compile(
    r"^\W*evaluation metrics\W*?:[ \t]*\n((?:[ \t]*[-*+][ \t]+.+\n?)+)", re.IGNORECASE | re.MULTILINE
)
_PRIMARY = re.compile(r'"primary_metric"\s*:\s*("(?:[^"\\\n]|\\.)*")')
_PRIMARY_FIELD = re.compile(r"\bprimary_metric=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")
_HOLE = re.compile(r"\W*|<.*>|\{.*\}|\[.*\]|string|str|metric_?name|primary_metric", re.IGNORECASE)


def read_context(parts: Mapping[Kind, str], criteria: str, runs: tuple[Run, ...]) -> ResearchContext:
    """Hypothesis, method and design as they stand, the metrics, and the primary metric's exact name."""
    hypothesis = parts.get("hypothesis", "")
    metrics = _metrics(parts.get("design", "")) or _metrics("\n".join(parts.values()))
    return ResearchContext(
        hypothesis=hypothesis,
        method=parts.get("method", ""),
        design=parts.get("design", ""),
        metrics=metrics,
        primary_metric=_primary(criteria) or _primary_field(hypothesis) or next(iter(metrics), ""),
        runs=runs,
    )


def _metrics(text: str) -> tuple[str, ...]:
    """A Python list on one line, else bullets, else names separated by commas."""
    if match := _METRICS.search(text):
        try:
            value = ast.literal_eval(match[1])
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            value = match[1].strip("[]").split(",")
        return tuple(name for item in value if (name := str(item).strip(" '\"")))
    if match := _METRIC_ITEMS.search(text):
        return tuple(line.strip(" \t-*+") for line in match[1].splitlines())
    if match := _METRIC_LINE.search(text):
        return tuple(name.strip() for name in match[1].split(",") if name.strip())
    return ()


def _primary(criteria: str) -> str:
    """The name in the example of the aggregated metrics, unless it only marks the place."""
    for match in _PRIMARY.finditer(criteria):
        try:
            name = json.loads(match[1])
        except ValueError:
            continue
        if isinstance(name, str) and not _HOLE.fullmatch(name):
            return name
    return ""


def _primary_field(hypothesis: str) -> str:
    """The field of a hypothesis that was printed as a Python record."""
    match = _PRIMARY_FIELD.search(hypothesis)
    try:
        return str(ast.literal_eval(match[1])) if match else ""
    except (ValueError, SyntaxError):
        return ""
