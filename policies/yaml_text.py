"""Reads YAML that nobody vouches for: sizes and aliases are limited before anything is built from it."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node

MAX_CHARS = 200_000
"""A longer config is a finding, not something to parse."""
MAX_NODES = 100_000
"""Nodes of a document after every alias is written out."""


def load_yaml(text: str) -> Any:  # parsed data has no narrower type
    """The data of one YAML 1.2 document; None when it is empty.

    Raises: YAMLError or ValueError, whose message says why; RecursionError for deep nesting.
    """
    if len(text) > MAX_CHARS:
        raise ValueError(f"the file is larger than {MAX_CHARS:,} characters")
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    if "&" in text and "*" in text:
        _check_aliases(yaml.compose(text))
    return yaml.load(text)


def yaml_error(error: Exception, text: str) -> tuple[str, int]:
    """What was wrong, as one line, and the 1-based line where."""
    mark = getattr(error, "problem_mark", None)
    position = getattr(error, "position", 0)  # of a character that YAML does not allow
    line = mark.line + 1 if mark else line_of(text, position if isinstance(position, int) else 0)
    problem = error.problem if isinstance(error, MarkedYAMLError) else None
    return (problem or str(error) or type(error).__name__).split("\n")[0], line


def line_of(text: str, position: int) -> int:
    """The 1-based line of a character."""
    return text.count("\n", 0, position) + 1


def _check_aliases(root: Node | None) -> None:
    """Refuse a document that grows out of hand, or without end, when its aliases are written out."""
    sizes: dict[int, int] = {}
    if root is not None and _size(root, sizes, set()) > MAX_NODES:
        raise ValueError(f"its aliases expand to more than {MAX_NODES:,} values")


def _size(node: Node, sizes: dict[int, int], open_nodes: set[int]) -> int:
    """Nodes below and including `node`, shared ones counted as often as they are used."""
    if id(node) in open_nodes:
        raise ValueError("an alias stands inside the value that it repeats")
    if id(node) not in sizes:
        open_nodes.add(id(node))
        sizes[id(node)] = 1 + sum(_size(child, sizes, open_nodes) for child in _children(node))
        open_nodes.discard(id(node))
    return sizes[id(node)]


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, CollectionNode) else []
