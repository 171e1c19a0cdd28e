"""Functions and classes that disappeared."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.gate.base import EVERYWHERE, Change, GateRule, Objection, Pair, asked, change
from policies.gate.inventory import Defined, inventory, references, successors

_MODEL = "import torch\n\n\nclass Gate(torch.nn.Module):\n    def forward(self, x):\n        return x * 2\n"
_USES = "from src.model import Gate\n\n\ndef fit(x):\n    return Gate()(x)\n"
_HELPER = "def _path_of(cfg):\n    return cfg.results_dir + '/x'\n\n\n"


class DefinitionRemoved(GateRule):
    """A function or class that fails is repaired, not deleted: its code is the experiment.

    Private plumbing may go when nothing uses it any more, the rest when it was unused and a finding says so.
    """

    ID = "definition-removed"
    KINDS = EVERYWHERE
    REFUSED = (
        Change(
            {"src/model.py": _MODEL, "src/train.py": _USES},
            {"src/model.py": "x = 1\n", "src/train.py": "def fit(x):\n    return x\n"},
        ),
        change("def penalty(model):\n    return sum(model)\n\n\nprint(penalty([1]))\n", "print(0)\n"),
        change("def build(a):\n    return a\n)\n", "x = 1\n"),
        change(_MODEL, "import torch\n\n\nclass Gate(torch.nn.Module):\n    pass\n", "src/model.py"),
    )
    ACCEPTED = (
        change("def build(a):\n    return a\n)\n", "def build(a):\n    return a\n"),
        Change(
            {"src/model.py": "", "src/train.py": _MODEL + "\n\nnet = Gate()\n"},
            {"src/model.py": _MODEL, "src/train.py": "from src.model import Gate\n\nnet = Gate()\n"},
        ),
        change("def build(a):\n    return a + 1\n", "def make(a):\n    return a + 1\n"),
        change(
            _HELPER + "def run(cfg):\n    return _path_of(cfg)\n",
            "def run(cfg):\n    return cfg.results_dir + '/y'\n",
        ),
        change(
            "def unused(model):\n    return model\n\n\nx = 1\n",
            "x = 1\n",
            findings=(asked("`unused` is defined but never used", line=1),),
        ),
    )

    def objections(self, pair: Pair) -> Iterator[Objection]:
        """Every definition of the base that the attempt lacks."""
        for old, new in successors(pair.base, pair.attempt):
            if new is None and not _replaceable(old, pair):
                used = references(pair.base, old.short, old.node) > 0
                yield Objection(
                    f"{old.name} was removed",
                    old.module.path,
                    old.lines,
                    keys=() if used else (old.name, old.short),
                )
        yield from _in_broken_files(pair)


def _in_broken_files(pair: Pair) -> Iterator[Objection]:
    """A file that did not parse defined things all the same."""
    names = {d.short for d in inventory(pair.attempt)}
    for path, module in pair.base.subject.modules.items():
        mended = pair.attempt.subject.modules.get(path)
        if module.tree is None and mended is not None and mended.tree is not None:
            defined = re.findall(r"(?m)^[ \t]*(?:async def|def|class)[ \t]+(\w+)", module.text)
            for name in dict.fromkeys(defined):
                if name not in names:
                    yield Objection(f"{name} was removed", path, keys=(name,))


def _replaceable(old: Defined, pair: Pair) -> bool:
    """Private plumbing that nothing uses any more."""
    private = old.short.startswith("_") and not old.short.startswith("__")
    return private and not old.does_method_work() and references(pair.attempt, old.short) == 0
