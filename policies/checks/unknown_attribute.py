"""Attributes that objects do not have."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from policies.api_context import ApiContext, api_context
from policies.api_usage import is_guarded
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.kinds import of_kind
from policies.own_classes import OwnClass, self_reads
from policies.parsed import Module, ParsedBundle
from policies.records import Finding

CLOSE = 0.75
"""How alike a suggested name must be, by difflib's ratio."""


class UnknownAttribute(ModuleCheck):
    """Reading an attribute that an object does not have raises `AttributeError`.

    Judged only where the class is certain: `self` in a class of the bundle whose bases are all known, and
    names whose every binding is a call that makes or returns one known class (`optuna.create_study`,
    `AutoTokenizer.from_pretrained`, `torch.zeros`, a class of the bundle), or the trial of an objective.
    Attributes that code sets anywhere, or asks for with `hasattr` or `getattr`, are left alone, and so are
    classes with `__getattr__`.
    """

    ID = "unknown-attribute"
    CRITERION = 1
    STAGE = 50
    GOOD = (
        Good(
            "import torch.nn as nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n"
            "        super().__init__()\n        self.register_buffer('scale', None)\n"
            "        self.head = nn.Linear(2, 2)\n\n    def forward(self, x):\n"
            "        return self.head(x) * self.scale if self.training else self.extra\n\n\n"
            "class Big(Net):\n    extra = 1\n\n\nnet = Net()\n"
        ),
        Good("from other import Base\n\n\nclass A(Base):\n    def f(self):\n        return self.anything\n"),
        Good("class A:\n    def f(self):\n        return self.late\n\n\na = A()\na.late = 1\n"),
        Good("class Mixin:\n    def f(self):\n        return self.of_the_other_base\n"),
        Good("import torch\n\nx = torch.zeros(2)\nif isinstance(x, Sharded):\n    x = x.to_local()\n"),
        Good("class A:\n    def f(self):\n        return self.x if hasattr(self, 'x') else 0\n"),
        Good("import torch\n\nx = torch.zeros(2)\nx = x.numpy()\nx.astype('f')\n"),
        Good(
            "import optuna\n\nstudy = optuna.create_study()\n"
            "print(study.best_trial.params, study.best_value)\n"
        ),
        Good("import pandas as pd\n\nframe = pd.DataFrame()\nprint(frame.accuracy)\n"),
        Good(
            "from transformers import AutoTokenizer\n\ntok = AutoTokenizer.from_pretrained('bert')\n"
            "tok.pad_token = tok.eos_token\nprint(tok.image_token, tok.model_max_length)\n"
        ),
    )
    BAD = (
        Bad(
            "import torch.nn as nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n"
            "        super().__init__()\n        self.classifier = nn.Linear(2, 2)\n\n"
            "    def forward(self, x):\n        return self.classifer(x)\n\n\nNet()\n",
            lines=(10,),
        ),
        Bad(
            "import optuna\n\n\ndef objective(trial):\n    return trial.suggest_choice('x', [1, 2])\n\n\n"
            "study = optuna.create_study()\nstudy.optimize(objective, n_trials=2)\nprint(study.best_score)\n",
            lines=(5, 10),
        ),
        Bad("import torch\n\nx = torch.ones(3)\nprint(x.astype('float32'))\n", lines=(4,)),
        Bad(
            "import torch.nn as nn\n\nfrom .model import Wrapper\n\n\ndef f():\n    model = Wrapper()\n"
            "    return model.config\n",
            files={"src/model.py": "import torch.nn as nn\n\n\nclass Wrapper(nn.Module):\n    size = 1\n"},
            lines=(8,),
        ),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every attribute that a class surely lacks, at its first use."""
        context = api_context(subject, evidence)
        found: dict[tuple[str, str], list[ast.Attribute]] = {}
        for kind, node in sorted(_lacking(context, module), key=lambda pair: pair[1].lineno):
            found.setdefault((kind, node.attr), []).append(node)
        for (kind, name), nodes in found.items():
            lines = ", ".join(str(line) for line in sorted({node.lineno for node in nodes})[:8])
            yield self.finding(
                module.path,
                nodes[0].lineno,
                f"{_shown(context, kind)} has no attribute {name}; {_hint(context, kind, name)}",
                f"line {lines}: {ast.unparse(nodes[0])}  [{_made(context, kind)}]",
            )


def _lacking(context: ApiContext, module: Module) -> Iterator[tuple[str, ast.Attribute]]:
    """Reads of attributes that a certain class lacks, with the class."""
    own, types = context.own, context.types(module)
    for owner, attribute in self_reads(module):
        mine = OwnClass(module, owner)
        if own.lacks(mine, attribute.attr) and not _is_provided_for(module, attribute):
            yield mine.key, attribute
    for node in of_kind(module, ast.Attribute):
        if isinstance(node.ctx, ast.Load):
            kind = types.of(node.value)
            if kind and _lacks(context, kind, node.attr) and not _is_provided_for(module, node):
                yield kind, node


def _lacks(context: ApiContext, kind: str, name: str) -> bool:
    own = context.own
    if "::" in kind:
        return own.lacks(own.top[kind], name)
    return name not in own.stores and name not in own.asked and context.library.lacks(kind, name)


def _is_provided_for(module: Module, node: ast.Attribute) -> bool:
    """Whether failure is handled, or the function around the read asks for the object's class."""
    if is_guarded(module, node):
        return True
    function = module.enclosing_function(node)
    name = ast.unparse(node.value)
    inner = ast.unparse(function if function is not None else module.tree or ast.Module([], []))
    return f"isinstance({name}," in inner or f"type({name})" in inner


def _shown(context: ApiContext, kind: str) -> str:
    """A class for people."""
    if "::" in kind:
        return kind.replace("::", ": ").rpartition(": ")[2]
    names = " or ".join(part.rpartition(".")[2] for part in kind.split("|"))
    return f"{names.replace('AnyTokenizer', 'a tokenizer')} of {context.library.label(kind)}"


def _names(context: ApiContext, kind: str) -> frozenset[str]:
    if "::" not in kind:
        return frozenset().union(*(context.library.members(home) or frozenset() for home in kind.split("|")))
    own = context.own.top.get(kind)
    return (context.own.members(own) or frozenset()) if own is not None else frozenset()


def _hint(context: ApiContext, kind: str, name: str) -> str:
    close = difflib.get_close_matches(name, sorted(_names(context, kind)), n=1, cutoff=CLOSE)
    return f"did you mean {close[0]}?" if close else "no attribute resembles it"


def _made(context: ApiContext, kind: str) -> str:
    """Where the class is defined, and how many names it has."""
    count = len(_names(context, kind))
    if "::" not in kind:
        return f"{kind.replace('|', ', ')}: {count} public names"
    own = context.own.top.get(kind)
    where = f"{own.module.path}:{own.node.lineno}" if own is not None else kind.partition("::")[0]
    return f"class at {where}, {count} names with its bases, none set elsewhere"
