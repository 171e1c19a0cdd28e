"""Check `peft-adapter-key`: PEFT keeps the matrices of a layer by the adapter's name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.kinds import each
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.replace_node import replace_expression

MATRICES = ("lora_A", "lora_B")
IN_TENSORS = frozenset({"weight", "data", "shape", "grad", "norm", "register_hook", "size", "numel", "T"})
HEAD = "from peft import LoraConfig, get_peft_model\n\nmodel = get_peft_model(base, LoraConfig(r=8))\n"


class PeftAdapterKey(ModuleCheck):
    """`lora_A` and `lora_B` of a PEFT layer are dictionaries: adapter name -> matrix, `default` by default.

    `layer.lora_A.weight` raises "'ModuleDict' object has no attribute 'weight'", `layer.lora_A[0]` a
    KeyError. A bundle that defines layers with attributes of these names is left alone.

    Source: PEFT, `tuners/lora/layer.py`.
    """

    ID = "peft-adapter-key"
    CRITERION = 4
    PATH = "src/model.py"
    GOOD = (
        Good(f'{HEAD}print(layer.lora_A["default"].weight, [m.weight for m in layer.lora_B.values()])\n'),
        Good(f"{HEAD}print(layer.lora_A[name].weight, layer.lora_A.keys())\n"),
        Good(f"{HEAD}\n\ndef f(self):\n    self.lora_A = Matrix()\n    print(self.lora_A.weight)\n"),
        Good("print(layer.lora_A.weight)\n"),
    )
    BAD = (
        Bad(
            f"{HEAD}rank = layer.lora_A.weight.size(0)  # rows\nkept = layer.lora_B[0].weight\n"
            "layer.lora_B.register_hook(print)\n",
            lines=(4, 5, 6),
            fixed=f'{HEAD}rank = layer.lora_A["default"].weight.size(0)  # rows\n'
            'kept = layer.lora_B["default"].weight\nlayer.lora_B["default"].weight.register_hook(print)\n',
        ),
        Bad(
            "from peft import get_peft_model\n\nmodel = get_peft_model(base, config, adapter_name='a')\n"
            "print(layer.lora_A.weight)\n",
            lines=(4,),
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every use of the dictionary as if it were the matrix."""
        if not subject.memo("peft-adapter-key.applies", _applies):
            return
        for node in _uses(module):
            yield self.finding(
                module.path,
                node.lineno,
                f"`{ast.unparse(node)}`: a PEFT layer keeps its matrices by adapter name",
                f"line {node.lineno}: {module.line(node.lineno)} — `{_holder(node)}` is a dictionary",
            )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """The matrix of the adapter `default`, unless the bundle names its adapters."""
        module = subject.modules[finding.file]
        if any(n.arg == "adapter_name" for _, n in each(subject, ast.keyword)):
            return None
        for node in _uses(module):
            if node.lineno == finding.line and finding.message.startswith(f"`{ast.unparse(node)}`"):
                old = node if isinstance(node, ast.Subscript) else node.value
                matrix = ".weight" if isinstance(node, ast.Attribute) and node.attr != "weight" else ""
                text = replace_expression(module, old, f'{_holder(node)}["default"]{matrix}')
                return rewrite(subject.bundle, module.path, text)
        return None


def _applies(subject: ParsedBundle) -> bool:
    """Whether the bundle uses PEFT and defines no such layers itself."""
    uses = any(
        isinstance(n, ast.Import | ast.ImportFrom)
        and any(
            name.split(".")[0] == "peft"
            for name in (getattr(n, "module", "") or "", *(a.name for a in n.names))
        )
        for _, n in subject.walk()
    )
    own = any(n.attr in MATRICES and isinstance(n.ctx, ast.Store) for _, n in each(subject, ast.Attribute))
    return uses and not own


def _uses(module: Module) -> list[ast.Subscript | ast.Attribute]:
    """Reads such as `x.lora_A[0]` and `x.lora_A.weight`, in line order."""
    found: list[ast.Subscript | ast.Attribute] = []
    for node in module.nodes:
        match node:
            case ast.Subscript(value=ast.Attribute(attr=name), slice=ast.Constant(value=int())):
                found += [node] if name in MATRICES else []
            case ast.Attribute(value=ast.Attribute(attr=name), attr=attribute):
                found += [node] if name in MATRICES and attribute in IN_TENSORS else []
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _holder(node: ast.Subscript | ast.Attribute) -> str:
    return ast.unparse(node.value)
