"""Check `head-frozen`: wrapping every linear layer leaves the new classification head out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.architectures import is_tuned, model_ids, model_loads
from policies.base import Bad, Check, Evidence, Good
from policies.hydra.names import origin
from policies.kinds import each, has_text, of_kind
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.walks import Walk, walks
from policies.wording import clip

HEADS = ("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice")
HEAD = (
    "from torch import nn\nfrom transformers import AutoModelForSequenceClassification as Auto\n\n\n"
    "class Low(nn.Module):\n    def __init__(self, base):\n        super().__init__()\n"
    "        self.base = base\n"
    "        for p in base.parameters():\n            p.requires_grad = False\n\n\n"
    "model = Auto.from_pretrained('bert-base-cased')\n"
)
WALK = "for name, m in list(model.named_modules()):\n    if {0}:\n        put(model, name, Low(m))\n"


class HeadFrozen(Check):
    """The head of a classifier is a linear layer, too, and it is new: its weights are random.

    A loop that wraps every linear layer and freezes what it wraps freezes the head at these values; only the
    wrapper's own few parameters can work against them. Adapters leave the head out and train it whole.

    Source: PEFT, `modules_to_save`; transformers, "newly initialized" weights.
    """

    ID = "head-frozen"
    CRITERION = 4
    SEVERITY = Severity.ADVISORY
    RESTS_ON = ("code",)
    PATH = "src/model.py"
    GOOD = (
        Good(HEAD + WALK.format("isinstance(m, nn.Linear) and 'classifier' not in name")),
        Good(HEAD.replace("= False", "= name != 'x'") + WALK.format("isinstance(m, nn.Linear)")),
        Good(HEAD.replace("Classification", "X") + WALK.format("isinstance(m, nn.Linear)")),
        Good(
            HEAD
            + WALK.format("isinstance(m, nn.Linear)")
            + "model.classifier.base.weight.requires_grad = True\n"
        ),
        Good(
            HEAD.replace("bert-base-cased", "textattack/bert-SST-2") + WALK.format("isinstance(m, nn.Linear)")
        ),
    )
    BAD = (Bad(HEAD + WALK.format("isinstance(m, nn.Linear)"), lines=(16,)),)

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every walk that wraps all linear layers of a classifier with a class that freezes them."""
        names = model_ids(subject) if has_text(subject, "named_modules()") else frozenset()
        if not names or any(map(is_tuned, names)) or not _are_classifiers(subject) or _unfreezes(subject):
            return
        freezing = {
            node.name for _, node in each(subject, ast.ClassDef) if any(map(_freezes, ast.walk(node)))
        }
        for module in subject.parsable:
            for walk in walks(module):
                for call in _wrapping(walk, freezing):
                    yield self._found(module, call, sorted(names)[0])

    def _found(self, module: Module, call: ast.Call, name: str) -> Finding:
        return self.finding(
            module.path,
            call.lineno,
            f"`{clip(ast.unparse(call), 70)}` wraps and freezes the new classification head "
            "with all other layers",
            f"line {call.lineno}: {module.line(call.lineno)} — the walk takes all linear layers of `{name}`, "
            "and nothing sets `requires_grad` again",
        )


def _are_classifiers(subject: ParsedBundle) -> bool:
    classes = [
        origin(m, call.func) for m, call in model_loads(subject) if "AutoConfig" not in ast.unparse(call)
    ]
    return bool(classes) and all(any(head in name for head in HEADS) for name in classes)


def _freezes(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=ast.Constant(value=False)):
            return True
        case ast.Call(func=ast.Attribute(attr="requires_grad_"), args=[ast.Constant(value=False)]):
            return True
    return False


def _unfreezes(subject: ParsedBundle) -> bool:
    """Whether the bundle sets `requires_grad` to anything but False somewhere."""
    for module in subject.parsable:
        for node in (*of_kind(module, ast.Assign), *of_kind(module, ast.Call)):
            match node:
                case ast.Assign(targets=[ast.Attribute(attr="requires_grad")]):
                    sets = True
                case ast.Call(func=ast.Attribute(attr="requires_grad_")):
                    sets = True
                case _:
                    sets = False
            if sets and not _freezes(node):
                return True
    return False


def _wrapping(walk: Walk, freezing: set[str]) -> Iterator[ast.Call]:
    """Calls that wrap the visited module, on no other condition than that it is a linear layer."""
    for node in ast.walk(walk.loop):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=first), *_]) if name in freezing:
                tests = walk.conditions(node) if first == walk.visited else None
                if tests and all(_asks_linear(walk, test) for test in tests):
                    yield node


def _asks_linear(walk: Walk, test: ast.expr) -> bool:
    match test:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kind]):
            return name == walk.visited and origin(walk.module, kind) == "torch.nn.Linear"
    return False
