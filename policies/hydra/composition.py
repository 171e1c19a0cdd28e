"""Predicts what Hydra composes for one run id, without running it.

Covers what decides whether a run starts: the primary config, its defaults list, group and value overrides,
packages and the `hydra:` node. Source: behaviour of hydra-core 1.3.2, each rule tried against it.
"""

from __future__ import annotations

import copy
import posixpath
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from policies.hydra.entry import ABSENT, Entry
from policies.hydra.schema import hydra_node_problems
from policies.parsed import ParsedBundle, parse_yaml

Cause = Literal[
    "",
    "no-config-name",
    "no-config-path",
    "no-config",
    "bad-yaml",
    "hydra-node",
    "interpolation",
    "missing-option",
    "group-shadowed",
    "not-a-key",
    "unknown",
]


@dataclass(frozen=True)
class Composition:
    """The predicted config, or why there is none."""

    data: dict[str, Any] | None  # config values have no narrower type
    cause: Cause = ""
    reason: str = ""
    """What Hydra will object to, in one clause."""
    key: str = ""
    """Dotted key, or defaults entry, that is to blame."""
    run_is_group: bool = False
    mended: dict[str, Any] | None = None
    """The config once the cause is repaired, where only one repair is possible; it lets the review go on."""

    @property
    def config(self) -> dict[str, Any] | None:
        """What the code will see: now, or once the cause is repaired."""
        return self.mended if self.data is None else self.data


@dataclass
class _Builder:
    subject: ParsedBundle
    folder: str
    tree: dict[str, str]
    overrides: dict[str, str]
    data: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, str | None] = field(default_factory=dict)
    problem: Composition | None = None
    """The first thing that Hydra objects to."""

    def object_to(self, problem: Composition) -> None:
        """Note a problem and go on as if it were repaired."""
        self.problem = self.problem or problem


def overrides_for(subject: ParsedBundle, run_id: str, *, trial: bool) -> dict[str, str]:
    """The overrides that the contract's command line gives."""
    argv = subject.contract.trial if trial else subject.contract.train
    pairs = (token.split("=", 1) for token in argv if "=" in token and not token.startswith("-"))
    return {k: v.replace("{run_id}", run_id).replace("{results_dir}", "results") for k, v in pairs}


def compose(subject: ParsedBundle, entry: Entry, run_id: str, *, trial: bool = True) -> Composition:
    """What `entry` gets to see under the contract's command line for `run_id`."""
    problem = _locate(subject, entry)
    if problem is not None:
        return problem
    assert entry.config_dir is not None and entry.config_file is not None
    builder = _Builder(
        subject, entry.config_dir, subject.bundle.tree, overrides_for(subject, run_id, trial=trial)
    )
    return _compose_file(builder, entry.config_file)


def primary_config(subject: ParsedBundle) -> str | None:
    """The only YAML file among the contract's files, when the bundle has it."""
    named = [p for p in subject.contract.files if p.endswith((".yaml", ".yml")) and p in subject.bundle.files]
    return named[0] if len(named) == 1 else None


def led_to_config(subject: ParsedBundle, entry: Entry) -> Entry:
    """The entry as it will be once its decorator names the primary config; itself when it names one."""
    target, problem = primary_config(subject), _locate(subject, entry)
    if target is None or problem is None or problem.cause == "unknown":
        return entry
    folder, name = posixpath.split(target)
    relative = posixpath.relpath(folder, posixpath.dirname(entry.module.path) or ".")
    return replace(entry, config_path=relative, config_name=posixpath.splitext(name)[0])


def _locate(subject: ParsedBundle, entry: Entry) -> Composition | None:
    if not isinstance(entry.config_path, str):
        if entry.config_path in (None, ABSENT):
            return Composition(None, "no-config-path", "the decorator names no config folder")
        return Composition(None, "unknown", "the config folder is computed")
    if entry.config_name in (None, ABSENT):
        return Composition(None, "no-config-name", "without `config_name` Hydra composes an empty config")
    if entry.config_file is None:
        return Composition(None, "unknown", "the config name is computed")
    if entry.config_file not in subject.bundle.tree:
        return Composition(None, "no-config", f"there is no {entry.config_file}")
    return None


