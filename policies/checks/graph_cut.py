"""Check `graph-cut`: every term of a loss that is trained on has a gradient."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.assigned import values_of
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.gradient import Grad, Tracer
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.wording import clip

HEAD = "import torch\n\n\ndef step(model, cost, batch, cfg):\n    out = model(**batch)\n"
LOSS = "    loss = out.loss + cfg.training.weight * price\n    loss.backward()\n"


class GraphCut(ModuleCheck):
    """A term of the loss that was computed without a graph is a number: adding it trains nothing.

    `torch.no_grad()`, `.item()`, `.detach()`, `float(...)` and `torch.tensor(...)` give values without
    gradients, and so does a function that looks only at shapes. Whatever the term is to make smaller, the
    parameters do not hear of it.

    Source: PyTorch, autograd mechanics.
    """

    ID = "graph-cut"
    CRITERION = 4
    GOOD = (
        Good(f"{HEAD}    price = cost(out)\n{LOSS}"),
        Good(
            f"{HEAD}    with torch.no_grad():\n        weight = cost(out)\n    price = weight * out.x\n{LOSS}"
        ),
        Good(f"{HEAD}    price = cfg.training.price\n{LOSS}"),
        Good(f"{HEAD}    price = out.x + (cost(out) - out.x).detach()\n{LOSS}"),
        Good(f"{HEAD}    price = cost(out).item()\n    print(out.loss + price)\n    out.loss.backward()\n"),
        Good(f"{HEAD}    price = torch.tensor(1.0, requires_grad=True)\n{LOSS}"),
    )
    BAD = (
        Bad(f"{HEAD}    with torch.no_grad():\n        price, _ = cost(out)\n{LOSS}", lines=(8,)),
        Bad(f"{HEAD}    price = cost(out).item() / 2\n{LOSS}", lines=(7,)),
        Bad(
            "def size_of(hidden, weight):\n    return weight * hidden.numel()\n\n\n"
            "def step(model, scaler, batch, cfg):\n    out = model(**batch)\n    total = out.loss\n"
            "    if cfg.training.weigh:\n        total = total + size_of(out.hidden, cfg.training.weight)\n"
            "    scaler.scale(total / 2).backward()\n",
            lines=(9,),
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every loss with a term that is certainly a number to the graph."""
        seen: set[ast.expr] = set()
        for loss in _losses(module):
            terms = [t for t in dict.fromkeys(_terms(module, _unscaled(loss), set())) if t not in seen]
            seen.update(terms)
            groups: dict[tuple[str, ...], list[ast.expr]] = {}
            for term in terms:
                tracer = Tracer(subject)
                if tracer.grad(module, term) is Grad.CUT and tracer.reasons:
                    groups.setdefault(tuple(sorted(tracer.reasons, key=_is_update)), []).append(term)
            for reasons, cut in groups.items():
                yield self._found(module, cut, reasons)

    def _found(self, module: Module, cut: list[ast.expr], reasons: tuple[str, ...]) -> Finding:
        """One cause is one finding, whatever number of terms it makes constant."""
        named = ", ".join(f"`{clip(ast.unparse(term), 70)}`" for term in cut)
        have = "have no gradient: they train" if len(cut) > 1 else "has no gradient: it trains"
        line = min(term.lineno for term in cut)
        return self.finding(
            module.path,
            line,
            f"{named} in the loss {have} nothing",
            f"line {line}: {module.line(line)} — {'; '.join(reasons[:2])}",
        )


def _losses(module: Module) -> Iterator[ast.expr]:
    """What `backward` is called on."""
    for node in of_kind(module, ast.Call):
        match node:
            case ast.Call(func=ast.Attribute(value=loss, attr="backward")):
                yield loss


def _is_update(reason: str) -> bool:
    """Whether a reason is about a multiplier that is updated by hand; what the term computes comes first."""
    return "no_grad" in reason


def _unscaled(node: ast.expr) -> ast.expr:
    """The loss itself: without a scaler around it and without a division by a number of steps."""
    match node:
        case ast.Call(func=ast.Attribute(attr="scale"), args=[inner]):
            return _unscaled(inner)
        case ast.BinOp(op=ast.Div(), left=left):
            return _unscaled(left)
    return node


def _terms(module: Module, node: ast.expr, met: set[ast.expr]) -> Iterator[ast.expr]:
    """What is added up to a loss of several terms, followed through names; every expression once."""
    if node in met:
        return
    met.add(node)
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=right):
            for side in (left, right):
                yield from _parts(module, side, met)
        case ast.BinOp(op=ast.Div(), left=left):
            yield from _terms(module, left, met)
        case ast.Name(id=name):
            for value in values_of(module, name, node):
                if value is not None:
                    yield from _terms(module, value, met)


def _parts(module: Module, node: ast.expr, met: set[ast.expr]) -> Iterator[ast.expr]:
    """One side of a sum: its own terms when it is a sum, too, else itself."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield from _terms(module, node, met)
    elif isinstance(node, ast.Name) and (inner := list(_terms(module, node, met))):
        yield from inner
    else:
        yield node
