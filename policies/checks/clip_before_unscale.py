"""Check `clip-before-unscale`: gradients are unscaled before they are clipped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.hydra.insert import before_line
from policies.hydra.names import origin
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Severity

CLIPS = frozenset({"torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad_value_"})
HEAD = "from torch.nn.utils import clip_grad_norm_\n\n\ndef step(loss, model, optimizer, scaler):\n"
SCALED = "    scaler.scale(loss).backward()\n"
CLIP = "    clip_grad_norm_(model.parameters(), 1.0)  # at most 1\n"
STEP = "    scaler.step(optimizer)\n    scaler.update()\n"


class ClipBeforeUnscale(ModuleCheck):
    """`GradScaler` scales the loss by 65536, and so the gradients, until `unscale_` or `step` divides them.

    Clipped in between, they are cut to a norm that means 65536 times less than it says: every step is
    clipped, and what is left after unscaling is almost nothing.

    Source: PyTorch, automatic mixed precision examples, gradient clipping.
    """

    ID = "clip-before-unscale"
    CRITERION = 4
    SEVERITY = Severity.ADVISORY
    GOOD = (
        Good(f"{HEAD}{SCALED}    scaler.unscale_(optimizer)\n{CLIP}{STEP}"),
        Good(f"{HEAD}    loss.backward()\n{CLIP}    optimizer.step()\n"),
        Good(
            f"{HEAD}    if scaler:\n    {SCALED}    else:\n        loss.backward()\n"
            f"{CLIP}    optimizer.step()\n"
        ),
    )
    BAD = (
        Bad(
            f"{HEAD}{SCALED}{CLIP}{STEP}",
            lines=(6,),
            fixed=f"{HEAD}{SCALED}    scaler.unscale_(optimizer)\n{CLIP}{STEP}",
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every clipping between the backward pass of a scaled loss and the scaler's step."""
        for clip, _, scaler, optimizer in _clips(module):
            yield self.finding(
                module.path,
                clip.lineno,
                f"gradients are clipped while `{scaler}` has them scaled up: `{scaler}.unscale_` comes first",
                f"line {clip.lineno}: {module.line(clip.lineno)} — then `{scaler}.step({optimizer})`, "
                "and nothing unscales them before",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Unscale right before clipping."""
        module = subject.modules[finding.file]
        for clip, statement, scaler, optimizer in _clips(module):
            if clip.lineno == finding.line:
                code = f"{scaler}.unscale_({optimizer})"
                return rewrite(subject.bundle, module.path, before_line(module, statement.lineno, code))
        return None


def _clips(module: Module) -> list[tuple[ast.Call, ast.stmt, str, str]]:
    """Clipping, its statement, the scaler and what it steps, where all three follow in one block."""
    found: list[tuple[ast.Call, ast.stmt, str, str]] = []
    for node in of_kind(module, ast.Call) if "scaler" in module.text else ():
        if origin(module, node.func) not in CLIPS:
            continue
        statement = module.parents[node]
        if not isinstance(statement, ast.Expr | ast.Assign):
            continue
        block = _block(module, statement)
        place = block.index(statement)
        scaler, optimizer = _step(block[place + 1 :])
        before = "\n".join(map(ast.unparse, block[:place]))
        if scaler and f"{scaler}.scale(" in before and "unscale_" not in before:
            found.append((node, statement, scaler, optimizer))
    return sorted(found, key=lambda each: each[0].lineno)


def _block(module: Module, statement: ast.stmt) -> list[ast.stmt]:
    """The statements among which this one stands."""
    parent = module.parents[statement]
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and statement in block:
            return block
    return [statement]


def _step(block: list[ast.stmt]) -> tuple[str, str]:
    """Scaler and optimizer of the first `scaler.step(optimizer)` in a block; empty when there is none."""
    for statement in block:
        match statement:
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="step"), args=[one])
            ):
                if "scaler" in name.lower():
                    return name, ast.unparse(one)
    return "", ""
