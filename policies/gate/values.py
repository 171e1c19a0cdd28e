"""The values in code that make an experiment what it is: what they are called, and where they stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from policies.gate.base import Place, Side
from policies.gate.syntax import UNKNOWN, Function, called_name, dotted, leaf, literal, own_nodes

Value = str | float

_IDENTITY = re.compile(
    r"(\w+_)?(lr|learning_rate|seed|epochs?|batch_size|weight_decay|dropout|rank|alpha|beta\d?|gamma|lambda|temperature"
    r"|momentum|threshold|epsilon|eps|margin|patience|scale|factor|tau|sigma|ratio|fraction|iterations)(_\w+)?"
    r"|r|lam|lambda\w*|k|top_[kp]|n_(?!jobs|proc|bins)\w+|num_(?!workers|proc|threads|nodes|gpus)\w+"
    r"|max_(\w+_)?(len|length|tokens|steps|norm)|warmup\w*|hidden\w*|clip\w*|label_smoothing|step_size|t_max"
    r"|test_size|train_size|val_size|split|subset|average|reduction|direction|weights?"
    r"|(\w+_)?(model|dataset|task|metric|checkpoint|optimizer|scheduler|criterion)(_(name|id|path|type|names|config))?"
    r"|\w*name_or_path|data_name|pretrained\w*",
    re.IGNORECASE,
)
_NOT_IDENTITY = re.compile(
    r"n_trials|num_trials|(\w+_)?(path|dir|file|color|width|height|size_inches|dpi)", re.I
)
_METRIC = re.compile(
    r"(\w+[_/])?(acc|accuracy|f1|score|bleu|rouge\w*|precision|recall|auc|auroc|loss|perplexity|ppl|mae|mse|rmse|r2"
    r"|em|exact_match|metrics?|hv|hypervolume|reward|energy|latency|throughput)([_/]\w+)?",
    re.IGNORECASE,
)
_OPTIMIZERS = frozenset(
    ("Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "Adafactor", "Lion", "NAdam", "RAdam", "LBFGS")
)
_LOSSES = re.compile(
    r"(binary)?crossentropy(withlogits)?|bce(withlogits)?|mse|(smooth)?l1|nll|kldiv|huber|hinge"
    r"|tripletmargin|cosineembedding"
)
_METRIC_CALLS = re.compile(
    r"(\w+_)?(accuracy|f1|precision|recall|roc_auc|matthews_corrcoef|mean_\w+_error|r2)(_score)?"
)
_LOADERS = frozenset(
    ("from_pretrained", "load_dataset", "load_metric", "create_model", "SentenceTransformer")
)
_DRAWS = re.compile(r"random(_sample)?|uniform|gauss|normal(variate)?|rand(n|int)?(_like)?|choice")
_SEEDERS = re.compile(r"\w*seed\w*|Dropout\w*|Generator|default_rng|RandomState", re.IGNORECASE)


@dataclass(frozen=True)
class Named:
    """A value under a name; `value` is UNKNOWN when it is computed."""

    key: str
    value: Value
    place: Place


def identity(name: str) -> bool:
    """Whether a name is that of a model, data set, metric, seed, hyperparameter or the like."""
    return bool(_IDENTITY.fullmatch(name)) and not _NOT_IDENTITY.fullmatch(name)


def metric(name: str) -> bool:
    """Whether a name is that of something measured."""
    return bool(_METRIC.fullmatch(name))


def same(one: Value, other: Value) -> bool:
    """Equality of values; `owner/name` is the loadable form of a bare `name`."""
    if isinstance(one, str) and isinstance(other, str) and "/" not in one:
        return one.lower() == other.lower().rsplit("/", 1)[-1]
    return one == other


def identity_values(side: Side) -> Iterator[Named]:
    """Every identity value of a bundle that does not serve trials alone."""
    for place in side.places(ast.Call, ast.Assign, ast.AnnAssign, ast.Dict, *Function.__args__):
        if not side.trial_only(place):
            yield from (Named(key, value, place) for key, value in _values(place.node))


def spelled_values(text: str) -> dict[str, list[Value]]:
    """Identity values that the text of a file that does not parse spells out: `key=value`, `"key": value`."""
    found: dict[str, list[Value]] = {}
    for key, number, quoted in re.findall(
        r"""\b([A-Za-z_]\w*)["']?\s*[=:]\s*(?:(-?[\d.]+(?:e-?\d+)?)\b|["']([^"'\n]+)["'])""", text
    ):
        if identity(key):
            with suppress(ValueError):
                found.setdefault(key, []).append(float(number) if number else quoted)
    return found


def measured_values(side: Side) -> Iterator[Named]:
    """Every value that is assigned, logged or written under the name of a measurement."""
    for place in side.places(ast.Assign, ast.AnnAssign, ast.Dict, ast.keyword):
        for key, node in _bound(place.node):
            if metric(key):
                yield Named(key, _value(node), place)


def _values(node: ast.AST) -> Iterator[tuple[str, Value]]:
    if isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, Function):
        yield from ((name, _value(default)) for name, default in _defaults(node) if identity(name))
    else:
        yield from ((key, _value(value)) for key, value in _bound(node) if identity(key))


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Name -> value pairs of an assignment, a dictionary or a keyword."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((leaf(target), value) for target in targets if leaf(target))
        case ast.AnnAssign(target=target, value=ast.expr() as value) if leaf(target):
            yield leaf(target), value
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value
        case ast.keyword(arg=str() as name, value=value):
            yield name, value


def _of_call(call: ast.Call) -> Iterator[tuple[str, Value]]:
    name = called_name(call)
    for keyword in call.keywords:
        if keyword.arg and identity(keyword.arg):
            yield keyword.arg, _value(keyword.value)
    if name in _LOADERS or (name == "load" and dotted(call.func) == "evaluate.load"):
        yield from ((f"{name} argument {i}", _value(arg)) for i, arg in enumerate(call.args[:2]))
    elif name == "get" and len(call.args) == 2:
        key = literal(call.args[0])
        if isinstance(key, str) and identity(key):
            yield f"default of {key}", _value(call.args[1])
    elif name.startswith("suggest_") and call.args:
        rest = [*call.args[1:], *(k.value for k in call.keywords if k.arg != "log")]
        yield f"{name} {literal(call.args[0]) or UNKNOWN}", " ".join(ast.unparse(arg) for arg in rest)
    elif _SEEDERS.fullmatch(name) and call.args:
        yield f"{name} argument", _value(call.args[0])
    yield from _kind_of_call(name)


def _kind_of_call(name: str) -> Iterator[tuple[str, Value]]:
    """Which optimizer, loss or metric function is used, under one key each."""
    plain = name.lower().replace("_", "")
    if name in _OPTIMIZERS:
        yield "optimizer class", name
    if _LOSSES.fullmatch(plain.removesuffix("loss")):
        yield "loss function", plain.removesuffix("loss")
    if _METRIC_CALLS.fullmatch(name) and name.endswith(("_score", "_error", "coef")):
        yield "metric function", name


def _defaults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, ast.expr]]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    behind = positional[len(positional) - len(arguments.defaults) :]
    pairs = [*zip(behind, arguments.defaults, strict=True)]
    pairs += [
        (a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None
    ]
    yield from ((a.arg, d) for a, d in pairs)


def _value(node: ast.expr) -> Value:
    found = literal(node)
    return UNKNOWN if found is None else found


def random_calls(function: ast.AST) -> Iterator[ast.Call]:
    """Calls that draw random numbers."""
    for node in own_nodes(function):
        if isinstance(node, ast.Call) and _DRAWS.fullmatch(called_name(node)):
            yield node
