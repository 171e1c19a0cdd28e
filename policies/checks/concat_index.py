"""Tables put together that seaborn cannot plot."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from policies.api_fix import splice
from policies.base import Bad, Check, Evidence, Good
from policies.call_sites import called_name
from policies.edit import rewrite
from policies.eval_script import evaluation, in_try
from policies.hydra.names import origin
from policies.literal_keys import bindings_of, matches, scope_of
from policies.parsed import Module, ParsedBundle
from policies.records import Bundle, Finding, Severity
from policies.run_data import holders
from policies.tree import walk
from policies.wandb_logged import Logged, logged

_TRAIN = {"src/train.py": "import wandb\n\nwandb.log({'loss': a})\nwandb.log({'val_acc': b})\n"}
_PLOT = """import pandas as pd
import seaborn as sns


def box(runs):
    frames = []
    for run in runs:
        part = run.history(){0}
        part["run_id"] = run.id
        frames.append(part)
    table = pd.concat(frames{1})
    sns.boxplot(data=table{2}, x="run_id", y="val_acc")
"""
_REINDEXES = ("reset_index", "dropna", "set_index", "melt", "groupby", "agg", "pivot", "drop_duplicates")


class ConcatIndex(Check):
    """`pd.concat` keeps the index of each table, so every number comes twice.

    Seaborn drops the rows without a value and puts the columns together by index: on duplicates pandas stops
    with "cannot reindex on an axis with duplicate labels". Histories have such rows whenever two log calls
    write different keys. Without missing values the same code works, so it is only advice where that cannot
    be told. The codemod gives the table an index of its own.
    """

    ID = "concat-index"
    CRITERION = 8
    PATH = "src/evaluate.py"
    GOOD = (
        Good(_PLOT.format("", ", ignore_index=True", ""), files=_TRAIN),
        Good(_PLOT.format("", "", ".reset_index(drop=True)"), files=_TRAIN),
        Good(_PLOT.format(".dropna()", "", ""), files=_TRAIN),
        Good(_PLOT.format("", ", axis=1", ""), files=_TRAIN),
        Good(
            _PLOT.format("", "", ""),
            files={"src/train.py": "import wandb\n\nwandb.log({'val_acc': a, 'loss': b})\n"},
        ),
    )
    BAD = (
        Bad(
            _PLOT.format("", "", ""),
            files=_TRAIN,
            lines=(11,),
            fixed=_PLOT.format("", ", ignore_index=True", ""),
        ),
        Bad(_PLOT.format("", "", ""), lines=(11,), fixed=_PLOT.format("", ", ignore_index=True", "")),
    )

    def find(self, subject: ParsedBundle, evidence: Evidence) -> Iterator[Finding]:
        """Every such table that is plotted."""
        module = evaluation(subject)
        if module is None or not any(holders(module)):
            return
        for concat, plot in _plotted(module):
            sure = _gaps(logged(subject), plot)
            if sure is False:
                continue
            found = self.finding(
                module.path,
                concat.lineno,
                "tables keep their index numbers, and seaborn stops at duplicates once a value is missing",
                f"{ast.unparse(concat)} is plotted at line {plot.lineno}: {ast.unparse(plot.func)}",
            )
            certain = sure and not in_try(module, plot)
            yield found if certain else found.model_copy(update={"severity": Severity.ADVISORY})

    def fix(self, subject: ParsedBundle, finding: Finding) -> Bundle | None:
        """Let pandas number the rows anew."""
        module = evaluation(subject)
        for concat, _ in _plotted(module) if module is not None else ():
            if concat.lineno == finding.line and module is not None:
                last = [*concat.args, *(k.value for k in concat.keywords)][-1]
                source = ast.get_source_segment(module.text, last)
                return rewrite(
                    subject.bundle, module.path, splice(module.text, last, f"{source}, ignore_index=True")
                )
        return None


def _plotted(module: Module) -> Iterator[tuple[ast.Call, ast.Call]]:
    """`pd.concat` calls whose result goes by one name into a seaborn plot, with that plot."""
    for plot in module.nodes:
        if not isinstance(plot, ast.Call) or not origin(module, plot.func).startswith("seaborn."):
            continue
        data = next((k.value for k in plot.keywords if k.arg == "data"), None)
        concat = _value(module, data) if isinstance(data, ast.Name) else data
        if (
            isinstance(concat, ast.Call)
            and _stacks(module, concat)
            and any(k.arg in "xy" for k in plot.keywords if k.arg)
        ):
            yield concat, plot


def _value(module: Module, name: ast.Name) -> ast.expr | None:
    """What the only assignment gives a name that nothing changes in place."""
    scope = scope_of(module, name, name.id)
    bound = bindings_of(module, scope, name.id) if scope is not None else ()
    changed = any(
        isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and isinstance(n.func.value, ast.Name)
        and n.func.value.id == name.id
        and any(k.arg == "inplace" for k in n.keywords)
        for n in module.nodes
    )
    return getattr(bound[0], "value", None) if len(bound) == 1 and not changed else None


def _stacks(module: Module, call: ast.Call) -> bool:
    """Whether the call puts histories below each other and keeps their index."""
    if origin(module, call.func) != "pandas.concat" or not call.args:
        return False
    if any(k.arg in ("ignore_index", "keys", None) for k in call.keywords) or len(call.args) > 1:
        return False
    axis = next((ast.unparse(k.value) for k in call.keywords if k.arg == "axis"), "0")
    return axis in ("0", "'index'", "'rows'") and not _parts_differ(module, call)


def _parts_differ(module: Module, call: ast.Call) -> bool:
    """Whether the parts may have been given other rows or another index before."""
    function = module.enclosing_function(call)
    scope = walk(function) if function is not None else iter(module.nodes)
    return any(isinstance(n, ast.Call) and called_name(n) in _REINDEXES for n in scope)


def _gaps(known: Logged, plot: ast.Call) -> bool | None:
    """Whether the plotted column lacks values in some rows; None when the code does not tell."""
    axes = [k.value for k in plot.keywords if k.arg in ("x", "y")]
    names = [a.value for a in axes if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    rows = known.rows
    if known.unknown or not rows:
        return None
    told = [name for name in names if matches(known.history, name) and not name.startswith("_")]
    return any(not all(matches(row, name) for row in rows) for name in told) if told else None
