"""Check `absent-attribute`: what a walk over modules looks for exists in the model."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.api import api_of
from policies.architectures import architectures, told_of
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.walks import walks

ADAPTERS = ("lora", "adapter", "active", "merged", "base_layer", "scaling", "ia3", "r")
"""How attributes begin that PEFT gives to the layers it wraps."""
HEAD = "from transformers import AutoModel\n\nmodel = AutoModel.from_pretrained('{0}')\ngates = []\n"
OLD = {"pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["transformers<4.40"]\n'}
WALK = "for m in model.modules():\n    if hasattr(m, 'num_heads'):\n        gates.append(Gate(m.num_heads))\n"


class AbsentAttribute(ModuleCheck):
    """Attributes of modules differ between families and versions; `hasattr` turns a missing one into nothing.

    `LlamaAttention` has no `num_heads` any more: a loop that puts a gate on every module which has it makes
    no gate, without an error, and the method that is about these gates is not there.

    Source: transformers; attributes were listed from models of each family.
    """

    ID = "absent-attribute"
    CRITERION = 4
    PATH = "src/model.py"
    GOOD = (
        Good(f"{HEAD.format('gpt2')}{WALK}"),
        Good(f"{HEAD.format('some/model')}{WALK}"),
        Good(f"{HEAD.format('albert-base-v2')}{WALK}    elif hasattr(m, 'n_heads'):\n        pass\n"),
        Good(f"{HEAD.format('bert-base-cased')}model.num_heads = 2\n{WALK}"),
        Good(f"{HEAD.format('bert-base-cased')}from torch import nn\nnn.MultiheadAttention(8, 2)\n{WALK}"),
        Good(f"{HEAD.format('meta-llama/Llama-2-7b-hf')}{WALK}", files=OLD),
    )
    BAD = (Bad(f"{HEAD.format('meta-llama/Llama-2-7b-hf')}{WALK}", lines=(6,)),)

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every walk that works only on modules with an attribute which none of them has."""
        known = architectures(subject) if "hasattr(" in module.text else {}
        api = api_of(evidence, "transformers", subject)
        if not known or api is None or api.version.split(".")[:2] != told_of().split(".")[:2]:
            return
        for test, name in _looked_for(module):
            if any(name in each.attributes for each in known.values()) or _is_given(subject, name):
                continue
            families = ", ".join(f"`{each}`" for each in known)
            yield self.finding(
                module.path,
                test.lineno,
                f"no module of {families} has an attribute `{name}`: what the loop does is done nowhere",
                f"line {test.lineno}: {module.line(test.lineno)} — transformers {api.version}",
            )


def _looked_for(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """Tests for an attribute on which everything that a walk does depends."""
    for walk in walks(module):
        asked = [
            n for n in ast.walk(walk.loop) if isinstance(n, ast.Call) and ast.unparse(n.func) == "hasattr"
        ]
        statements = [s for s in walk.loop.body if not isinstance(s, ast.Expr | ast.Pass)]
        if len(statements) != 1 or not isinstance(statements[0], ast.If) or statements[0].orelse:
            continue
        for test in asked:
            match test.args:
                case [ast.Name(id=owner), ast.Constant(value=str(name))] if owner == walk.visited:
                    tests = walk.conditions(statements[0].body[0]) or ()
                    if test in tests:
                        yield test, name


def _is_given(subject: ParsedBundle, name: str) -> bool:
    """Whether the bundle or PEFT gives modules this attribute."""
    if name.startswith(ADAPTERS[:-1]) or name == ADAPTERS[-1]:
        return True
    for _, node in subject.walk():
        match node:
            case ast.Attribute(attr=attribute) if attribute.startswith(("MultiheadAttention", "Transformer")):
                return True
            case ast.Attribute(attr=attribute, ctx=ast.Store()):
                found = attribute
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(found)), *_]):
                pass
            case ast.Call(
                func=ast.Attribute(attr="register_buffer" | "add_module" | "register_parameter"),
                args=[ast.Constant(value=str(found)), *_],
            ):
                pass
            case ast.FunctionDef(name=found):
                pass
            case _:
                continue
        if found == name:
            return True
    return False
