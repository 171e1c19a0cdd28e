"""What the conditions of a walk over modules select."""

from __future__ import annotations

import ast

import pytest

from policies.parsed import parse_module
from policies.walks import compiled, selected, walks

NAMES = ("layers.0", "layers.0.attn", "head")


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("'attn' in name", ("layers.0.attn",)),
        ("name.endswith('0')", ("layers.0",)),
        ("re.search(r'layers', name) and not hasattr(m, 'x')", ("layers.0", "layers.0.attn")),
        ("found.search(name)", ("layers.0",)),
        ("isinstance(m, nn.Module)", NAMES),
        ("isinstance(m, nn.Linear)", None),
        ("'attn' in other", None),
        ("'a' in name or 'b' in name", None),
    ],
)
def test_selected(test: str, expected: tuple[str, ...] | None) -> None:
    source = (
        "import re\nfrom torch import nn\nfound = re.compile(r'\\.\\d+$')\n"
        f"for name, m in list(model.named_modules()):\n    if {test}:\n        work(m)\n"
    )
    module = parse_module("a.py", source)
    (walk,) = walks(module)
    (call,) = [n for n in module.nodes if isinstance(n, ast.Call) and ast.unparse(n) == "work(m)"]
    tests = walk.conditions(call)
    assert tests is not None
    assert selected(walk, tests, NAMES) == expected


@pytest.mark.parametrize("pattern", ["(a+)+$", "^model", "(?<=x)y", "[", "a*b*c*d*e*", 3, "x" * 300])
def test_what_may_be_slow_or_means_another_place_is_not_searched(pattern: object) -> None:
    assert compiled(pattern) is None
