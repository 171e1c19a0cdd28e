"""Which calls of a bundle make modules that have parameters of their own."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from policies.hydra.names import origin
from policies.kinds import each
from policies.parsed import Module, ParsedBundle
from policies.tree import walk

LAYERS = frozenset(
    f"torch.nn.{name}"
    for name in (
        "Linear",
        "Bilinear",
        "Embedding",
        "LayerNorm",
        "Conv1d",
        "Conv2d",
        "BatchNorm1d",
        "BatchNorm2d",
        "GRU",
        "GRUCell",
        "LSTM",
        "LSTMCell",
        "MultiheadAttention",
        "TransformerEncoderLayer",
    )
)
PARAMETER = "torch.nn.Parameter"


def makes_parameters(subject: ParsedBundle, module: Module, node: ast.AST) -> bool:
    """Whether an expression makes a parameter or a module that has some."""
    if not isinstance(node, ast.Call):
        return False
    name = origin(module, node.func)
    own = subject.memo("module_classes.own", _with_parameters)
    return name in LAYERS or name == PARAMETER or own.get(name.rpartition(".")[2], False)


def class_names(subject: ParsedBundle) -> Mapping[str, bool]:
    """Name of every class of the bundle that is a module -> whether it makes parameters itself."""
    return subject.memo("module_classes.own", _with_parameters)


def _with_parameters(subject: ParsedBundle) -> dict[str, bool]:
    classes = list(each(subject, ast.ClassDef))
    bases = {node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases} for _, node in classes}
    known = {"Module"}
    while grown := {name for name, over in bases.items() if over & known} - known:
        known |= grown
    found: dict[str, bool] = {}
    for module, node in classes:
        if node.name in known:
            made = (origin(module, n.func) for n in walk(node) if isinstance(n, ast.Call))
            found[node.name] = any(name in LAYERS or name == PARAMETER for name in made)
    return found
