"""Check `energy-unit`: NVML counts energy in millijoules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.kinds import each, has_text
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.replace_node import replace_expression

COUNTER = "nvmlDeviceGetTotalEnergyConsumption"
_JOULES = re.compile(
    r"(?<!milli)(?<!kilo)(?<!mega)joules?\b|(?<![a-z])j_per|(?<![a-z])energy_j\b", re.IGNORECASE
)
_THOUSANDS = (1e3, 1e6, 3.6e6, 3.6e9)
HEAD = "import pynvml\n\n\ndef used(handle, start):\n"
READ = f"pynvml.{COUNTER}(handle)"


class EnergyUnit(Check):
    """`nvmlDeviceGetTotalEnergyConsumption` answers in millijoules, so joules are a thousandth of it.

    Code that logs the counter's difference as joules, and divides it nowhere, reports a thousand times what
    was used. Divided where it is read, everything that follows is in joules.

    Source: NVML API reference, device queries.
    """

    ID = "energy-unit"
    CRITERION = 4
    RESTS_ON = ("code",)
    GOOD = (
        Good(f"{HEAD}    joules = ({READ} - start) / 1000.0\n    return joules\n"),
        Good(f"{HEAD}    joules = ({READ} - start) * 1e-3\n    return joules\n"),
        Good(f"{HEAD}    return {READ} - start  # as it comes\n"),
        Good(f"{HEAD}    millijoules = {READ} - start\n    return millijoules\n"),
        Good("import pynvml\n\njoules = pynvml.nvmlDeviceGetPowerUsage(handle)\n"),
    )
    BAD = (
        Bad(
            f"{HEAD}    total_joules = {READ} - start  # of all\n    return total_joules\n",
            lines=(5,),
            fixed=f"{HEAD}    total_joules = ({READ} / 1000.0) - start  # of all\n    return total_joules\n",
        ),
        Bad(
            f"{HEAD}    first = {READ}\n    wait()\n    return {{'joules': {READ} - first}}\n",
            lines=(5,),
            fixed=f"{HEAD}    first = {READ} / 1000.0\n    wait()\n"
            f"    return {{'joules': ({READ} / 1000.0) - first}}\n",
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first reading of the counter, in a bundle that calls it joules and never converts."""
        reads = _reads(subject)
        named = _named_joules(subject) if reads else ""
        if not named or any(_converts(node) for _, node in subject.walk()):
            return
        module, call = reads[0]
        yield self.finding(
            module.path,
            call.lineno,
            f"`{COUNTER}` counts millijoules, and the bundle reports them as joules",
            f"line {call.lineno}: {module.line(call.lineno)} — {named}; nothing divides by 1000",
        )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Divide at every reading, so that differences and sums are joules; the last first."""
        module = subject.modules[finding.file]
        text = module.text
        for found, call in reversed(_reads(subject)):
            if found.path == finding.file:
                source = ast.get_source_segment(text, call) or ast.unparse(call)
                bare = isinstance(found.parents[call], ast.Assign | ast.Return | ast.Tuple)
                code = f"{source} / 1000.0" if bare else f"({source} / 1000.0)"
                text = replace_expression(Module(found.path, text, None), call, code)
        others = {found.path for found, _ in _reads(subject)} - {finding.file}
        return None if others else rewrite(subject.bundle, finding.file, text)


def _reads(subject: ParsedBundle) -> list[tuple[Module, ast.Call]]:
    return subject.memo("energy-unit.reads", _all_reads)


def _all_reads(subject: ParsedBundle) -> list[tuple[Module, ast.Call]]:
    found = [
        (module, node)
        for module, node in (each(subject, ast.Call) if has_text(subject, COUNTER) else ())
        if getattr(node.func, "attr", getattr(node.func, "id", "")) == COUNTER
    ]
    return sorted(found, key=lambda each: (each[0].path, each[1].lineno, each[1].col_offset))


def _named_joules(subject: ParsedBundle) -> str:
    """The first name or key of the training code that says joules."""
    for module, node in subject.walk():
        if isinstance(node, ast.Name):
            name = node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            name = node.value
        else:
            continue
        if _JOULES.search(name.replace("_", " ")) or _JOULES.search(name):
            return f"{module.path}:{node.lineno} calls it `{name}`"
    return ""


def _converts(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(op=ast.Div() | ast.FloorDiv(), right=ast.Constant(value=int() | float() as number)):
            return float(number) in _THOUSANDS
        case ast.BinOp(op=ast.Mult(), left=left, right=right):
            return any(
                isinstance(side, ast.Constant)
                and isinstance(side.value, int | float)
                and side.value > 0
                and any(abs(side.value * each - 1) < 1e-9 for each in _THOUSANDS)
                for side in (left, right)
            )
        case ast.AugAssign(op=ast.Div(), value=ast.Constant(value=int() | float() as number)):
            return float(number) in _THOUSANDS
    return False
