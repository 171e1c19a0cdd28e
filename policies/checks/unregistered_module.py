"""Check `unregistered-module`: modules with parameters belong to the model that is trained."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.assigned import values_of
from policies.base import Bad, Check, Evidence, Good
from policies.kinds import each, of_kind
from policies.module_classes import class_names, makes_parameters
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.tree import walk
from policies.wording import clip

HARMLESS = frozenset({"to", "train", "eval", "float", "half", "cuda", "forward", "append"})
GATE = (
    "import torch\nfrom torch import nn\n\n\nclass Gate(nn.Module):\n    def __init__(self):\n"
    "        super().__init__()\n        self.logit = nn.Parameter(torch.zeros(1))\n\n\n"
)
WALK = (
    "def gated(model):\n    gates = []\n    for m in model.layers:\n        gate = Gate()\n\n"
    "        def hook(mod, args, out, gate=gate):\n            return out * gate()\n\n"
    "        m.register_forward_hook(hook)\n        gates.append(gate)\n{0}    return gates\n\n\n"
)
TRAIN = "optimizer = torch.optim.AdamW(model.parameters())\n"
LISTED = (
    f"{GATE}class Net(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n"
    "        self.gates = [Gate() for _ in range(n)]\n"
)
TAKEN = (
    "self.stack = nn.Sequential(*self.gates)",
    "[self.add_module(str(i), gate) for i, gate in enumerate(self.gates)]",
    "[setattr(self, f'gate{i}', gate) for i, gate in enumerate(self.gates)]",
)
TAKES_IN = frozenset({"ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "add_param_group"})
TAKES_IN |= {"add_module", "register_module", "_modules"}


class UnregisteredModule(Check):
    """A module that only a hook or a plain list holds is no part of the model: `parameters()` lacks it.

    The optimizer never gets its parameters, `.to(device)` leaves it where it is, `eval()` does not reach it
    and no checkpoint has it. It stays as it was made. An attribute of a module, `add_module`, `nn.ModuleList`
    or the optimizer's own list of parameters would take it in.

    Source: PyTorch, `torch.nn.Module.parameters`, `torch.nn.ModuleList`.
    """

    ID = "unregistered-module"
    CRITERION = 4
    PATH = "src/model.py"
    GOOD = (
        Good(f"{GATE}{WALK.format('        m.gate = gate' + chr(10))}{TRAIN}"),
        Good(f"{GATE}{WALK.format('    model.gates = nn.ModuleList(gates)' + chr(10))}{TRAIN}"),
        Good(
            f"{GATE}{WALK.format('')}optimizer = torch.optim.AdamW(\n"
            "    [p for g in gated(model) for p in g.parameters()]\n)\n"
        ),
        Good(f"{GATE}{WALK.format('')}"),
        *(Good(f"{LISTED}        {line}\n\n\n{TRAIN}") for line in TAKEN),
        Good(f"{GATE}class Net(nn.Module):\n    def forward(self, x):\n        nn.Tanh()(x)\n\n\n{TRAIN}"),
    )
    BAD = (
        Bad(f"{GATE}{WALK.format('')}{TRAIN}", lines=(14,)),
        Bad(
            f"{LISTED}\n\n{TRAIN}",
            lines=(14,),
        ),
        Bad(f"{GATE}m.register_forward_hook(lambda mod, args, out: Gate()(out))\n{TRAIN}", lines=(11,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every module with parameters that nothing takes in, in a bundle that trains `x.parameters()`."""
        held = [(module, *each) for module in subject.parsable for each in _held(subject, module)]
        if not held or not _trains_a_model(subject) or _collects(subject):
            return
        groups: dict[tuple[ast.AST | None, str], list[tuple[Module, ast.stmt | ast.expr]]] = {}
        for module, node, why in sorted(held, key=lambda each: (each[0].path, each[1].lineno)):
            groups.setdefault((module.enclosing_function(node), why), []).append((module, node))
        for (_, why), alike in groups.items():
            yield self._found(*alike[0], why, [node.lineno for _, node in alike[1:]])

    def _found(self, module: Module, node: ast.stmt | ast.expr, why: str, others: list[int]) -> Finding:
        also = f" (lines {', '.join(map(str, others))} alike)" if others else ""
        return self.finding(
            module.path,
            node.lineno,
            f"`{clip(ast.unparse(node), 70)}`: {why}, so no optimizer gets its parameters",
            f"line {node.lineno}: {module.line(node.lineno)}{also} — nothing registers it: no attribute of a "
            "module, `add_module`, `ModuleList` or list of parameters",
        )


def _trains_a_model(subject: ParsedBundle) -> bool:
    return any(n.attr in ("parameters", "named_parameters") for _, n in each(subject, ast.Attribute))