def _compose_file(builder: _Builder, path: str) -> Composition:
    document = parse_yaml(path, builder.tree[path])
    if document.data is None:
        return Composition(None, "bad-yaml", document.error)
    body = copy.deepcopy(document.data)
    defaults = body.pop("defaults", None) or []
    for key, reason in hydra_node_problems(document.data):
        builder.object_to(Composition(None, "hydra-node", reason, key))
    body.pop("hydra", None)
    _apply_defaults(builder, defaults, body)
    _apply_overrides(builder)
    grouped, problem = "run" in builder.groups, builder.problem
    if problem is None:
        return Composition(builder.data, run_is_group=grouped)
    mended = None if problem.cause == "bad-yaml" else builder.data
    return replace(problem, run_is_group=grouped, mended=mended)


def _apply_defaults(builder: _Builder, defaults: Any, body: dict[str, Any]) -> None:
    if not isinstance(defaults, list):
        builder.object_to(Composition(None, "bad-yaml", "`defaults` is not a list", "defaults"))
        return
    for item in defaults if "_self_" in defaults else [*defaults, "_self_"]:
        if item == "_self_":
            _merge(builder.data, body)
        elif problem := _apply_default(builder, item):
            builder.object_to(problem)


def _apply_default(builder: _Builder, item: Any) -> Composition | None:
    if isinstance(item, str):
        group, option = posixpath.split(item)
        return _load_option(builder, group, option, optional=False, entry=item)
    if not isinstance(item, dict) or len(item) != 1:
        return Composition(None, "bad-yaml", f"`{item}` is not a defaults entry", "defaults")
    group, option = next(iter(item.items()))
    words = str(group).split()
    name, optional = words[-1], "optional" in words[:-1]
    if "override" in words[:-1] or name.startswith("hydra/"):
        return None
    builder.groups[name] = option
    option = builder.overrides.get(name, option)  # type: ignore[assignment]
    if option is None:
        return None
    problem = _load_option(builder, name, option, optional=optional, entry=str(group))
    if problem is not None:
        builder.groups.pop(name)
    return problem


def _load_option(
    builder: _Builder, group: str, option: Any, *, optional: bool, entry: str
) -> Composition | None:
    if (isinstance(option, str) and "${" in option) or "${" in group:
        return Composition(
            None, "interpolation", f"the defaults entry `{entry}: {option}` cannot be interpolated", entry
        )
    name, _, package = group.partition("@")
    if option == "???":
        return Composition(None, "missing-option", f"no option is chosen for the group `{name}`", entry)
    path = posixpath.join(builder.folder, name, f"{option}".removesuffix(".yaml") + ".yaml")
    if path not in builder.tree:
        if optional:
            return None
        return Composition(None, "missing-option", f"the defaults entry `{entry}` needs {path}", entry)
    document = parse_yaml(path, builder.tree[path])
    if document.data is None:
        return Composition(None, "bad-yaml", f"{path}: {document.error}", entry)
    loaded = {k: v for k, v in copy.deepcopy(document.data).items() if k != "defaults"}
    _merge(builder.data, _packaged(loaded, package or _package_of(builder.tree[path], name)))
    return None


def _package_of(text: str, group: str) -> str:
    for line in text.splitlines():
        if line.startswith("# @package"):
            return line.removeprefix("# @package").strip()
        if line.strip() and not line.startswith("#"):
            break
    return group.replace("/", ".")


def _packaged(data: dict[str, Any], package: str) -> dict[str, Any]:
    if package in ("_global_", "_here_", ""):
        return data
    for part in reversed(package.split(".")):
        data = {part: data}
    return data


def _apply_overrides(builder: _Builder) -> None:
    for key, value in builder.overrides.items():
        if key not in builder.groups:
            _apply_override(builder, key, value)


def _apply_override(builder: _Builder, key: str, value: str) -> None:
    prefix = f"{builder.folder}/{key}/"
    if any(path.startswith(prefix) for path in builder.tree):
        reason = f"`{key}=…` selects from the folder {prefix}, but `{key}` is not in the defaults list"
        builder.object_to(Composition(None, "group-shadowed", reason, key))
        builder.data.pop(key, None)
        builder.groups[key] = None
        _load_option(builder, key, value, optional=True, entry=key)
        return
    parent = _parent(builder.data, key)
    if parent is None:
        reason = f"`{key}=…` overrides a key that the config does not have"
        builder.object_to(Composition(None, "not-a-key", reason, key))
        parent = builder.data
    parent[key.split(".")[-1]] = _scalar(value)


def _parent(data: dict[str, Any], dotted: str) -> dict[str, Any] | None:
    *parents, last = dotted.split(".")
    for part in parents:
        inner = data.get(part)
        if not isinstance(inner, dict):
            return None
        data = inner
    return data if last in data else None


def _scalar(value: str) -> Any:
    return {"true": True, "false": False, "null": None}.get(value.lower(), value)


def _merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)
