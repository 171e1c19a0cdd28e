"""Which models and data sets the code asks the hub for in each run, by the flow of the config through it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from policies.hydra.analysis import launches
from policies.hydra.names import dotted_name, origin
from policies.hydra.values import UNKNOWN, Constant, Load, Value
from policies.parsed import Module, ParsedBundle
from policies.tables import table

Kind = Literal["model", "dataset"]
CONFIG_NAMES = frozenset({"cfg", "config", "conf", "self"})
_MODEL_KEYWORDS = ("pretrained_model_name_or_path",)
_DATASET_KEYWORDS = ("path",)


@dataclass(frozen=True)
class Ask:
    """One call that loads a model or data set, with the id that each run gives it."""

    kind: Kind
    module: Module
    node: ast.Call
    ids: Mapping[str, str]
    """Run id -> id, for the runs whose id is known; `""` stands for every run when the code says it."""
    loads: tuple[Load, ...] = ()

    @property
    def argument(self) -> ast.expr:
        """The expression that holds the id."""
        found = id_argument(self.node)
        assert found is not None, "an ask has an id"
        return found

    def loads_class(self, ending: str) -> bool:
        """Whether the class that loads ends in `ending`, e.g. `Tokenizer`."""
        return origin(self.module, self.node.func).removesuffix(".from_pretrained").endswith(ending)


def asks(subject: ParsedBundle, kind: Kind) -> Sequence[Ask]:
    """Every loading call whose id is known, in file and line order."""
    return tuple(ask for ask in subject.memo("hub.asks", _asks) if ask.kind == kind)


def id_argument(node: ast.Call) -> ast.expr | None:
    """The argument that names what is loaded."""
    if node.args and not isinstance(node.args[0], ast.Starred):
        return node.args[0]
    named = (k.value for k in node.keywords if k.arg in (*_MODEL_KEYWORDS, *_DATASET_KEYWORDS))
    return next(named, None)


def _asks(subject: ParsedBundle) -> tuple[Ask, ...]:
    followed: dict[int, list[Load]] = {}
    for launch in launches(subject):
        for load in launch.loads:
            followed.setdefault(id(load.node), []).append(load)
    found: list[Ask] = []
    for module, node in subject.walk():
        kind = kind_of(module, node)
        if kind is None or not isinstance(node, ast.Call) or id_argument(node) is None:
            continue
        loads = tuple(followed.get(id(node), ()))
        ids = _followed_ids(loads) if loads else _read_ids(subject, id_argument(node))
        if ids:
            found.append(Ask(kind, module, node, ids, loads))
    return tuple(sorted(found, key=lambda ask: (ask.module.path, ask.node.lineno, ask.node.col_offset)))


def kind_of(module: Module, node: ast.AST) -> Kind | None:
    """What a call loads; None for anything else."""
    if not isinstance(node, ast.Call):
        return None
    name = origin(module, node.func)
    if name == "datasets.load_dataset":
        return "dataset"
    return "model" if name.startswith("transformers.") and name.endswith(".from_pretrained") else None


def _followed_ids(loads: Sequence[Load]) -> dict[str, str]:
    """What the calls got; nothing when one of them may not happen, or gets what cannot be known."""
    ids: dict[str, str] = {}
    for load in loads:
        value = first_of(load, (*_MODEL_KEYWORDS, *_DATASET_KEYWORDS), 0)
        if not load.certain:
            continue
        if not isinstance(value, Constant) or not isinstance(value.value, str):
            return {}
        ids[load.run_id] = value.value
    return ids


def first_of(load: Load, keywords: Sequence[str], position: int) -> Value | None:
    """The value of an argument given by position or by one of its names; None when it is not given."""
    if len(load.arguments) > position:
        return load.arguments[position]
    return next((load.keywords[k] for k in keywords if k in load.keywords), None)


def _read_ids(subject: ParsedBundle, node: ast.expr | None) -> dict[str, str]:
    """The ids of a call that the flow does not reach: a literal, or a path such as `cfg.model.name`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {"": node.value}
    head, _, path = dotted_name(node).partition(".") if node is not None else ("", "", "")
    if head == "self":
        head, _, path = path.partition(".")
    if head not in CONFIG_NAMES or not path:
        return {}
    values = {run: _at(doc.data, path) for run, doc in subject.run_documents.items()}
    return {run: value for run, value in values.items() if isinstance(value, str) and "${" not in value}


def _at(data: object, path: str) -> object:
    for part in path.split("."):
        data = data.get(part) if isinstance(data, dict) else None
    return data


def right_model(name: str) -> str:
    """The id under which the hub has what `name` means; empty when the table does not know."""
    plain = re.sub(r"[\s_]+", "-", name.strip().lower())
    known: dict[str, str] = table("hub_ids")["models"]
    right = known.get(plain) or known.get(name.strip().lower(), "")
    return "" if right == name else right


def may_lack_owner(name: str) -> bool:
    """Whether the hub has models of this sort without an owner."""
    return bool(re.fullmatch(table("hub_ids")["owners_optional"], name, re.IGNORECASE))


def lacks_pad_token(name: str) -> bool:
    """Whether the tokenizer and the config of a model define no padding token."""
    return bool(re.fullmatch(table("hub_ids")["no_pad_token"], right_model(name) or name))


def several_configs(name: str) -> Mapping[str, Any] | None:
    """What the table says of a data set that wants a configuration named; None for any other."""
    listed: dict[str, dict[str, Any]] = table("hub_ids")["datasets"]
    return next((said for full, said in listed.items() if name == full or name in said["names"]), None)


def is_script(name: str) -> bool:
    """Whether a data set is a loading script with one configuration that the hub converted to parquet."""
    scripts: dict[str, list[str]] = table("hub_ids")["scripts"]
    return any(name == full or name in short for full, short in scripts.items())


def said_by(ask: Ask, subject: ParsedBundle) -> Iterator[str]:
    """Where the ids of a call come from, for evidence: a line of a run config or the code itself."""
    for run, value in sorted(ask.ids.items()):
        path = next((p for p in subject.bundle.run_configs if run and p.endswith(f"/{run}.yaml")), "")
        lines = subject.bundle.run_configs.get(path, "").splitlines()
        number = next((n for n, text in enumerate(lines, 1) if _scalar(text) == value), 0)
        yield f"{path}:{number} says `{lines[number - 1].strip()}`" if number else f"the code says {value!r}"


def _scalar(line: str) -> str:
    return line.partition(" #")[0].partition(":")[2].strip().strip("\"'")


def known_text(value: Value | None) -> str | None:
    """The text of a constant argument; empty when it is not given or None; None when it is not known."""
    if value is None:
        return ""
    if isinstance(value, Constant) and (value.value is None or isinstance(value.value, str)):
        return value.value or ""
    return None if value is UNKNOWN or not isinstance(value, Constant) else str(value.value)
