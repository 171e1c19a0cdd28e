"""Where the evaluation script takes the W&B entity and project from."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import code_words, evaluation, evaluation_modules, in_try
from policies.hydra.names import origin
from policies.kinds import of_kind
from policies.literal_keys import Reader, bindings_of, scope_of
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.tree import walk

_CONFIG = {"config/config.yaml": "wandb:\n  entity: lab\n  project: p\n"}
_READ = """import wandb
from omegaconf import OmegaConf

cfg = OmegaConf.load("config/config.yaml")
run = wandb.Api().run(f"{cfg.wandb.entity}/{cfg.wandb.project}/{run_id}")
"""
_HARD = 'import wandb\n\nrun = wandb.Api().run(f"lab/p/{run_id}")\n'


class WandbConfigRead(Check):
    """The evaluation finds its runs with `wandb.Api()`, under the entity and project of config/config.yaml.

    Written into the script they are out of date as soon as the config changes. A key that the file does not
    have stops the script at once.
    """

    ID = "wandb-config-read"
    CRITERION = 8
    SEVERITY = Severity.ADVISORY
    PATH = "src/evaluate.py"
    GOOD = (
        Good(_READ, files=_CONFIG),
        Good(_READ.replace('OmegaConf.load("config/config.yaml")', "hydra.compose('config')"), files=_CONFIG),
        Good("print('hello')\n", path="src/train.py"),
        Good(
            _READ.replace("cfg.wandb.entity", "cfg.wandb.get('entity')"),
            files={"config/config.yaml": "wandb: {project: p}\n"},
        ),
    )
    BAD = (
        Bad(_HARD, files=_CONFIG, lines=(3,)),
        Bad(_READ, files={"config/config.yaml": ""}, lines=(5,)),
        Bad(
            "import yaml\nimport wandb\n\nwith open('config/config.yaml') as f:\n"
            "    cfg = yaml.safe_load(f)\n"
            "entity = cfg['wandb']['entity']\nwandb.Api().run(entity + '/p/' + run_id)\n",
            files={"config/config.yaml": "wandb:\n  project: p\n"},
            lines=(6,),
        ),
        Bad("import json\n\nprint(json.load(open('metrics.json')))\n", files=_CONFIG, lines=(0,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """No `wandb.Api`, a path written out, or a key that the config lacks."""
        module = evaluation(subject)
        if module is None:
            return
        calls = [n for m in evaluation_modules(subject) for n in of_kind(m, ast.Call)]
        if not any(ast.unparse(call.func).endswith("Api") for call in calls):
            message = "the evaluation never asks W&B for its runs: no wandb.Api()"
            yield self.finding(
                module.path, 0, message, "no call of wandb.Api in the script or what it imports"
            )
        words = code_words(module)
        if not re.search(r"config", words, re.IGNORECASE):
            yield from self._written_out(subject, module, calls)
        yield from self._absent(subject, module)

    def _written_out(self, subject: ParsedBundle, module: Module, calls: list[ast.Call]) -> Iterator[Finding]:
        """`api.run("entity/project/...")` with both as text."""
        for call in calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("run", "runs") and call.args:
                texts = Reader(subject).texts(module, call.args[0])
                parts = [text.split("/") for text in texts]
                if all(len(p) > 1 and p[0] and p[1] and "*" not in p[0] + p[1] for p in parts):
                    yield self.finding(
                        module.path,
                        call.lineno,
                        "entity and project are written into the script, not read from config/config.yaml",
                        ast.unparse(call),
                    )

    def _absent(self, subject: ParsedBundle, module: Module) -> Iterator[Finding]:
        """Keys of the config file that the script reads outright and the file does not have."""
        document = subject.documents.get("config/config.yaml")
        if document is None or document.data is None:
            return
        seen: set[str] = set()
        for node in sorted(_chains(module), key=lambda n: (n.lineno, n.col_offset)):
            path = _path(module, node, 0)
            lost = _lost(document.data, path) if path else ""
            if lost and lost not in seen and not in_try(module, node):
                seen.add(lost)
                found = self.finding(
                    module.path,
                    node.lineno,
                    f"config/config.yaml has no `{lost}`, and the evaluation stops there",
                    f"{ast.unparse(node)} — keys of the file: {', '.join(map(str, document.data)) or 'none'}",
                )
                yield found.model_copy(update={"severity": Severity.BLOCKING})


def _chains(module: Module) -> Iterator[ast.Attribute | ast.Subscript]:
    """Outermost attribute and item reads."""
    for node in of_kind(module, ast.Attribute, ast.Subscript):
        if isinstance(node.ctx, ast.Load):
            parent = module.parents.get(node)
            called = isinstance(parent, ast.Call) and parent.func is node
            inner = isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is node
            if not called and not inner:
                yield node


def _path(module: Module, node: ast.expr, steps: int) -> list[str]:
    """Keys from the top of config/config.yaml to what an expression means; empty when it is none."""
    match node:
        case ast.Attribute(value=owner, attr=key) | ast.Subscript(
            value=owner, slice=ast.Constant(value=str(key))
        ):
            above = _path(module, owner, steps)
            return [*above, key] if above else []
        case ast.Call(args=[given, *_]) if origin(module, node.func) in (
            "omegaconf.OmegaConf.load",
            "yaml.safe_load",
            "yaml.load",
        ):
            return ["$"] if _is_config(module, given) else []
        case ast.Name(id=name) if steps < 5:
            scope = scope_of(module, node, name)
            bound = bindings_of(module, scope, name) if scope is not None else ()
            value = bound[0].value if len(bound) == 1 and isinstance(bound[0], ast.Assign) else None
            single = value is not None and isinstance(bound[0].targets[0], ast.Name)  # type: ignore[attr-defined]  # an Assign
            return _path(module, value, steps + 1) if single and value is not None else []
    return []


def _is_config(module: Module, node: ast.expr, steps: int = 0) -> bool:
    """Whether what is loaded is config/config.yaml: by its name, through names, paths and `with`."""
    if "config.yaml" in ast.unparse(node):
        return True
    names = [n for n in walk(node) if isinstance(n, ast.Name)]
    for name in names if steps < 4 else ():
        scope = scope_of(module, name, name.id)
        for binding in bindings_of(module, scope, name.id) if scope is not None else ():
            value = getattr(binding, "value", None)
            sources = [i.context_expr for i in binding.items] if isinstance(binding, ast.With) else [value]
            if any(isinstance(s, ast.expr) and _is_config(module, s, steps + 1) for s in sources):
                return True
    return False


def _lost(data: Mapping[str, object], path: list[str]) -> str:
    """The first part of the path that the data lacks, with what is above it."""
    here: object = data
    for place, key in enumerate(path[1:], start=1):
        if not isinstance(here, Mapping):
            return ""
        if key not in here:
            return ".".join(path[1 : place + 1])
        here = here[key]
    return ""