def _collects(subject: ParsedBundle) -> bool:
    """Whether the bundle takes in parameters or modules one by one somewhere."""
    for module, node in subject.walk():
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in TAKES_IN:
                return True
            case ast.Call(func=ast.Name(id="setattr"), args=[_, name, *_]) if not isinstance(
                name, ast.Constant
            ):
                return True
            case ast.Call(func=ast.Attribute(attr="Sequential") | ast.Name(id="Sequential"), args=args):
                if any(
                    isinstance(argument, ast.Starred) and not _is_made_here(argument) for argument in args
                ):
                    return True
            case ast.Call(func=ast.Attribute(value=owner, attr="parameters")):
                if not isinstance(owner, ast.Name | ast.Attribute) or _is_item(module, owner):
                    return True
    return False


def _is_made_here(argument: ast.Starred) -> bool:
    """`*[nn.Linear(8, 8), nn.ReLU()]`: layers that no other name holds."""
    return isinstance(argument.value, ast.List | ast.ListComp | ast.GeneratorExp)


def _is_item(module: Module, node: ast.expr) -> bool:
    """Whether a name is that of a loop over several things."""
    return isinstance(node, ast.Name) and any(
        isinstance(n, ast.For | ast.comprehension) and node.id in {t.id for t in _names(n.target)}
        for n in module.nodes
    )


def _names(node: ast.AST) -> Iterator[ast.Name]:
    return (n for n in walk(node) if isinstance(n, ast.Name))


def _held(subject: ParsedBundle, module: Module) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    for node in (*of_kind(module, ast.Assign), *of_kind(module, ast.Call)):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if makes_parameters(
                subject, module, value
            ):
                if _only_hooked(subject, module, node, name):
                    yield node, "only a hook and a plain list hold it"
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"))], value=value):
                if _lists(subject, module, value) and _is_module(subject, module, node):
                    yield node, "a plain list holds them"
            case ast.Call(func=ast.Call() as inner) if makes_parameters(subject, module, inner):
                if _in_forward(module, node):
                    yield node, "it is made anew in every call"


def _only_hooked(subject: ParsedBundle, module: Module, made: ast.Assign, name: str) -> bool:
    """Whether the uses of a name are a hook that is defined beside it and plain lists."""
    function = module.enclosing_function(made)
    values = values_of(module, name, made)
    if function is None or not all(v is not None and makes_parameters(subject, module, v) for v in values):
        return False
    uses = [n for n in _names(function) if n.id == name and isinstance(n.ctx, ast.Load)]
    inside = [n for n in uses if _is_captured(module, n, function)]
    outside = [n for n in uses if n not in inside]
    hooked = any(
        isinstance(n, ast.Attribute) and n.attr.startswith("register_") and n.attr.endswith("hook")
        for n in walk(function)
    )
    return bool(inside) and hooked and all(_is_harmless(module, n) for n in outside)


def _is_captured(module: Module, node: ast.AST, function: ast.AST) -> bool:
    """Whether a name is a default of a function inside, or is read in its body."""
    parent = module.parents.get(node)
    while parent is not None and parent is not function:
        if isinstance(parent, ast.FunctionDef | ast.Lambda):
            return True
        parent = module.parents.get(parent)
    return False


def _is_harmless(module: Module, node: ast.Name) -> bool:
    """`gates.append(gate)`, `gate.to(device)`: nothing that registers it."""
    parent = module.parents[node]
    if isinstance(parent, ast.Attribute):
        return parent.attr in HARMLESS
    if (
        isinstance(parent, ast.Call)
        and isinstance(parent.func, ast.Attribute)
        and parent.func.attr == "append"
    ):
        owner = parent.func.value
        kept = values_of(module, owner.id, owner) if isinstance(owner, ast.Name) else ()
        return bool(kept) and all(isinstance(value, ast.List) and not value.elts for value in kept)
    return False


def _lists(subject: ParsedBundle, module: Module, node: ast.expr) -> bool:
    match node:
        case ast.List(elts=[first, *_]) | ast.ListComp(elt=first) | ast.DictComp(value=first):
            return makes_parameters(subject, module, first)
    return False


def _is_module(subject: ParsedBundle, module: Module, node: ast.AST) -> bool:
    parent = module.parents.get(node)
    while parent is not None and not isinstance(parent, ast.ClassDef):
        parent = module.parents.get(parent)
    return parent is not None and parent.name in class_names(subject)


def _in_forward(module: Module, node: ast.AST) -> bool:
    """Whether something happens in every forward pass: in `forward`, or in a lambda that is a hook."""
    parent = module.parents.get(node)
    while parent is not None:
        if isinstance(parent, ast.FunctionDef):
            return parent.name == "forward"
        if isinstance(parent, ast.Lambda):
            call = module.parents.get(parent)
            return isinstance(call, ast.Call) and ast.unparse(call.func).endswith("_hook")
        parent = module.parents.get(parent)
    return False
