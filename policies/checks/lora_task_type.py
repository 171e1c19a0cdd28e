"""Check `lora-task-type`: an adapter on a classifier is told the task, so that the new head is trained."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.add_argument import add_argument
from policies.architectures import is_tuned, model_ids, model_loads
from policies.assigned import sole_value
from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hydra.names import origin
from policies.kinds import each, has_text
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Severity
from policies.wording import clip

TASKS = {
    "AutoModelForSequenceClassification": "SEQ_CLS",
    "AutoModelForTokenClassification": "TOKEN_CLS",
    "AutoModelForQuestionAnswering": "QUESTION_ANS",
}
CONFIGS = frozenset(
    f"peft.{name}"
    for name in ("LoraConfig", "AdaLoraConfig", "IA3Config", "LoHaConfig", "LoKrConfig", "VeraConfig")
)
TELLING = ("task_type", "modules_to_save")
IMPORTS = "from peft import LoraConfig, get_peft_model\nfrom transformers import {0} as Auto\n\n"
HEAD = IMPORTS.format("AutoModelForSequenceClassification")
LOADED = "base = Auto.from_pretrained('bert-base-cased', num_labels=3)\n"


class LoraTaskType(Check):
    """PEFT freezes everything but its adapters; only the task type tells it to keep the new head trainable.

    `LoraConfig(...)` without `task_type` or `modules_to_save` leaves the classification head, which is newly
    made and random, frozen: adapters are trained through a random projection, in every run.

    Source: PEFT, `PeftModelForSequenceClassification` and `PeftModelForTokenClassification`.
    """

    ID = "lora-task-type"
    CRITERION = 4
    STAGE = 54
    PATH = "src/model.py"
    GOOD = (
        Good(f"{HEAD}{LOADED}model = get_peft_model(base, LoraConfig(r=8, task_type='SEQ_CLS'))\n"),
        Good(
            f"{HEAD}{LOADED}model = get_peft_model(base, LoraConfig(r=8, modules_to_save=['classifier']))\n"
        ),
        Good(
            f"{HEAD}{LOADED}model = get_peft_model(base, LoraConfig(r=8))\n"
            "for name, p in model.named_parameters():\n    p.requires_grad = 'classifier' in name\n"
        ),
        Good(f"{HEAD}{LOADED}config = LoraConfig(r=8, **options)\nmodel = get_peft_model(base, config)\n"),
        Good(
            f"{IMPORTS.format('AutoModelForCausalLM')}{LOADED}model = get_peft_model(base, LoraConfig(r=8))\n"
        ),
        Good(f"{HEAD}{LOADED}config = LoraConfig(r=8)\n"),
    )
    BAD = (
        Bad(
            f"{HEAD}{LOADED}config = LoraConfig(\n    r=8,\n    bias='none',\n)\n"
            "model = get_peft_model(base, config)\n",
            lines=(5,),
            fixed=f"{HEAD}{LOADED}config = LoraConfig(\n    r=8,\n    bias='none',\n"
            '    task_type="SEQ_CLS",\n)\nmodel = get_peft_model(base, config)\n',
        ),
        Bad(
            f"{IMPORTS.format('AutoModelForTokenClassification')}\n\ndef wrap(cfg):\n"
            "    base = Auto.from_pretrained(cfg.model.name)\n"
            "    return get_peft_model(base, LoraConfig(r=cfg.model.r))\n",
            run_configs={"config/runs/a.yaml": "run_id: a\nmodel:\n  name: roberta-base\n  r: 4\n"},
            lines=(8,),
            fixed=f"{IMPORTS.format('AutoModelForTokenClassification')}\n\ndef wrap(cfg):\n"
            "    base = Auto.from_pretrained(cfg.model.name)\n"
            '    return get_peft_model(base, LoraConfig(r=cfg.model.r, task_type="TOKEN_CLS"))\n',
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every configuration of an adapter that freezes the head of a classifier."""
        task = _task(subject) if has_text(subject, "get_peft_model") else ""
        if not task or _unfreezes(subject):
            return
        owner, load = model_loads(subject)[0]
        names = model_ids(subject)
        for module, config in _silent_configs(subject):
            found = self.finding(
                module.path,
                config.lineno,
                f"{_place(module, config)}: "
                f'without `task_type="{task}"` the new head of the classifier stays frozen at random values',
                f"line {config.lineno}: {clip(ast.unparse(config), 90)} — {owner.path}:{load.lineno} "
                f"loads `{ast.unparse(load.func)}`; nothing names `modules_to_save`",
            )
            untrained = names and not any(map(is_tuned, names))
            yield found if untrained else found.model_copy(update={"severity": Severity.ADVISORY})

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Name the task that the class of the model is for."""
        task = _task(subject)
        for module, config in _silent_configs(subject):
            if (module.path, config.lineno) == (finding.file, finding.line):
                return rewrite(
                    subject.bundle, module.path, add_argument(module, config, "task_type", f'"{task}"')
                )
        return None


def _task(subject: ParsedBundle) -> str:
    """The task of the models that the bundle loads, when all of them are of one class that has a head."""
    classes = {origin(module, call.func).split(".")[1] for module, call in model_loads(subject)}
    return TASKS.get(classes.pop(), "") if len(classes) == 1 else ""


def _silent_configs(subject: ParsedBundle) -> list[tuple[Module, ast.Call]]:
    """Configurations, given to `get_peft_model`, that say nothing of the task."""
    found: dict[tuple[str, int, int], tuple[Module, ast.Call]] = {}
    for module, node in each(subject, ast.Call):
        if origin(module, node.func) == "peft.get_peft_model":
            config = _config(module, node)
            if config is not None and _says_nothing(config):
                found[module.path, config.lineno, config.col_offset] = (module, config)
    return [found[key] for key in sorted(found)]


def _config(module: Module, call: ast.Call) -> ast.Call | None:
    """The configuration that the call gets, made in the same module."""
    given = call.args[1] if len(call.args) > 1 else None
    given = given or next((k.value for k in call.keywords if k.arg == "peft_config"), None)
    made = sole_value(module, given) if given is not None else None
    return made if isinstance(made, ast.Call) and origin(module, made.func) in CONFIGS else None


def _place(module: Module, config: ast.Call) -> str:
    """What the configuration is called and where, so that two of them are two findings."""
    parent, function = module.parents[config], module.enclosing_function(config)
    name = ast.unparse(parent.targets[0]) if isinstance(parent, ast.Assign) else ast.unparse(config.func)
    return f"`{name}` in `{function.name}`" if function is not None else f"`{name}`"


def _says_nothing(config: ast.Call) -> bool:
    return not config.args and not any(k.arg is None or k.arg in TELLING for k in config.keywords)


def _unfreezes(subject: ParsedBundle) -> bool:
    """Whether the bundle decides itself what is trained, or says the task later."""
    for _, node in subject.walk():
        match node:
            case ast.Attribute(attr="task_type" | "modules_to_save" | "requires_grad", ctx=ast.Store()):
                return True
            case ast.Attribute(attr="requires_grad_"):
                return True
            case ast.Constant(value="task_type" | "modules_to_save"):
                return True
    return False
