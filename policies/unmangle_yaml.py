"""Slips in YAML that have one meaning: Python's triple quotes, and keys given twice where one says it all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node

from policies.edit import split_lines

_TRIPLE = re.compile(r"(?<=: )(\"\"\"|''')(?P<text>.*?)\1(?=\s*(?:#|$))", re.MULTILINE)
MAX_REPEATED = 20


def single_quoted(text: str) -> str:
    """`key: \"\"\"text\"\"\"` on one line, as YAML writes a string."""
    return _TRIPLE.sub(lambda match: json.dumps(match["text"], ensure_ascii=False), text)


def without_contained_keys(text: str) -> str:
    """The text without a key that another of the same mapping repeats with all it says, and maybe more."""
    for _ in range(MAX_REPEATED):
        span = next(_contained(text), None)
        if span is None:
            return text
        lines = split_lines(text)
        text = "".join(lines[: span[0]] + lines[span[1] :])
    return text


def _contained(text: str) -> Iterator[tuple[int, int]]:
    """0-based line ranges of entries that another entry with the same key contains."""
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except (YAMLError, ValueError, RecursionError):
        return
    for mapping in _mappings(root):
        starts = [key.start_mark.line for key, _ in mapping.value]
        ends = [*starts[1:], _last_line(mapping.value[-1][1])] if starts else []
        for one, other in combinations(range(len(starts)), 2):
            if mapping.value[one][0].value != mapping.value[other][0].value:
                continue
            first, second = (_plain(mapping.value[i][1]) for i in (one, other))
            if _within(first, second):
                yield starts[one], ends[one]
            elif _within(second, first):
                yield starts[other], ends[other]


def _mappings(node: Node | None) -> Iterator[MappingNode]:
    """Block mappings, outermost first; a flow mapping does not own its lines."""
    if isinstance(node, MappingNode) and not node.flow_style:
        yield node
        for _, value in node.value:
            yield from _mappings(value)


def _last_line(node: Node) -> int:
    mark = node.end_mark
    return int(mark.line if mark.column == 0 else mark.line + 1)


def _plain(node: Node) -> Any:  # the shape of a YAML document
    if isinstance(node, MappingNode):
        return {str(key.value): _plain(value) for key, value in node.value}
    return [_plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def _within(part: Any, whole: Any) -> bool:
    """Whether `whole` says everything that `part` says."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _within(value, whole[key]) for key, value in part.items())
    return bool(part == whole)
