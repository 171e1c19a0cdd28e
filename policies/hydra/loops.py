"""How often a loop runs, told from its head and from the tests that leave it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from policies.hydra.truth import truth
from policies.hydra.values import Constant, Value
from policies.parsed import Module
from policies.tree import children, walk

WRAPPERS = ("enumerate", "tqdm", "iter", "track")
DATA = ("loader", "_dl", "dl_", "batches", "pbar")
DATA_NAMES = ("progress", "progress_bar", "dl")
Body = ast.For | ast.While
_KEPT = 128
"""Loops that are remembered, each with the tree it stands in."""


class Values(Protocol):
    """What gives an expression's value at the head of the loop."""

    def __call__(self, node: ast.expr) -> Value: ...


@dataclass(frozen=True)
class Loop:
    """A loop over batches or steps that a launch reaches, with the number of its rounds."""

    module: Module
    node: Body
    function: str
    over_data: bool
    """Whether it goes through a data loader."""
    rounds: int | None
    """None when nothing ends it but the end of its data."""
    total: int | None
    """The rounds, times those of the loops around it where the count starts anew."""
    late: str = ""
    """The test that lets one round more than it seems; empty when there is none."""
    accumulates: int = 0
    """Rounds between two optimizer steps, where `(step + 1) % n` decides; 0 when nothing does."""


@dataclass(frozen=True)
class _Limit:
    rounds: int
    anew: bool = True
    """Whether the count starts anew with every start of the loop."""
    late: str = ""


class _Unknown(Exception):  # control flow: the rounds cannot be told
    """Ends the counting."""


def measure(module: Module, node: Body, function: str, values: Values, around: Sequence[int]) -> Loop | None:
    """The loop with its rounds; None when they cannot be told or it is not over batches or steps.

    Args:
        around: rounds of the counted loops around this one.
    """
    over_data = isinstance(node, ast.For) and _over_data(node.iter)
    if not (over_data or _counts(node)) or _skips(node):
        return None
    changing = _changing(node)
    try:
        found = [*_head(node, values), *(_limit(node, way, values, changing) for way in _ways_out(node))]
    except _Unknown:
        return None
    known = [limit for limit in found if limit is not None]
    every = _accumulates(node, values)
    if not known:
        return Loop(module, node, function, over_data, None, None, "", every) if over_data else None
    least = min(known, key=lambda limit: limit.rounds)
    total = least.rounds
    for rounds in around if least.anew else ():
        total *= rounds
    return Loop(module, node, function, over_data, least.rounds, total, least.late, every)


def _accumulates(node: Body, values: Values) -> int:
    """How many rounds one optimizer step waits for, when all steps of the loop stand behind one such test."""
    index = _index(node)
    test = _step_test(node) if index else None
    for part in _parts(test) if test is not None else ():
        match part:
            case ast.Compare(
                left=ast.BinOp(left=counter, op=ast.Mod(), right=every),
                ops=[ast.Eq()],
                comparators=[ast.Constant(value=0)],
            ) if ast.unparse(counter) in (f"{index} + 1", f"1 + {index}"):
                return _number(values(every)) or 0
            case _:
                pass
    return 0


@lru_cache(maxsize=_KEPT)
def _step_test(node: Body) -> ast.expr | None:
    """The one test that all optimizer steps of the loop stand behind."""
    steps = [s for s in node.body if _steps(s)]
    only = steps[0] if len(steps) == 1 else None
    return only.test if isinstance(only, ast.If) and not only.orelse else None


def _steps(node: ast.AST) -> bool:
    """Whether an optimizer or a scaler makes a step in a statement."""
    calls = (n for n in walk(node) if isinstance(n, ast.Call) and _last(n.func) == "step")
    owners = (_last(c.func.value).lower() for c in calls if isinstance(c.func, ast.Attribute))
    return any(word in owner for owner in owners for word in ("opt", "scaler"))


def _counts(node: Body) -> bool:
    """Whether the head may bound the loop by a number."""
    if isinstance(node, ast.While):
        return True
    inner = _unwrapped(node.iter)
    return isinstance(inner, ast.Call) and _last(inner.func) in ("range", "trange")


@lru_cache(maxsize=_KEPT)
def _skips(node: Body) -> bool:
    """Whether a round may end early, or hands its values out: the rounds then say little."""
    return any(isinstance(n, ast.Continue | ast.Yield | ast.YieldFrom) for n in own_nodes(node.body))


@lru_cache(maxsize=_KEPT)
def _changing(node: Body) -> dict[str, bool]:
    """Names that the loop binds -> whether it only ever adds one to them."""
    found: dict[str, bool] = {}
    for inner in walk(node):
        if isinstance(inner, ast.AugAssign) and isinstance(inner.target, ast.Name):
            one = isinstance(inner.value, ast.Constant) and inner.value.value == 1
            counts = one and isinstance(inner.op, ast.Add)
            found[inner.target.id] = found.get(inner.target.id, True) and counts
    stored = {
        n.id: False
        for n in walk(node)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id not in found
    }
    return found | stored


def _over_data(node: ast.expr) -> bool:
    """Whether an iterable is a data loader, by its name, wrapped or not."""
    node = _unwrapped(node)
    name = _last(node).lower()
    return any(word in name for word in DATA) or name in DATA_NAMES


def _unwrapped(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Call) and node.args and _last(node.func) in WRAPPERS:
        node = node.args[0]
    return node


