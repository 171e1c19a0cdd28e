"""Results that the training code writes beside W&B."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from policies.base import Bad, Check, Evidence, Good
from policies.eval_script import demands
from policies.json_writers import dump_calls
from policies.literal_keys import bindings_of, scope_of
from policies.parsed import Module, ParsedBundle
from policies.records import Finding, Severity
from policies.tree import walk
from policies.trial_mode import training_modules

_FILE = re.compile(r"(?:^|[/_-])(?:results?|metrics|scores?)[\w-]*\.json$|_(?:results?|metrics)\.json$")
_SETTINGS = re.compile(r"cfg|config|params|args|space", re.IGNORECASE)


class ResultsInTrain(Check):
    """Metrics go to W&B alone: a results file or JSON on stdout is a second record that nothing reads."""

    ID = "results-in-train"
    CRITERION = 6
    SEVERITY = Severity.ADVISORY
    GOOD = (
        Good("import json\n\nprint('best', json.dumps(best))\nprint(json.dumps(best_params))\n"),
        Good("import json\n\nwith open('config.json', 'w') as f:\n    json.dump(cfg, f)\n"),
        Good("import json\n\njson.dump(m, open('metrics.json', 'w'))\n", path="src/evaluate.py"),
    )
    BAD = (
        Bad("import json\n\nprint(json.dumps({'f1': f1}))\n", lines=(3,)),
        Bad(
            "import json\n\nwith open(out / 'results.json', 'w') as f:\n    json.dump(scores, f)\n",
            lines=(4,),
        ),
        Bad("import json\n\npath = out / 'final_metrics.json'\npath.write_text(json.dumps(m))\n", lines=(4,)),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every such writing."""
        if not demands(subject, r"no results\.json|no result files", 6):
            return
        for module in training_modules(subject):
            for call in dump_calls(module):
                target = _target(module, call)
                if target:
                    message = "train.py writes results as JSON; they belong into W&B alone"
                    yield self.finding(module.path, call.lineno, message, target)


def _target(module: Module, call: ast.Call) -> str:
    """Where the JSON goes: stdout or a results file; empty when elsewhere."""
    parent = module.parents.get(call)
    if isinstance(parent, ast.Call) and ast.unparse(parent.func) == "print" and parent.args == [call]:
        return "" if _SETTINGS.search(ast.unparse(call.args[0])) else ast.unparse(parent)
    outer = parent.func if isinstance(parent, ast.Call) else None
    given = call.args[1] if len(call.args) > 1 else getattr(outer, "value", None)
    if not isinstance(given, ast.expr):
        return ""
    names = [text for text in _texts(module, given, 0) if _FILE.search(text)]
    return f"{ast.unparse(call)} -> {names[0]}" if names else ""


def _texts(module: Module, node: ast.AST, steps: int) -> Iterator[str]:
    """Texts in an expression, and in what its names were given."""
    for inner in walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value
        elif isinstance(inner, ast.Name) and steps < 3:
            scope = scope_of(module, inner, inner.id)
            for binding in bindings_of(module, scope, inner.id) if scope is not None else ():
                if isinstance(binding, ast.Assign | ast.AnnAssign) and binding.value is not None:
                    yield from _texts(module, binding.value, steps + 1)
                elif isinstance(binding, ast.With):
                    yield from (t for i in binding.items for t in _texts(module, i.context_expr, steps + 1))
