"""Calls of third-party functions with arguments that do not fit."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.api_context import Call, api_context
from policies.api_usage import is_guarded
from policies.base import Bad, Evidence, Good, ModuleCheck
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.wording import clip


class WrongApiCall(ModuleCheck):
    """Too many positions, or a required argument left out, raises `TypeError` at the call.

    Libraries make parameters keyword-only (`study.optimize` takes one function, `suggest_float` its step by
    name only), and code written from memory forgets the required ones. Signatures are those of the sources
    of the installed version. Calls that unpack `*args` or `**kwargs` are judged by what they surely pass.
    """

    ID = "wrong-api-call"
    CRITERION = 1
    STAGE = 50
    GOOD = (
        Good("import optuna\n\n\ndef f(trial):\n    return trial.suggest_float('x', 0, 1, log=True)\n"),
        Good(
            "from torch.optim.lr_scheduler import StepLR\n\n\ndef f(o, rest):\n    return StepLR(o, **rest)\n"
        ),
        Good(
            "import torch.nn as nn\n\n\ndef f(sizes):\n    return nn.Linear(*sizes), nn.Linear(2, 3, False)\n"
        ),
        Good("import torch\n\nx = torch.zeros(2, 3, 4).permute(2, 0, 1).mean(axis=0)\n"),
        Good("import torch\n\ntry:\n    torch.nn.Linear(3)\nexcept TypeError:\n    pass\n"),
        Good("import pytest\nimport torch\n\nwith pytest.raises(TypeError):\n    torch.nn.Linear(3)\n"),
        Good(
            "from transformers import get_linear_schedule_with_warmup as warm\n\n\n"
            "def f(opt):\n    return warm(opt, 10, num_training_steps=100)\n"
        ),
    )
    BAD = (
        Bad("import torch.nn as nn\n\nlayer = nn.Linear(128)\n", lines=(3,)),
        Bad(
            "import optuna\n\n\ndef objective(trial):\n    return trial.suggest_float('x', 0, 1, True)\n\n\n"
            "study = optuna.create_study()\nstudy.optimize(objective, 10)\nstudy.optimize(n_trials=3)\n",
            lines=(5, 10),
        ),
        Bad(
            "from transformers import get_linear_schedule_with_warmup\n\n\n"
            "def f(opt):\n    return get_linear_schedule_with_warmup(opt, num_warmup_steps=10)\n",
            lines=(5,),
        ),
        Bad("import wandb\n\nwith wandb.init(project='p') as run:\n    run.log()\n", lines=(4,)),
        Bad("import torch.nn as nn\n\nlayer = nn.Linear(8, 8, in_features=8)\n", lines=(3,)),
    )

    def find_in(self, module: Module, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every call whose arguments do not fit the signature."""
        context = api_context(subject, evidence)
        for call in context.calls_in(module):
            said = "" if call.on_class else _wrong(call)
            if said and not is_guarded(module, call.node):
                line = call.node.lineno
                yield self.finding(
                    module.path,
                    line,
                    f"{call.shown} of {context.library.label(call.home)} {said}",
                    f"{clip(ast.unparse(call.node), 160)}  [signature: {call.signature.shown()}]",
                )


def _wrong(call: Call) -> str:
    """What is wrong with the arguments of a call; empty when they fit or may fit."""
    signature, given = call.signature, call.node.args
    positions = [a for a in given if not isinstance(a, ast.Starred)]
    unpacked = len(positions) < len(given) or any(k.arg is None for k in call.node.keywords)
    most = len(signature.positional)
    if len(positions) > most and not signature.more_positional:
        return f"takes at most {most} positional argument{'s'[: most != 1]}, {len(positions)} are given"
    if len(positions) == len(given):
        names = {k.arg for k in call.node.keywords}
        twice = [name for name in signature.positional[: len(positions)] if name in names]
        hidden = [name for name in signature.positional[: signature.positional_only] if name in names]
        if twice and twice[0] in signature.keywords:
            return f"gets the argument {twice[0]} twice: by position and by name"
        if hidden and not signature.more_keywords:
            return f"takes {hidden[0]} by position only"
    if unpacked:
        return ""
    filled = {*signature.positional[: len(positions)], *(k.arg for k in call.node.keywords)}
    lacking = [name for name in _in_order(call) if name not in filled]
    return f"needs the argument{'s'[: len(lacking) != 1]} {', '.join(lacking)}" if lacking else ""


def _in_order(call: Call) -> list[str]:
    """The required parameters as they stand in the signature."""
    signature = call.signature
    names = [*signature.positional, *sorted(signature.keyword_only)]
    return [name for name in names if name in signature.required]
