"""Check `module-without-forward`: a network that is called and cannot be."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.kinds import each
from policies.networks import calls_of_instances, networks
from policies.parsed import ParsedBundle
from policies.records import Finding
from policies.wording import clip

HEAD = (
    "from torch import nn\n\n\nclass Gate(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
)
USE = "\n\ndef fit(x):\n    gate = Gate().to('cpu')\n    return gate(x)\n"


class ModuleWithoutForward(Check):
    """Calling an `nn.Module` calls its `forward`; where no class on the way defines one, torch raises.

    A module that only holds parameters or other modules needs none, so only classes whose instances are
    called are reported.

    Source: `torch.nn.Module._forward_unimplemented` raises NotImplementedError.
    """

    ID = "module-without-forward"
    CRITERION = 4
    PATH = "src/model.py"
    GOOD = (
        Good(f"{HEAD}\n    def forward(self, x):\n        return x\n{USE}"),
        Good(f"{HEAD}\n    def weights(self):\n        return 1\n\n\ngate = Gate()\n"),
        Good(f"{HEAD}\n\nclass Deep(Gate):\n    def forward(self, x):\n        return x\n\n\nDeep()(1)\n"),
        Good(f"{HEAD}        self.forward = len\n{USE}"),
        Good(f"{HEAD.replace('(nn.Module)', '(Mixin, nn.Module)')}{USE}"),
        Good(f"{HEAD}{USE}\n\ndef patch():\n    Gate.forward = len\n"),
    )
    BAD = (
        Bad(f"{HEAD}{USE}", lines=(11,)),
        Bad(
            f"{HEAD}\n\nclass Net(nn.Module):\n    def __init__(self):\n        self.gate = Gate()\n\n"
            "    def forward(self, x):\n        return self.gate(x)\n",
            lines=(14,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first call of each such class."""
        known = networks(subject)
        bare = {
            name: network
            for name, network in known.items()
            if not network.members & {"forward", "__call__", "_call_impl", "__class__"}
        }
        if not bare or _patched(subject):
            return
        reported: set[str] = set()
        for module in subject.parsable:
            calls = ((c.lineno, c.col_offset, n, c) for n, c in calls_of_instances(module) if n in bare)
            for line, _, name, call in sorted(calls, key=lambda item: item[:3]):
                if name not in reported:
                    reported.add(name)
                    where = bare[name]
                    yield self.finding(
                        module.path,
                        line,
                        f"a `{name}` is called, but the class has no `forward`",
                        f"`{clip(ast.unparse(call), 100)}`; `{name}` is defined in {where.module.path}",
                    )


def _patched(subject: ParsedBundle) -> bool:
    """Whether the bundle gives some object a `forward` from outside its class."""
    return any(
        node.attr == "forward" and isinstance(node.ctx, ast.Store) for _, node in each(subject, ast.Attribute)
    )