def _head(node: Body, values: Values) -> Iterator[_Limit]:
    """What `range(n)` or `while step < n` allow. Raises _Unknown when they cannot be told."""
    if isinstance(node, ast.While):
        yield from _while(node.test, values)
        return
    inner = _unwrapped(node.iter)
    if isinstance(inner, ast.Call) and _last(inner.func) in ("range", "trange"):
        numbers = [_number(values(argument)) for argument in inner.args]
        if len(numbers) not in (1, 2) or None in numbers:
            raise _Unknown
        start = numbers[0] if len(numbers) == 2 else 0
        yield _Limit(max(0, (numbers[-1] or 0) - (start or 0)))
    elif isinstance(inner, ast.Call):
        raise _Unknown


def _while(test: ast.expr, values: Values) -> Iterator[_Limit]:
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Lt | ast.LtE):
        limit = _number(values(test.comparators[0]))
        if limit is not None:
            yield _Limit(limit + isinstance(test.ops[0], ast.LtE), anew=False)
            return
    if not (isinstance(test, ast.Constant) and test.value):
        raise _Unknown


@dataclass(frozen=True)
class _Exit:
    """One way out of a loop: the tests before it, and whether the work of a round comes first."""

    tests: tuple[ast.expr, ...]
    behind_work: bool


@lru_cache(maxsize=_KEPT)
def _ways_out(node: Body) -> tuple[_Exit, ...]:
    """Every `break` and `return` of the loop itself."""
    worked, found = False, list[_Exit]()
    for statement in node.body:
        found += _exits(statement, (), worked)
        worked = worked or _works(statement)
    return tuple(found)


def _exits(node: ast.stmt, tests: tuple[ast.expr, ...], worked: bool) -> Iterator[_Exit]:
    match node:
        case ast.Break() | ast.Return() | ast.Raise():
            yield _Exit(tests, worked)
        case ast.If(test=test, body=body, orelse=orelse):
            for statement in body:
                yield from _exits(statement, (*tests, test), worked)
            for statement in orelse:
                yield from _exits(statement, (*tests, ast.UnaryOp(ast.Not(), test)), worked)
        case ast.With(body=body):
            for statement in body:
                yield from _exits(statement, tests, worked)
        case ast.Try() if any(isinstance(n, ast.Break | ast.Return) for n in own_nodes([node])):
            raise _Unknown
        case _:
            pass


def own_nodes(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Every node of a loop's body that is not in a loop or function inside it."""
    for node in body:
        yield node
        if not isinstance(node, ast.For | ast.While | ast.FunctionDef | ast.Lambda):
            yield from own_nodes(list(children(node)))


def _works(node: ast.stmt) -> bool:
    """Whether a statement does the work of a round, rather than test or count."""
    if isinstance(node, ast.If) and any(isinstance(n, ast.Break) for n in walk(node)):
        return False
    calls = (n for n in walk(node) if isinstance(n, ast.Call))
    return any(_last(c.func) in ("backward", "model", "net", "forward", "generate") for c in calls)


def _limit(node: Body, way: _Exit, values: Values, changing: dict[str, bool]) -> _Limit | None:
    """The rounds that one way out allows; None when it is never taken. Raises _Unknown when unclear."""
    counted: list[_Limit] = []
    for test in (part for whole in way.tests for part in _parts(whole)):
        moving = any(isinstance(n, ast.Name) and n.id in changing for n in walk(test))
        outcome = None if moving else truth(values(test))
        if outcome is False:
            return None
        if outcome is None:
            counted.append(_compared(node, test, way.behind_work, values, changing))
    return min(counted, key=lambda limit: limit.rounds, default=_Limit(1))


def _parts(test: ast.expr) -> Sequence[ast.expr]:
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]


def _compared(
    node: Body, test: ast.expr, behind_work: bool, values: Values, changing: dict[str, bool]
) -> _Limit:
    """The rounds that `step >= 2` allows, counted from where it stands."""
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], ast.Gt | ast.GtE | ast.Eq):
        raise _Unknown
    limit = _number(values(test.comparators[0]))
    if limit is None:
        raise _Unknown
    count = limit + isinstance(test.ops[0], ast.Gt)
    index, left = _index(node), test.left
    if isinstance(left, ast.Name) and left.id == index:
        late = behind_work and not isinstance(test.ops[0], ast.Eq)
        return _Limit(count + behind_work, late=ast.unparse(test) if late else "")
    if index and ast.unparse(left) in (f"{index} + 1", f"1 + {index}"):
        return _Limit(count if behind_work else max(0, count - 1))
    if isinstance(left, ast.Name) and changing.get(left.id):
        return _Limit(count, anew=False)
    raise _Unknown


def _index(node: Body) -> str:
    """The variable that `enumerate` counts in from zero; empty when there is none."""
    inner = node.iter if isinstance(node, ast.For) else None
    while isinstance(inner, ast.Call) and inner.args and _last(inner.func) in ("tqdm", "track"):
        inner = inner.args[0]
    if not isinstance(inner, ast.Call) or _last(inner.func) != "enumerate" or len(inner.args) != 1:
        return ""
    target = node.target if isinstance(node, ast.For) and not inner.keywords else None
    first = target.elts[0] if isinstance(target, ast.Tuple) else None
    return first.id if isinstance(first, ast.Name) else ""


def _number(value: Value) -> int | None:
    known = isinstance(value, Constant) and isinstance(value.value, int) and not isinstance(value.value, bool)
    return value.value if known and isinstance(value, Constant) else None


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
