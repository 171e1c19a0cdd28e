"""Check `lora-first-gradient`: before the first step the gradient of `lora_A` is zero."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.hydra.names import origin
from policies.kinds import each, has_text, of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.tree import walk

HEAD = (
    "import torch\nfrom peft import LoraConfig, get_peft_model\n\n\ndef sensitivity(model, loader):\n"
    "    for batch in loader:\n        model(**batch).loss.backward()\n"
)
READ = "    return [p.grad.norm() for n, p in model.named_parameters() if 'lora_A' in n]\n"
TRAIN = (
    "\n\ndef train(base, loader):\n    model = get_peft_model(base, LoraConfig(r=8))\n{0}"
    "    weights = sensitivity(model, loader)\n    optimizer = torch.optim.AdamW(model.parameters())\n"
)


class LoraFirstGradient(Check):
    """`lora_B` starts at zero, and the gradient of `lora_A` is a product with it: exactly zero.

    Importance or sensitivity that is measured on `lora_A` before any optimizer step is zero for every layer,
    so whatever is weighted by it is weighted alike. `lora_B` and the base weights do have a gradient then.

    Source: PEFT, `LoraLayer.reset_lora_parameters`; the chain rule.
    """

    ID = "lora-first-gradient"
    CRITERION = 4
    GOOD = (
        Good(f"{HEAD}{READ.replace('lora_A', 'lora_B')}{TRAIN.format('')}"),
        Good(f"{HEAD}{READ}{TRAIN.format('    optimizer.step()' + chr(10))}"),
        Good(f"{HEAD}        optimizer.step()\n{READ}{TRAIN.format('')}"),
        Good(f"{HEAD}{READ}{TRAIN.format('').replace('r=8', 'r=8, init_lora_weights=False')}"),
        Good(f"{HEAD}{READ}{TRAIN.format('').replace('get_peft_model', 'wrapped')}"),
    )
    BAD = (Bad(f"{HEAD}{READ}{TRAIN.format('')}", lines=(13,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every call of a function that reads these gradients of a model which has not been trained."""
        if not has_text(subject, "lora_A") or has_text(
            subject, "init_lora_weights", "load_adapter", "lora_B.d"
        ):
            return
        readers = {name: node for _, node in each(subject, ast.FunctionDef) if (name := _reader(node))}
        for module in subject.parsable if readers else ():
            for call in of_kind(module, ast.Call):
                name = call.func.id if isinstance(call.func, ast.Name) else ""
                if name in readers and _is_first(module, call):
                    yield self.finding(
                        module.path,
                        call.lineno,
                        f"`{name}` reads the gradient of `lora_A` before any step: zero for every layer",
                        f"line {call.lineno}: {module.line(call.lineno)} — `get_peft_model` has just made "
                        f"`lora_B` zero, and `{name}` (line {readers[name].lineno}) takes no optimizer step",
                    )


def _reader(function: ast.FunctionDef) -> str:
    """The function's name if it reads gradients of `lora_A` alone, after passes without a step."""
    inside = list(walk(function))
    texts = {n.value for n in inside if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    attributes = {n.attr for n in inside if isinstance(n, ast.Attribute)}
    wanted = "lora_A" in texts and not any("lora_B" in text for text in texts)
    passes = {"grad", "backward"} <= attributes and not {"step", "lora_B"} & attributes
    return function.name if wanted and passes else ""


def _is_first(module: Module, call: ast.Call) -> bool:
    """Whether the caller has just made the adapter, and nothing has stepped or loaded since."""
    function = module.enclosing_function(call)
    if function is None or _in_loop(module, call):
        return False
    before = [n for n in walk(function) if isinstance(n, ast.Call) and n.lineno < call.lineno]
    made = [n for n in before if origin(module, n.func) == "peft.get_peft_model"]
    since = [n for n in before if made and n.lineno >= made[-1].lineno]
    loaded = any(isinstance(n.func, ast.Attribute) and n.func.attr in _MOVES for n in since)
    trained = any(isinstance(n.func, ast.Name) and "train" in n.func.id.lower() for n in since)
    return bool(made) and not loaded and not trained


_MOVES = frozenset({"step", "load_state_dict", "copy_", "normal_", "uniform_", "fit", "train_epoch"})


def _in_loop(module: Module, node: ast.AST) -> bool:
    parent = module.parents.get(node)
    while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
        if isinstance(parent, ast.For | ast.While):
            return True
        parent = module.parents.get(parent)
    return False
