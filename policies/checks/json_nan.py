"""Histories with gaps that are written as JSON."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.api_fix import splice
from policies.base import Bad, Check, Evidence, Good
from policies.edit import rewrite
from policies.eval_script import evaluation
from policies.json_writers import written_by
from policies.literal_keys import bindings_of, scope_of
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Severity
from policies.run_data import run_data
from policies.wandb_logged import Logged, logged

_TRAIN = {"src/train.py": "import wandb\n\nwandb.log({'loss': a})\nwandb.log({'val_acc': b})\n"}
_ONE_ROW = {
    "src/train.py": "import wandb\n\nwandb.log({'loss': a}, step=1)\nwandb.log({'val_acc': b}, step=1)\n"
}
_SAVE = """import json
from pathlib import Path

import wandb


def save(data, path):
    Path(path).write_text(json.dumps(data, indent=2))


run = wandb.Api().run("e/p/r")
rows = run.history()
save({0}, "metrics.json")
"""
_CLEANS = ("fillna", "dropna", "where", "replace", "mask", "notna", "isna", "notnull", "isnull", "ffill")


class JsonNan(Check):
    """Rows that lack a key have NaN in the table of a history, and `json.dump` writes that as bare `NaN`.

    That is no JSON: strict parsers refuse the whole file. It happens as soon as two log calls write
    different keys. The codemod puts null in the place of NaN.
    """

    ID = "json-nan"
    CRITERION = 8
    SEVERITY = Severity.ADVISORY
    PATH = "src/evaluate.py"
    GOOD = (
        Good(_SAVE.format("{'rows': rows.dropna().to_dict()}"), files=_TRAIN),
        Good(_SAVE.format("{'rows': json.loads(rows.to_json())}"), files=_TRAIN),
        Good(_SAVE.format("{'rows': rows.to_dict()}"), files=_ONE_ROW),
    )
    BAD = (
        Bad(
            _SAVE.format("{'rows': rows.to_dict(orient='list'), 'n': 1}"),
            files=_TRAIN,
            lines=(13,),
            fixed=_SAVE.format(
                "{'rows': rows.astype(object).where(rows.notna(), None).to_dict(orient='list'), 'n': 1}"
            ),
        ),
        Bad(
            _SAVE.format("(run.history().to_dict())").replace("save((run", "json.dumps((run"),
            files=_TRAIN,
            lines=(13,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every history that goes into a JSON writer as it is."""
        module, known = evaluation(subject), logged(subject)
        if module is None or not _has_gaps(known):
            return
        for call in _tables(subject, module):
            writer = written_by(module, call, "cls", "allow_nan", None)
            if writer is not None:
                yield self.finding(
                    module.path,
                    call.lineno,
                    "the history has NaN where a row lacks a key, and JSON has no NaN",
                    f"{ast.unparse(call)} is written at line {writer.lineno}: {module.line(writer.lineno)}",
                )

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Write null instead."""
        module = evaluation(subject)
        for call in _tables(subject, module) if module is not None else ():
            assert module is not None and isinstance(call.func, ast.Attribute)
            owner = call.func.value
            if call.lineno == finding.line and isinstance(owner, ast.Name):
                new = f"{owner.id}.astype(object).where({owner.id}.notna(), None)"
                return rewrite(subject.bundle, module.path, splice(module.text, owner, new))
        return None


def _has_gaps(known: Logged) -> bool:
    """Whether two log calls certainly write different keys."""
    kinds = {keys for keys in known.rows if keys and not any("*" in key for key in keys)}
    return len(kinds) > 1


def _tables(subject: ParsedBundle, module: Module) -> Iterator[ast.Call]:
    """Calls `x.to_dict(...)` of a history that nothing cleans."""
    data = run_data(subject, module)
    for node in module.nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="to_dict")):
                if data.column_kind(owner) == "history" and not _cleaned(module, owner):
                    yield node


def _cleaned(module: Module, owner: ast.expr) -> bool:
    """Whether NaN is dealt with in the expression, or where its name gets its value."""
    texts = [ast.unparse(owner)]
    if isinstance(owner, ast.Name) and (scope := scope_of(module, owner, owner.id)) is not None:
        texts += [ast.unparse(b) for b in bindings_of(module, scope, owner.id)]
    return any(f".{verb}(" in text for text in texts for verb in _CLEANS)
