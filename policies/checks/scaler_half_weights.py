"""Check `scaler-half-weights`: a gradient scaler is for weights in full precision."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.architectures import model_loads
from policies.assigned import sole_value
from policies.base import Bad, Check, Evidence, Good
from policies.hydra.names import origin
from policies.kinds import each
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.run_values import run_values
from policies.tree import walk
from policies.wording import clip

SCALERS = frozenset(("torch.cuda.amp.GradScaler", "torch.amp.GradScaler"))
HALF = frozenset(("torch.float16", "torch.half"))
HEAD = (
    "import torch\nfrom torch.cuda.amp import GradScaler\n"
    "from transformers import AutoModelForCausalLM as Auto\n\n"
)
LOAD = "model = Auto.from_pretrained('gpt2', torch_dtype={0})\n"
TRAIN = "scaler = GradScaler({0})\nscaler.scale(loss).backward()\nscaler.step(optimizer)\n"
HALF_IF = "torch.float16 if cfg.training.precision == 'fp16' else torch.float32"
ENABLED = "enabled=cfg.training.precision == 'fp16'"
FREEZE = "for p in model.parameters():\n    p.requires_grad = False\n"


def _runs(precision: str) -> dict[str, str]:
    return {"config/runs/a.yaml": f"run_id: a\ntraining:\n  precision: {precision}\n"}


class ScalerHalfWeights(Check):
    """Weights loaded as float16 have float16 gradients, which `GradScaler` refuses to unscale.

    "Attempting to unscale FP16 gradients": the first step on a GPU stops. Mixed precision keeps the weights
    in float32 and lets `autocast` do the rest; only frozen weights may be half.

    Source: PyTorch, `GradScaler._unscale_grads_`.
    """

    ID = "scaler-half-weights"
    CRITERION = 4
    RESTS_ON = ("code",)
    GOOD = (
        Good(HEAD + LOAD.format("torch.float32") + TRAIN.format("")),
        Good(HEAD + LOAD.format("torch.bfloat16") + TRAIN.format("")),
        Good(HEAD + LOAD.format("torch.float16") + FREEZE + TRAIN.format("")),
        Good(HEAD + LOAD.format("torch.float16") + TRAIN.format("enabled=False")),
        Good(HEAD + LOAD.format(HALF_IF) + TRAIN.format(ENABLED), run_configs=_runs("bf16")),
    )
    BAD = (
        Bad(HEAD + LOAD.format("torch.float16") + TRAIN.format(""), lines=(5,)),
        Bad(HEAD + LOAD.format(HALF_IF) + TRAIN.format(ENABLED), run_configs=_runs("fp16"), lines=(5,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The first model with half weights, in a bundle that trains all of them with a scaler."""
        loads = [load for load in model_loads(subject) if _is_half(subject, *load)]
        scaler = _scaler(subject) if loads else None
        if scaler is None or _keeps_some(subject):
            return
        module, call = loads[0]
        owner, made = scaler
        yield self.finding(
            module.path,
            call.lineno,
            "weights loaded as float16 are trained with a GradScaler, which refuses float16 gradients",
            f"line {call.lineno}: {module.line(call.lineno)} — {owner.path}:{made.lineno} "
            f"`{clip(ast.unparse(made), 80)}`; nothing freezes the weights or casts them",
        )


def _is_half(subject: ParsedBundle, module: Module, call: ast.Call) -> bool:
    """Whether some run loads the weights as float16."""
    given = next((k.value for k in call.keywords if k.arg in ("torch_dtype", "dtype")), None)
    if given is None or any(k.arg in (None, "quantization_config", "load_in_8bit") for k in call.keywords):
        return False
    given = sole_value(module, given)
    if isinstance(given, ast.IfExp):
        chosen = given.body if _holds(subject, module, given.test) else given.orelse
        return origin(module, chosen) in HALF and _holds(subject, module, given.test) is not None
    return origin(module, given) in HALF


def _holds(subject: ParsedBundle, module: Module, test: ast.expr) -> bool | None:
    """Whether a test of a config value holds in some run; None when it cannot be known."""
    match test:
        case ast.Constant(value=bool() as value):
            return value
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant(value=wanted)]):
            values = run_values(subject, module, left)
            return any(value == wanted for value in values.values()) if values else None
    return None


def _scaler(subject: ParsedBundle) -> tuple[Module, ast.Call] | None:
    """The first scaler that is on and steps an optimizer."""
    steps = any(
        n.attr in ("step", "unscale_") and "scaler" in ast.unparse(n.value)
        for _, n in each(subject, ast.Attribute)
    )
    for module, node in each(subject, ast.Call):
        if steps and origin(module, node.func) in SCALERS:
            given = next((k.value for k in node.keywords if k.arg == "enabled"), None)
            if given is None or _holds(subject, module, given):
                return module, node
    return None


def _keeps_some(subject: ParsedBundle) -> bool:
    """Whether the bundle freezes or casts weights, or trains adapters of PEFT, which are float32."""
    for _, node in subject.walk():
        match node:
            case ast.Attribute(attr="requires_grad", ctx=ast.Store()) | ast.Attribute(attr="requires_grad_"):
                return True
            case ast.Call(func=ast.Attribute(value=owner, attr="float" | "to")) as call:
                if "model" in ast.unparse(owner) and (not call.args or "float" in ast.unparse(call.args[0])):
                    return True
            case ast.ImportFrom(module=str(name)) if name.split(".")[0] == "peft":
                return True
            case ast.comprehension(iter=walked, ifs=[*tests]) if "parameters()" in ast.unparse(walked):
                if any(_names_some(test) for test in tests):
                    return True
    return False


def _names_some(test: ast.expr) -> bool:
    """Whether a filter of parameters asks for a text in their names."""
    return any(
        isinstance(n, ast.Compare) and isinstance(n.left, ast.Constant) and isinstance(n.ops[0], ast.In)
        for n in walk(test)
    )
