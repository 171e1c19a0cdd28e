"""Check `id2label-missing`: entity scores go by the names of the labels, which someone must give."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from policies.architectures import is_tuned, model_ids, model_loads
from policies.base import Bad, Check, Evidence, Good
from policies.hydra.names import origin
from policies.kinds import each, has_text
from policies.parsed import ParsedBundle
from policies.records import Finding

CLASS = "AutoModelForTokenClassification"
HEAD = f"import evaluate\nfrom transformers import {CLASS}\n\n"
SCORE = "names = model.config.id2label\nevaluate.load('seqeval').add_batch(predictions=[[names[0]]])\n"


class Id2labelMissing(Check):
    """A model told only how many labels there are calls them LABEL_0, LABEL_1, ..., and seqeval reads names.

    It takes the first letter for the scheme and the rest for the entity: every LABEL_n becomes an entity of
    type `ABEL_n`, the outside tag among them, and the reported F1 means nothing. The names of the data set's
    classes go to the model as `id2label`.

    Source: seqeval, `get_entities`; transformers, `PretrainedConfig.num_labels`.
    """

    ID = "id2label-missing"
    CRITERION = 4
    RESTS_ON = ("code",)
    GOOD = (
        Good(f"{HEAD}model = {CLASS}.from_pretrained('bert-base-cased', id2label=names)\n{SCORE}"),
        Good(f"{HEAD}model = {CLASS}.from_pretrained('dslim/bert-base-NER')\n{SCORE}"),
        Good(f"{HEAD}model = {CLASS}.from_pretrained('bert-base-cased')\nprint(model.config.id2label)\n"),
    )
    BAD = (
        Bad(f"{HEAD}model = {CLASS}.from_pretrained('bert-base-cased', num_labels=9)\n{SCORE}", lines=(5,)),
        Bad(
            f"{HEAD}model = {CLASS}.from_pretrained(cfg.model.name, num_labels=9)\n"
            "names = getattr(model.config, 'id2label', {})\n"
            "evaluate.load(cfg.evaluation.metric).add_batch(predictions=[names[0]])\n",
            run_configs={
                "config/runs/a.yaml": "model:\n  name: roberta-base\nevaluation:\n  metric: seqeval\n"
            },
            lines=(5,),
        ),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """The reading of names that nothing gave, in a bundle that scores entities."""
        classes = {origin(module, call.func).split(".")[1] for module, call in model_loads(subject)}
        names = model_ids(subject)
        if (
            not has_text(subject, "id2label")
            or CLASS not in classes
            or not names
            or any(map(is_tuned, names))
        ):
            return
        scored = _scores_entities(subject)
        if not scored or any(_gives_names(node) for _, node in subject.walk()):
            return
        for module, node in chain(each(subject, ast.Attribute), each(subject, ast.Call)):
            if _reads_names(node):
                yield self.finding(
                    module.path,
                    node.lineno,
                    "`config.id2label` never gets the class names, so seqeval scores LABEL_0, LABEL_1, ...",
                    f"line {node.lineno}: {module.line(node.lineno)} — {scored}; "
                    f"`{sorted(names)[0]}` is loaded without `id2label`, and nothing sets it",
                )
                return


def _reads_names(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="id2label", ctx=ast.Load(), value=owner):
            return ast.unparse(owner).endswith("config")
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value="id2label"), *_]):
            return ast.unparse(owner).endswith("config")
    return False


def _gives_names(node: ast.AST) -> bool:
    match node:
        case ast.keyword(arg="id2label" | "label2id"):
            return True
        case ast.Attribute(attr="id2label" | "label2id", ctx=ast.Store()):
            return True
        case ast.Attribute(attr="update", value=owner):
            return "id2label" in ast.unparse(owner)
    return False


def _scores_entities(subject: ParsedBundle) -> str:
    """Where seqeval is asked for: in the code, or in a run config."""
    for module, node in subject.walk():
        if isinstance(node, ast.Call) and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and first.value == "seqeval":
                return f"{module.path}:{node.lineno} loads seqeval"
        if isinstance(node, ast.Import | ast.ImportFrom) and "seqeval" in ast.unparse(node):
            return f"{module.path}:{node.lineno} imports seqeval"
    for run, document in subject.run_documents.items():
        if "seqeval" in _texts(document.data):
            return f"the run config of {run} names seqeval"
    return ""


def _texts(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    for inner in data.values() if isinstance(data, dict) else ():
        yield from _texts(inner)
