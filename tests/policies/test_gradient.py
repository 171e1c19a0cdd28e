"""What can carry a gradient."""

from __future__ import annotations

import ast

import pytest

from policies.contract import STANDARD
from policies.gradient import Grad, Tracer
from policies.parsed import ParsedBundle
from policies.records import Bundle

MODEL = "import torch\nout = model(batch)\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("2 * cfg.training.weight", Grad.CONSTANT),
        ("out.loss", Grad.UNKNOWN),
        ("out.loss.detach()", Grad.CUT),
        ("cfg.weight * float(out.loss)", Grad.CUT),
        ("out.loss.item() * other", Grad.UNKNOWN),
        ("torch.tensor(out.loss)", Grad.CUT),
        ("torch.tensor(1.0)", Grad.CONSTANT),
        ("torch.tensor(1.0, requires_grad=True)", Grad.UNKNOWN),
        ("(hard - soft).detach()", Grad.UNKNOWN),
        ("torch.mean(torch.stack([out.loss.detach()]))", Grad.CUT),
        ("torch.zeros_like(out.loss)", Grad.CONSTANT),
        ("size(out.hidden)", Grad.CUT),
        ("energy", Grad.CUT),
        ("seen['energy']", Grad.CUT),
        ("seen['loss']", Grad.UNKNOWN),
        ("endless(1)", Grad.UNKNOWN),
    ],
)
def test_grad(source: str, expected: Grad) -> None:
    text = (
        f"{MODEL}def size(hidden):\n    return hidden.numel() / 2\n\n\n"
        "def endless(n):\n    return endless(n)\n\n\n"
        "class Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        return {'energy': torch.tensor(self.spent), 'loss': self.loss(x)}\n\n\n"
        f"seen = model(x)\nwith torch.no_grad():\n    energy = meter(out)\nterm = {source}\n"
    )
    subject = ParsedBundle(Bundle(files={"src/train.py": text}), STANDARD)
    module = subject.modules["src/train.py"]
    assert module.tree is not None
    last = module.tree.body[-1]
    assert isinstance(last, ast.Assign)
    tracer = Tracer(subject)
    assert tracer.grad(module, last.value) is expected
    assert bool(tracer.reasons) or expected is not Grad.CUT
