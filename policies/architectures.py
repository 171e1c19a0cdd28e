"""Which models the runs of a bundle load, and what the modules inside them are called.

Source: `policies/data/model_modules.json`, made by `tools.tables.model_modules` from two-layer models.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from policies.hub import id_argument, kind_of, right_model
from policies.hydra.names import origin
from policies.kinds import each
from policies.parsed import Module, ParsedBundle
from policies.run_values import run_values
from policies.tables import table

_PARTS = re.compile(r"Tokenizer|Processor|Config|FeatureExtractor")
_TUNED = re.compile(
    r"fine-?tuned|-(sst|mnli|x?nli|imdb|squad|conll|ner|emotion|sentiment|toxic|msmarco|cola|mrpc|qqp|cnn|xsum)"
    r"|classifier|reward|cross-encoder|textattack|reranker",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Architecture:
    """The modules of a family of models. In their dotted names `#` stands for a number."""

    family: str
    linear: tuple[str, ...]
    tuples: tuple[str, ...]
    """Modules whose output is a tuple."""
    others: tuple[str, ...]
    attributes: frozenset[str]
    """Names of what some module of the family carries."""

    @property
    def names(self) -> tuple[str, ...]:
        """All modules, with layer 0 for every number."""
        return tuple(name.replace("#", "0") for name in (*self.linear, *self.tuples, *self.others))


def model_loads(subject: ParsedBundle) -> tuple[tuple[Module, ast.Call], ...]:
    """Every call of transformers that loads a model, in file and line order."""
    return subject.memo("architectures.loads", _loads)


def _loads(subject: ParsedBundle) -> tuple[tuple[Module, ast.Call], ...]:
    found = [
        (module, node)
        for module, node in each(subject, ast.Call)
        if kind_of(module, node) == "model" and not _PARTS.search(origin(module, node.func))
    ]
    return tuple(sorted(found, key=lambda each: (each[0].path, each[1].lineno, each[1].col_offset)))


def ids_of(subject: ParsedBundle, module: Module, call: ast.Call) -> frozenset[str]:
    """The hub's ids of what a call loads; empty when one of the runs gives none that is known."""
    argument = id_argument(call)
    given = run_values(subject, module, argument) if argument is not None else {}
    if given:
        return frozenset(hub_id(name) for name in given.values() if isinstance(name, str))
    spelled = argument is not None and isinstance(argument, ast.Constant)
    return frozenset() if spelled else named_by_runs(subject)


def named_by_runs(subject: ParsedBundle) -> frozenset[str]:
    """The models that the sections `model` of the run configs name, one each; empty when a run is unclear."""
    found: dict[str, str] = {}
    for run, document in subject.run_documents.items():
        names = {hub_id(text) for text in _texts((document.data or {}).get("model"))}
        known = {name for name in names if name in _families()}
        if len(known) == 1:
            found[run] = known.pop()
    return frozenset(found.values()) if len(found) == len(subject.run_documents) else frozenset()


def _texts(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    for inner in data.values() if isinstance(data, dict) else ():
        yield from _texts(inner)


def model_ids(subject: ParsedBundle) -> frozenset[str]:
    """The hub's ids of all models that are loaded; empty when one of them is not known."""
    return subject.memo("architectures.ids", _model_ids)


def _model_ids(subject: ParsedBundle) -> frozenset[str]:
    each = [ids_of(subject, module, call) for module, call in model_loads(subject)]
    return frozenset().union(*each) if each and all(each) else frozenset()


def hub_id(name: str) -> str:
    """The id under which the hub has what a config calls `name`."""
    return right_model(name) or name


def is_tuned(name: str) -> bool:
    """Whether a checkpoint may bring a trained head, by its name."""
    return bool(_TUNED.search(name))


def architecture(name: str) -> Architecture | None:
    """What is known of the model with this id."""
    family = _families().get(hub_id(name))
    return _architecture(family) if family else None


def architectures(subject: ParsedBundle) -> Mapping[str, Architecture]:
    """Id -> architecture for all models of the bundle; empty when one of them is not known."""
    found = {name: architecture(name) for name in sorted(model_ids(subject))}
    known = {name: each for name, each in found.items() if each is not None}
    return known if len(known) == len(found) else {}


def matching(names: Iterator[str] | tuple[str, ...], target: str) -> tuple[str, ...]:
    """The dotted names that a target of PEFT means: the whole name or its end."""
    return tuple(name for name in names if name == target or name.endswith(f".{target}"))


def told_of() -> str:
    """The version of transformers whose modules are described."""
    return str(table("model_modules")["transformers"])


@lru_cache(maxsize=1)
def _families() -> Mapping[str, str]:
    said = table("model_modules")["families"]
    return {name: family for family, entry in said.items() for name in entry["ids"]}


@lru_cache(maxsize=32)
def _architecture(family: str) -> Architecture:
    entry = table("model_modules")["families"][family]
    everywhere = table("model_modules")["every_module"].split()
    return Architecture(
        family,
        tuple(entry["linear"].split()),
        tuple(entry["tuple"].split()),
        tuple(entry["other"].split()),
        frozenset((*entry["attributes"].split(), *everywhere)),
    )
