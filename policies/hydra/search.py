"""Loops over known sections, and what the interpreter knows of Optuna: trials, suggestions, best values."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from policies.hydra.machine import Frame, Machine
from policies.hydra.trace import Study, Suggestion, Trace
from policies.hydra.values import UNKNOWN, Constant, Flag, Many, Node, Sampled, Value

MAX_PARTS = 40
SPACE = "optuna.search_space."


def parts_of(value: Value, trace: Trace | None) -> Sequence[Value] | None:
    """What a loop over `value` meets, one by one; None when that is not known or too much."""
    if isinstance(value, Node):
        if trace is not None:
            trace.use(value)
        if not value.complete:
            return None
        parts: Sequence[Value] = [Constant(key) for key in value.data]
    elif isinstance(value, Many):
        parts = value.parts
    elif isinstance(value, Constant) and isinstance(value.value, tuple | list):
        parts = [Constant(part) for part in value.value]
    else:
        return None
    return parts if len(parts) <= MAX_PARTS else None


def spread(targets: Sequence[ast.expr], parts: Sequence[Value] | None) -> Sequence[Value]:
    """What each target of `a, *b, c = parts` gets."""
    starred = [i for i, target in enumerate(targets) if isinstance(target, ast.Starred)]
    extra = len(parts) - len(targets) if parts is not None else -1
    if parts is None or len(starred) > 1 or extra < -len(starred) or (extra and not starred):
        return [UNKNOWN] * len(targets)
    if not starred:
        return parts
    first, last = starred[0], starred[0] + extra + 1
    return [*parts[:first], Many(tuple(parts[first:last])), *parts[last:]]


def items(owner: Node, method: str) -> Value:
    """`section.items()` and its kind; unknown when the section may hold more."""
    if not owner.complete:
        return UNKNOWN
    keys = [key for key in owner.data if isinstance(key, str)]
    if method == "keys":
        return Many(tuple(Constant(key) for key in keys))
    if method == "values":
        return Many(tuple(owner.child(key) for key in keys))
    return Many(tuple(Many((Constant(key), owner.child(key))) for key in keys))


def spec_in(frame: Frame) -> str:
    """Path of the search-space entry that a local variable holds; empty when none or more than one does."""
    held = {v.path.removeprefix("run.") for v in frame.variables.values() if isinstance(v, Node)}
    found = [path for path in held if path.startswith(SPACE)]
    return found[0] if len(found) == 1 else ""


def searched(
    machine: Machine, node: ast.Call, arguments: list[Value], keywords: dict[str | None, Value], frame: Frame
) -> Value | None:
    """Calls into Optuna that need no object: suggestions and new studies; None for others."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "create_study":
        direction = keywords.get("direction", UNKNOWN if "directions" in keywords else None)
        machine.trace.studies.append(Study(frame.module, node, UNKNOWN if None in keywords else direction))
        return UNKNOWN
    if not name.startswith("suggest_") or not isinstance(node.func, ast.Attribute):
        return None
    given = arguments[0] if arguments else keywords.get("name", UNKNOWN)
    known = given.value if isinstance(given, Constant) and isinstance(given.value, str) else None
    machine.trace.suggestions.append(Suggestion(frame.module, node, known, spec_in(frame)))
    return Sampled(known or "")


def best_values(machine: Machine, node: ast.Attribute) -> Value | None:
    """`study.best_params`, `study.best_trial.params`: what was sampled under the names seen so far."""
    is_params = node.attr == "params" and ast.unparse(node.value).endswith("trial")
    names = [s.name for s in machine.trace.suggestions]
    if not (node.attr == "best_params" or is_params) or not names or None in names:
        return None
    return Node({n: Sampled(n) for n in names if n}, Flag(False), origin="loose")
