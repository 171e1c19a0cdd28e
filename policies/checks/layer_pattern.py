"""Check `layer-pattern`: a search for layers by name finds the layers alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.architectures import Architecture, architectures
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.edit import rewrite
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding
from policies.replace_node import replace_expression
from policies.walks import Walk, searched, selected, walks
from policies.wording import clip

HEAD = (
    "import re\n\nfrom transformers import AutoModel\n\nmodel = AutoModel.from_pretrained('gpt2')\n"
    "layer_gates = []\nfor name, m in model.named_modules():\n"
)
BODY = "        gate = Gate()\n        layer_gates.append(gate)\n"


class LayerPattern(ModuleCheck):
    """An expression that ends at a layer's number is found in the name of everything inside the layer, too.

    `h\\.\\d+` is in `h.0.attn.c_attn`: what was meant for each layer is made for each module in it, and
    counts and sums over "layers" mean something else. An end anchor keeps to the layers.

    Source: `torch.nn.Module.named_modules`; module names as transformers has them.
    """

    ID = "layer-pattern"
    CRITERION = 4
    PATH = "src/model.py"
    GOOD = (
        Good(f"{HEAD}    if re.search(r'h\\.\\d+$', name):\n{BODY}"),
        Good(f"{HEAD}    if re.search(r'h\\.\\d+', name) and isinstance(m, Block):\n{BODY}"),
        Good(f"{HEAD}    if re.search(r'attn', name):\n{BODY}"),
        Good(f"{HEAD}    if re.search(r'h\\.\\d+', name):\n        kept.append(Gate())\n"),
    )
    BAD = (
        Bad(
            f"{HEAD}    if re.search(r'\\.h\\.\\d+|layers', name):\n{BODY}",
            lines=(8,),
            fixed=f"{HEAD}    if re.search(r'(?:\\.h\\.\\d+|layers)$', name):\n{BODY}",
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every walk that makes one thing for each layer and meets what is inside them."""
        known = architectures(subject)
        for walk, test, kept in _layer_walks(module) if known else ():
            counts = [_counts(walk, test, each) for each in known.values()]
            if all(layers and below for layers, below in counts):
                first = next(iter(known))
                yield self.finding(
                    module.path,
                    test.lineno,
                    f"`{clip(ast.unparse(test), 70)}` is met by everything inside a layer, "
                    "not by the layer alone",
                    f"line {test.lineno}: {module.line(test.lineno)} — in `{first}` by `{counts[0][1]}` "
                    f"as well as by `{counts[0][0]}`; `{kept}` gets one for each",
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """An end anchor, where the expression is a literal."""
        module = subject.modules[finding.file]
        for walk, test, _ in _layer_walks(module):
            pattern = searched(walk, test)
            if test.lineno == finding.line and pattern is not None:
                source = ast.get_source_segment(module.text, pattern) or ""
                literal = re.fullmatch(r"(r?)(['\"])(.*)\2", source)
                if literal is None:
                    return None
                raw, quote, text = literal.groups()
                anchored = f"(?:{text})$" if "|" in text else f"{text}$"
                code = replace_expression(module, pattern, f"{raw}{quote}{anchored}{quote}")
                return rewrite(subject.bundle, module.path, code)
        return None


def _layer_walks(module: Module) -> Iterator[tuple[Walk, ast.expr, str]]:
    """Walks that search names for a layer, the test, and the list of things for layers that they fill."""
    for walk in walks(module):
        for node in ast.walk(walk.loop):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=kept), attr="append")) if "layer" in kept:
                    tests = walk.conditions(node) or ()
                    pattern = [test for test in tests if searched(walk, test) is not None]
                    if len(pattern) == 1 and selected(walk, tests, ()) is not None:
                        yield walk, pattern[0], kept


def _counts(walk: Walk, test: ast.expr, known: Architecture) -> tuple[str, str]:
    """A layer that meets the test, and a module inside it that does; empty when there is none."""
    met = selected(walk, [test], known.names) or ()
    layers = [name for name in met if name.endswith(".0")]
    below = [
        name for name in met for layer in layers if name.startswith(f"{layer}.") and not name.endswith(".0")
    ]
    if not layers or not below:
        return "", ""
    layer = min(layers, key=len)
    inside = [name for name in below if name.startswith(f"{layer}.")] or below
    return layer, max(inside, key=len)
