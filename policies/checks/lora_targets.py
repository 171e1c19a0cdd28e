"""Check `lora-targets`: the modules that adapters are put on exist in the model."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from policies.architectures import Architecture, architectures, matching
from policies.assigned import sole_value
from policies.base import Bad, Check, Evidence, Good
from policies.hydra.names import origin
from policies.kinds import each
from policies.parsed import Module, ParsedBundle
from policies.records import Finding
from policies.run_values import run_values

ALL = "all-linear"
HEAD = "from peft import LoraConfig\nfrom transformers import AutoModel\n\n"
LOADED = "base = AutoModel.from_pretrained('distilbert-base-uncased')\n"
WALK = (
    "from torch import nn\nfrom transformers import AutoModel\n\n\ndef adapt(cfg):\n"
    "    model = AutoModel.from_pretrained(cfg.model.name)\n    targets = cfg.model.targets\n"
    "    for name, m in list(model.named_modules()):\n"
    "        if isinstance(m, nn.Linear) and any(t in name for t in targets):\n            wrap(m)\n"
)
RUN = "model:\n  name: distilbert-base-uncased\n  targets: [{0}]\n"


class LoraTargets(Check):
    """Every family of models has its own names for its linear layers; adapters on names it lacks are nowhere.

    PEFT stops with "Target modules ... not found in the base model". Code that walks over the modules itself
    finds none, adapts nothing and freezes nothing: the run trains the whole model, or no adapter at all.

    Source: PEFT, `BaseTuner.inject_adapter`; names as transformers has them.
    """

    ID = "lora-targets"
    CRITERION = 4
    PATH = "src/model.py"
    GOOD = (
        Good(f"{HEAD}{LOADED}config = LoraConfig(target_modules=['q_lin', 'v_proj'])\n"),
        Good(f"{HEAD}{LOADED}config = LoraConfig(target_modules='all-linear')\n"),
        Good(
            f"{HEAD}base = AutoModel.from_pretrained(name)\nconfig = LoraConfig(target_modules=['q_proj'])\n"
        ),
        Good(WALK, run_configs={"config/runs/a.yaml": RUN.format("ffn, q_proj")}),
    )
    BAD = (
        Bad(f"{HEAD}{LOADED}config = LoraConfig(r=8, target_modules=['q_proj', 'v_proj'])\n", lines=(5,)),
        Bad(WALK, run_configs={"config/runs/a.yaml": RUN.format("q_proj, ffn_down")}, lines=(9,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every list of targets of which the models of all runs have none."""
        known = architectures(subject)
        for module, node, targets, by_end in _lists(subject) if known else ():
            if any(_has(each, targets, by_end=by_end) for each in known.values()):
                continue
            name, first = next(iter(known.items()))
            listed = ", ".join(f"`{target}`" for target in targets)
            yield self.finding(
                module.path,
                node.lineno,
                f"`{name}` has none of the modules {listed}: no adapter is made",
                f"line {node.lineno}: {module.line(node.lineno)} — its linear layers are called "
                f"{', '.join(_last(first.linear))}",
            )


def _has(known: Architecture, targets: Sequence[str], *, by_end: bool) -> bool:
    """Whether some target is the end of a module's name, or merely a part of it."""
    if by_end:
        return any(matching((*known.linear, *known.others), target) for target in targets)
    return any(target in name for target in targets for name in known.names)


def _last(names: Sequence[str]) -> list[str]:
    return sorted({name.rpartition(".")[2] for name in names if ".#." in name})


def _lists(subject: ParsedBundle) -> Iterator[tuple[Module, ast.Call, Sequence[str], bool]]:
    """Targets that the code or every run that has them spells, and whether they are ends of names."""
    for module, node in each(subject, ast.Call):
        if origin(module, node.func) in (
            "peft.LoraConfig",
            "peft.AdaLoraConfig",
        ):
            given = next((k.value for k in node.keywords if k.arg == "target_modules"), None)
            by_end = True
        elif isinstance(node.func, ast.Name) and node.func.id == "any":
            given, by_end = _tested(module, node), False
        else:
            continue
        targets = _spelled(subject, module, given) if given is not None else ()
        if targets and ALL not in targets:
            yield module, node, targets, by_end


def _tested(module: Module, node: ast.Call) -> ast.expr | None:
    """The list in `any(t in name for t in list)`, asked of the names of a walk over linear layers."""
    match node.args:
        case [
            ast.GeneratorExp(
                elt=test, generators=[ast.comprehension(target=ast.Name(id=item), iter=given, ifs=[])]
            )
        ]:
            pass
        case _:
            return None
    match test:
        case ast.Compare(left=ast.Name(id=left), ops=[ast.In()], comparators=[ast.Name(id=name)]):
            asked = left == item
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="endswith"), args=[ast.Name(id=one)]):
            asked = one == item
        case _:
            return None
    return given if asked and _walks_linear(module, node, name) else None


def _walks_linear(module: Module, node: ast.AST, name: str) -> bool:
    """Whether `name` is that of a module in a walk that goes on only for linear layers."""
    test, loop = module.parents.get(node), module.parents.get(node)
    while loop is not None and not isinstance(loop, ast.For):
        test, loop = loop, module.parents.get(loop)
    if not isinstance(loop, ast.For) or not isinstance(test, ast.If):
        return False
    first = loop.target.elts[0] if isinstance(loop.target, ast.Tuple) else loop.target
    walked = "named_modules()" in ast.unparse(loop.iter)
    positive = isinstance(test.test, ast.BoolOp) and isinstance(test.test.op, ast.And)
    linear = "isinstance(" in ast.unparse(test.test) and "Linear" in ast.unparse(test.test)
    return walked and positive and linear and isinstance(first, ast.Name) and first.id == name


def _spelled(subject: ParsedBundle, module: Module, node: ast.expr) -> tuple[str, ...]:
    """The strings of a list that the code or the run configs spell; empty when they are not known."""
    node = sole_value(module, node)
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("list", "tuple") and len(node.args) == 1:
        node = sole_value(module, node.args[0])
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        texts = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        return tuple(texts) if len(texts) == len(node.elts) else ()
    values = [v for v in run_values(subject, module, node, some=True).values() if v is not None]
    if not values or not all(isinstance(v, list) and all(isinstance(t, str) for t in v) for v in values):
        return ()
    return tuple(sorted({text for value in values if isinstance(value, list) for text in value}))
