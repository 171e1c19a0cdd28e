"""Which keys of the run configs the code can possibly read, and which it surely does not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from policies.claims_names import is_docstring
from policies.hydra.analysis import launches
from policies.hydra.yaml_lines import line_of
from policies.kinds import of_kind
from policies.parsed import Module, ParsedBundle

WORD = re.compile(r"[A-Za-z_]\w*")
_INTERPOLATION = re.compile(r"\$\{([^}]*)\}")
_ABOUT = re.compile(
    r"(^|_)(notes?|descriptions?|comments?|tags?|titles?|authors?|references?|citations?|urls?|versions?|tasks?"
    r"|sources?|metric|metrics|metric_name|parameter_count|num_parameters|num_params|n_params|gpu|gpus|gpu_type"
    r"|gpu_name|family|architecture|hypothesis|citation)$"
)
"""Keys that say what a run is about; no code needs them."""
_FACTS = frozenset(
    {"hidden_size", "num_layers", "n_layers", "num_hidden_layers", "num_heads", "num_attention_heads"}
    | {
        "vocab_size",
        "max_position_embeddings",
        "intermediate_size",
        "embedding_dim",
        "num_classes",
        "num_gpus",
    }
    | {"rotary_embedding_base", "run_id", "id", "method", "method_name", "name", "track_training_time"}
    | {"test", "test_split", "accelerator", "device", "devices", "target_device"}
)
"""Properties of a pretrained checkpoint or the machine, names of runs, and the split that is left alone."""
_SKIPPED = frozenset({"optuna", "hydra", "defaults", "wandb"})
"""Sections that other checks look at."""
READ_SHARE = 0.4
"""Code that mentions less of the keys than this is unfinished, and other findings say so."""


@dataclass(frozen=True)
class Unread:
    """One leaf of a run config that no code reads."""

    path: str
    value: object
    file: str
    line: int

    @property
    def section(self) -> str:
        """The top-level section; empty for a key at the top."""
        return self.path.partition(".")[0] if "." in self.path else ""

    @property
    def leaf(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


def unread_keys(subject: ParsedBundle) -> tuple[Unread, ...]:
    """Every leaf of a run config that nothing can read, once per path, in path order."""
    return subject.memo("config_use.unread", _unread)


def _unread(subject: ParsedBundle) -> tuple[Unread, ...]:
    leaves = {path: found for found in _leaves(subject) for path in [found.path]}
    if not leaves or len(subject.parsable) < len(subject.modules) or not _followed(subject):
        return ()
    words = mentioned_words(subject)
    silent = [found for found in leaves.values() if found.leaf not in words and not _default(found)]
    if len(silent) > (1 - READ_SHARE) * len(leaves):
        return ()
    code = " ".join(_identifiers(subject))
    open_ones = [
        found
        for found in silent
        if not read_whole(subject, found.path) and not _written_out(found.value, code)
    ]
    return tuple(sorted(open_ones, key=lambda found: found.path))


def read_whole(subject: ParsedBundle, path: str) -> bool:
    """Whether a key may be read without being named: with a section around it, as by `f(**cfg.section)`."""
    used, names, lost = subject.memo("config_use.whole", _whole)
    return path.partition(".")[0] in lost or _consumed(path, used, names)


def _whole(subject: ParsedBundle) -> tuple[set[str], set[str], set[str]]:
    """Sections used whole, names used whole, and sections that are taken, but not followed from there."""
    used = {path for launch in launches(subject) for path in launch.trace.used}
    names = {name for launch in launches(subject) for name in launch.trace.names} | _loose(subject)
    reads = {path for launch in launches(subject) for path in launch.trace.reads}
    lost = {path for path in reads if not any(other.startswith(f"{path}.") for other in reads)}
    return used, names, lost


def _followed(subject: ParsedBundle) -> bool:
    """Whether the way of the run config through the code is known; without it, a section may be used whole.

    Known means that some read went into one of its sections, and not only into those of the base config.
    """
    sections = tuple(f"{key}." for d in subject.run_documents.values() for key in d.data or {})
    reads = {path for launch in launches(subject) for path in launch.trace.reads}
    return any(path.startswith(sections) for path in reads)


def _default(found: Unread) -> bool:
    """Whether doing nothing is what the setting asks for."""
    return found.leaf.endswith("accumulation_steps") and found.value == 1


def _identifiers(subject: ParsedBundle) -> set[str]:
    """Every name and short string in the code, in lower case and without underscores."""
    found: set[str] = set()
    for _, node in subject.walk():
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            found.add(name.lower().replace("_", ""))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 40:
            found.add(re.sub(r"[^a-z0-9]", "", node.value.lower()))
    return found


def _written_out(value: object, code: str) -> bool:
    """Whether the code does what a word asks for without reading it: `optimizer: adamw` and `AdamW(...)`."""
    word = re.sub(r"[^a-z0-9]", "", value.lower()) if isinstance(value, str) else ""
    return len(word) > 2 and word in code


def _consumed(path: str, used: set[str], names: set[str]) -> bool:
    """Whether a section around the key, or the key, is used as a whole."""
    parts = path.split(".")
    around = {".".join(parts[:end]) for end in range(len(parts))}
    return bool(around & used) or bool(set(parts) & names)


def _leaves(subject: ParsedBundle) -> Iterator[Unread]:
    """The leaves of all run configs, the last run first, so that the first one names the place."""
    for path, document in reversed(list(zip(subject.bundle.run_configs, _documents(subject), strict=True))):
        for dotted, value in _walk(document or {}):
            if dotted.partition(".")[0] not in _SKIPPED and not _about(dotted):
                yield Unread(dotted, value, path, line_of(subject.bundle.run_configs[path], dotted))


def _documents(subject: ParsedBundle) -> Iterator[dict[str, object] | None]:
    for path in subject.bundle.run_configs:
        yield subject.run_documents[path.rpartition("/")[2].removesuffix(".yaml")].data


def _walk(data: dict[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf that asks for something: what is off, zero or empty needs no code."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _walk(value, f"{prefix}{key}.")
        elif value:
            yield f"{prefix}{key}", value


def _about(dotted: str) -> bool:
    leaf = dotted.rpartition(".")[2]
    return leaf in _FACTS or _ABOUT.search(leaf) is not None


def mentioned_words(subject: ParsedBundle) -> frozenset[str]:
    """Attribute names and words in strings of all code, and what the configs interpolate."""
    found = {word for module in subject.parsable for word in _words(module)}
    for text in subject.bundle.tree.values():
        found |= {word for inner in _INTERPOLATION.findall(text) for word in WORD.findall(inner)}
    return frozenset(found)


def _words(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            yield from () if is_docstring(module, node) else WORD.findall(node.value)


def _loose(subject: ParsedBundle) -> frozenset[str]:
    """Names of sections that code splats or goes through somewhere, reached by the data flow or not."""
    found: set[str] = set()
    for _, node in subject.walk():
        whole: list[ast.expr] = []
        if isinstance(node, ast.Call):
            copied = isinstance(node.func, ast.Name) and node.func.id == "dict"
            whole = [*(node.args if copied else ()), *(k.value for k in node.keywords if k.arg is None)]
        elif isinstance(node, ast.For | ast.comprehension):
            whole = [node.iter]
        for part in whole:
            found.add(_section(part))
    return frozenset(found - {""})


def _section(node: ast.expr) -> str:
    """The last name of `cfg.a.b`, `cfg["a"]["b"].items()`, `dict(cfg.a.b)` and their kind."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="items" | "keys" | "values")):
            return _section(owner)
        case ast.Call(args=[first, *_]):
            return _section(first)
        case ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case _:
            return ""


def home_of(subject: ParsedBundle, section: str) -> Module | None:
    """The module that reads most of a section; the one that trains when none does."""
    counts = {m.path: sum(n.attr == section for n in of_kind(m, ast.Attribute)) for m in subject.parsable}
    best = max(counts, key=lambda path: (counts[path], path.endswith("train.py")), default="")
    return subject.modules.get(best)


def first_read(module: Module, section: str) -> int:
    """Line of the first read of a section in a module; 0 when there is none."""
    lines = [n.lineno for n in of_kind(module, ast.Attribute) if n.attr == section]
    return min(lines, default=0)
