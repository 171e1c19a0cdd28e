"""Check `device-mix`: tensors that are joined are on one device."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.assigned import sole_value
from policies.base import Bad, Check, Evidence, Good
from policies.hydra.names import origin
from policies.kinds import each, has_text
from policies.module_classes import class_names
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.wording import clip

JOINS = frozenset(f"torch.{name}" for name in ("stack", "cat", "concat", "hstack", "vstack"))
MAKERS = frozenset(
    f"torch.{name}"
    for name in ("tensor", "zeros", "ones", "full", "arange", "linspace", "rand", "randn", "eye")
)
DEFAULTS = ("set_default_device", "set_default_tensor_type")
MOVES = frozenset({"to", "cuda", "cpu", "type_as", "new_tensor"})
HEAD = (
    "import torch\n\n\ndef stats(batch, count):\n    length = batch['attention_mask'].sum(1).float()\n"
    "    kept = torch.tensor([count]).float()\n"
)
TRAIN = (
    "\n\nfor batch in loader:\n    batch = {k: v.to(device) for k, v in batch.items()}\n    stats(batch, 3)\n"
)


class DeviceMix(Check):
    """`torch.tensor(...)` without a device is made on the CPU, also when batch and model are on a GPU.

    `torch.stack` and `torch.cat` take tensors of one device only: "Expected all tensors to be on the same
    device". It runs where there is no GPU and stops where there is one.

    Source: PyTorch, tensor creation ops, `device`.
    """

    ID = "device-mix"
    CRITERION = 4
    PATH = "src/train.py"
    GOOD = (
        Good(f"{HEAD.replace('t])', 't], device=length.device)')}    torch.stack([length, kept])\n{TRAIN}"),
        Good(f"{HEAD}    torch.stack([length, kept.to(length.device)])\n{TRAIN}"),
        Good(f"{HEAD}    torch.stack([kept, kept])\n{TRAIN}"),
        Good(f"{HEAD}    torch.stack([length, kept])\n"),
        Good(f"{HEAD}    torch.stack([length.cpu(), kept])\n{TRAIN}"),
    )
    BAD = (
        Bad(f"{HEAD}    return torch.stack([length, kept], dim=1)\n{TRAIN}", lines=(7,)),
        Bad(
            "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def forward(self, x):\n"
            "        return torch.cat([torch.zeros(1, 8), x])\n\n\nmodel = Net().to(device)\n",
            lines=(7,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every join of a tensor of the batch or the input with one that was made on the CPU."""
        if has_text(subject, *DEFAULTS):
            return
        for module, node in each(subject, ast.Call):
            if origin(module, node.func) not in JOINS or not node.args:
                continue
            parts = node.args[0].elts if isinstance(node.args[0], ast.List | ast.Tuple) else []
            made = [part for part in parts if _made_on_cpu(module, part)]
            moved = [part for part in parts if _on_device(subject, module, part)]
            if made and moved:
                listed = ", ".join(f"`{clip(ast.unparse(part), 40)}`" for part in made)
                yield self.finding(
                    module.path,
                    node.lineno,
                    f"{listed} made without a device, joined with `{clip(ast.unparse(moved[0]), 40)}`: "
                    "stops on a GPU, where the batch is",
                    f"line {node.lineno}: {module.line(node.lineno)} — "
                    f"line {sole_value(module, made[0]).lineno}: "
                    f"{module.line(sole_value(module, made[0]).lineno)}",
                )


def _chain(module: Module, node: ast.expr) -> tuple[ast.expr, frozenset[str]]:
    """What a chain of methods starts with, followed through names, and the methods."""
    methods: set[str] = set()
    for _ in range(16):
        before = node
        node = sole_value(module, node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if not origin(module, node.func).startswith("torch."):
                methods.add(node.func.attr)
                node = node.func.value
        elif isinstance(node, ast.UnaryOp):
            node = node.operand
        if node is before:
            break
    return node, frozenset(methods)


def _made_on_cpu(module: Module, node: ast.expr) -> bool:
    start, methods = _chain(module, node)
    if not isinstance(start, ast.Call) or origin(module, start.func) not in MAKERS or methods & MOVES:
        return False
    return not any(k.arg in ("device", None) for k in start.keywords)


def _on_device(subject: ParsedBundle, module: Module, node: ast.expr) -> bool:
    """A tensor of a batch that was moved, or of the input of a model that was moved."""
    start, methods = _chain(module, node)
    if methods & (MOVES - {"to", "cuda"}) or methods & {"item", "tolist", "numpy"}:
        return False
    match start:
        case ast.Subscript(value=ast.Name(id="batch"), slice=ast.Constant()):
            return any(_moves_batch(n) for _, n in each(subject, ast.Assign))
        case ast.Name(id=name):
            return _is_input(subject, module, start, name)
    return False


def _moves_batch(node: ast.AST) -> bool:
    """`batch = {k: v.to(device) ...}`: the whole batch is moved."""
    match node:
        case ast.Assign(targets=[ast.Name(id="batch")], value=ast.DictComp(value=ast.Call(func=function))):
            return isinstance(function, ast.Attribute) and function.attr in ("to", "cuda")
        case ast.Assign(targets=[ast.Name(id="batch")], value=ast.Call(func=function)):
            return ast.unparse(function) in ("batch.to", "batch.cuda")
    return False


def _is_input(subject: ParsedBundle, module: Module, node: ast.Name, name: str) -> bool:
    """Whether a name is the first input of a `forward`, in a bundle that moves its model."""
    function = module.enclosing_function(node)
    if function is None or function.name != "forward" or name not in [a.arg for a in function.args.args][1:2]:
        return False
    owner = module.parents.get(function)
    if not isinstance(owner, ast.ClassDef) or owner.name not in class_names(subject):
        return False
    return any(
        isinstance(n.func, ast.Attribute) and n.func.attr in ("to", "cuda")
        for _, n in each(subject, ast.Call)
    )
