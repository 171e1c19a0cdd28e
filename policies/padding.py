"""What a bundle does about padding: whether it pads, and whether it says with which token."""

from __future__ import annotations

import ast

from policies.hydra.names import origin
from policies.parsed import Module, ParsedBundle

COLLATORS = frozenset(
    f"transformers.DataCollator{name}"
    for name in ("WithPadding", "ForSeq2Seq", "ForTokenClassification", "ForLanguageModeling")
)
TOKEN_NAMES = ("pad_token", "pad_token_id")


def pads(subject: ParsedBundle) -> str:
    """The first place that pads; empty when nothing certainly does."""
    for module, node in subject.walk():
        if isinstance(node, ast.keyword) and node.arg == "padding" and _on(node.value):
            return f"{module.path}:{node.value.lineno} asks for `padding={ast.unparse(node.value)}`"
        if isinstance(node, ast.Call) and origin(module, node.func) in COLLATORS:
            return f"{module.path}:{node.lineno} pads with `{ast.unparse(node.func)}`"
    return ""


def _on(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (True, "max_length", "longest")


def sets_pad(subject: ParsedBundle, *, of_config: bool) -> bool:
    """Whether the bundle says anywhere which token pads: to a tokenizer, or to a model's config."""
    return any(_sets(node, of_config) for _, node in subject.walk())


def _sets(node: ast.AST, of_config: bool) -> bool:
    match node:
        case ast.Attribute(attr="pad_token" | "pad_token_id", ctx=ast.Store()):
            return ast.unparse(node.value).endswith("config") is of_config
        case ast.keyword(arg="pad_token" | "pad_token_id"):
            return True
        case ast.Constant(value="pad_token" | "pad_token_id"):
            return True if not of_config else node.value == "pad_token_id"
    return False


def bound_to(module: Module, call: ast.Call) -> tuple[ast.stmt, str] | None:
    """The assignment that gives the result of `call` one plain name, and the name."""
    parent = module.parents.get(call)
    match parent:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            assert isinstance(parent, ast.stmt)
            return parent, name
    return None
