"""Check `hub-model-id`: models are asked for under an id that the hub has."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.hub import Ask, asks, id_argument, kind_of, may_lack_owner, right_model, said_by
from policies.hydra.examples import CONFIG, ENTRY, LOAD
from policies.kinds import each, of_kind
from policies.parsed import Module, ParsedBundle, parse_module
from policies.records import Bundle, Finding
from policies.replace_node import replace_expression, with_table

TABLE = "HUB_IDS"
WHY = "Names used in the run configs -> repositories of the Hugging Face Hub."
IMPORT = "from transformers import AutoTokenizer\n"
MERGE = f"{LOAD}    OmegaConf.set_struct(cfg, False)\n    cfg = OmegaConf.merge(cfg, run_cfg)\n"
MERGED = f"{ENTRY}{MERGE}"
RUNS = {"config/runs/a.yaml": "run_id: a\nmodel:\n  name: Llama-2-7B  # the base\n"}
HEAD_IMPORTS, _, REST = ENTRY.partition("\n\n\n")
LOADED = "    print(AutoTokenizer.from_pretrained(cfg.model.name))\n"
FIXED = f"    print(AutoTokenizer.from_pretrained({TABLE}.get(cfg.model.name, cfg.model.name)))\n"
MAPPED = f'\n# {WHY}\n{TABLE} = {{\n    "Llama-2-7B": "meta-llama/Llama-2-7b-hf",\n}}\n'


class HubModelId(Check):
    """A model's name in a paper is not its id on the hub, and run configs carry the former.

    `Llama-2-7B` cannot be loaded; `meta-llama/Llama-2-7b-hf` can. Models without an owner are a closed list
    from the early days of transformers. Run configs are given, so the code maps the name where it uses it.

    Source: transformers, `from_pretrained`; the hub's model pages.
    """

    ID = "hub-model-id"
    CRITERION = 4
    STAGE = 52
    GOOD = (
        Good(
            f"{IMPORT}{MERGED}{LOADED}",
            files=CONFIG,
            run_configs={"config/runs/a.yaml": "run_id: a\nmodel:\n  name: gpt2-medium\n"},
        ),
        Good(
            f"{IMPORT}{MERGED}    print(AutoTokenizer.from_pretrained('./Llama-2-7B'))\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(
            f"{IMPORT}{MERGED}    ids = {{'Llama-2-7B': 'meta-llama/Llama-2-7b-hf'}}\n"
            "    print(AutoTokenizer.from_pretrained(ids.get(cfg.model.name)))\n",
            files=CONFIG,
            run_configs=RUNS,
        ),
        Good(
            f"{IMPORT}AutoTokenizer.save_pretrained('best')\nAutoTokenizer.from_pretrained('best')\n",
        ),
    )
    BAD = (
        Bad(
            f"{IMPORT}{MERGED}    try:\n    {LOADED}    except OSError:\n    {LOADED}",
            files=CONFIG,
            run_configs=RUNS,
            lines=(12,),
            fixed=f"{IMPORT}{HEAD_IMPORTS}\n{MAPPED}\n\n{REST}{MERGE}"
            f"    try:\n    {FIXED}    except OSError:\n    {FIXED}",
        ),
        Bad(
            f"{IMPORT}{MERGED}{LOADED}",
            files=CONFIG,
            run_configs=RUNS,
            lines=(11,),
            fixed=f"{IMPORT}{HEAD_IMPORTS}\n{MAPPED}\n\n{REST}{MERGE}{FIXED}",
        ),
        Bad(
            "from transformers import AutoModel\n\nAutoModel.from_pretrained('Mistral-7B-v0.1', trust=1)\n",
            lines=(3,),
            fixed="from transformers import AutoModel\n\n"
            "AutoModel.from_pretrained('mistralai/Mistral-7B-v0.1', trust=1)\n",
        ),
        Bad(
            "from transformers import AutoModel\n\nAutoModel.from_pretrained('my-tiny-thing')\n",
            lines=(3,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every call that asks for a model which the hub does not have."""
        for ask in asks(subject, "model"):
            wrong = _wrong(ask, subject)
            if wrong:
                yield self.finding(
                    ask.module.path,
                    ask.node.lineno,
                    "; ".join(_said(name, right) for name, right in sorted(wrong.items())),
                    f"{'; '.join(said_by(ask, subject))} — {_reason(wrong)}",
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Map the run config's name where it is used; write a literal right."""
        for ask in asks(subject, "model"):
            if (ask.module.path, ask.node.lineno) == (finding.file, finding.line):
                wrong = _wrong(ask, subject)
                if wrong and all(wrong.values()):
                    return rewrite(subject.bundle, ask.module.path, _mended(ask, wrong))
        return None


def _wrong(ask: Ask, subject: ParsedBundle) -> dict[str, str]:
    """Names that the hub does not have -> the right id, empty where the table does not know it."""
    wrong = {name: right_model(name) for name in ask.ids.values()}
    return {name: right for name, right in wrong.items() if right or _surely_unknown(name, subject)}


def _surely_unknown(name: str, subject: ParsedBundle) -> bool:
    """A name without an owner, outside the closed list, that the bundle itself does not make."""
    if "/" in name or name.startswith(".") or not name.strip() or may_lack_owner(name):
        return False
    return not any(
        isinstance(node.func, ast.Attribute)
        and node.func.attr in ("save_pretrained", "save_model", "save_vocabulary")
        for _, node in each(subject, ast.Call)
    )


def _said(name: str, right: str) -> str:
    return f"the hub has no model `{name}` that transformers can load" + (
        f"; it is `{right}`" if right else ""
    )


def _reason(wrong: dict[str, str]) -> str:
    if all("/" in name for name in wrong):
        return "that repository has no weights for transformers"
    return "ids without an owner are a closed list (`bert-…`, `gpt2…`, `t5-…` and their like)"


def _mended(ask: Ask, wrong: dict[str, str]) -> str | None:
    argument = ask.argument
    if isinstance(argument, ast.Constant):
        (right,) = wrong.values()
        quote = ast.get_source_segment(ask.module.text, argument) or '"'
        return replace_expression(ask.module, argument, f"{quote[0]}{right}{quote[0]}")
    if not isinstance(argument, ast.Name | ast.Attribute | ast.Subscript):
        return None
    source = ast.unparse(argument)
    module = ask.module
    # Fallbacks in the same file that load by the same name come along, the last first so that places hold.
    for node in reversed(_same(module, source)):
        text = replace_expression(module, node, f"{TABLE}.get({source}, {source})")
        module = parse_module(module.path, text)
    return with_table(module.text, TABLE, wrong, WHY)


def _same(module: Module, source: str) -> list[ast.expr]:
    """Ids of models that are spelled `source`, in the order of the text."""
    calls = (node for node in of_kind(module, ast.Call) if kind_of(module, node) == "model")
    found = [id_argument(call) for call in calls]
    spelled = [node for node in found if node is not None and ast.unparse(node) == source]
    return sorted(spelled, key=lambda node: (node.lineno, node.col_offset))
