"""Line numbers of keys in YAML text."""

from __future__ import annotations

from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node


@lru_cache(maxsize=32)
def _root(text: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    try:
        node: Node | None = yaml.compose(text)
    except (YAMLError, ValueError, RecursionError):
        return None
    return node


def line_of(text: str, dotted: str) -> int:
    """1-based line of the key `a.b.c`, or of its nearest existing parent; 1 when there is none.

    Examples:
        line_of("a:\\n  b: 1\\n", "a.b") == 2
    """
    node, line = _root(text), 1
    for part in dotted.split("."):
        if not isinstance(node, MappingNode):
            return line
        for key, value in node.value:
            if str(key.value) == part:
                line, node = key.start_mark.line + 1, value
                break
        else:
            return line
    return line
