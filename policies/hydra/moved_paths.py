"""What in a module depends on the working directory: children started with `-m`, relative paths."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.hydra.names import origin
from policies.kinds import of_kind
from policies.parsed import Module

STARTERS = frozenset(
    {f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")} | {"os.system"}
)
_RELATIVE = re.compile(r"(?:\.{1,2}/)?(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:ya?ml|json|csv|pt|txt)")
_PATH_CALLS = frozenset(
    {"pathlib.Path", "open", "omegaconf.OmegaConf.load", "os.makedirs", "os.path.join", "os.path.exists"}
)


def directory_dependent(module: Module) -> tuple[tuple[int, str], ...]:
    """Line and kind of what breaks or moves when the working directory does, in line order."""
    return tuple(sorted({*_children(module), *_paths(module)}))


def _children(module: Module) -> Iterator[tuple[int, str]]:
    """Children that must find the bundle's modules from where they start."""
    if not any(n.value == "-m" for n in of_kind(module, ast.Constant)):
        return
    for node in module.nodes:
        if not isinstance(node, ast.Call) or origin(module, node.func) not in STARTERS:
            continue
        if not any(k.arg in ("cwd", "env", None) for k in node.keywords):
            yield node.lineno, "the child started with `-m` finds no module `src`"


def _paths(module: Module) -> Iterator[tuple[int, str]]:
    for node in module.nodes:
        if isinstance(node, ast.Call) and origin(module, node.func) in _PATH_CALLS and node.args:
            first = node.args[0]
            text = _start(first)
            if text and _RELATIVE.match(text):
                yield node.lineno, f"`{ast.unparse(first)}` is relative"
            elif isinstance(first, ast.Attribute) and first.attr == "results_dir":
                yield node.lineno, "a relative `results_dir` moves"
        elif isinstance(node, ast.keyword) and node.arg == "cache_dir":
            text = _start(node.value)
            if text and _RELATIVE.match(text):
                yield node.value.lineno, f"`cache_dir={text!r}` moves"


def _start(node: ast.expr) -> str:
    """The text a literal or f-string begins with."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return _start(node.values[0])
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
