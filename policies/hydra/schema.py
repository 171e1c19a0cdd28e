"""The part of Hydra's own schema that a `hydra:` node can violate.

Source: `hydra.conf.HydraConf` of hydra-core 1.3.2.
"""

from __future__ import annotations

from typing import Any

MAPPINGS: dict[str, frozenset[str] | None] = {
    "run": frozenset({"dir"}),
    "sweep": frozenset({"dir", "subdir"}),
    "help": frozenset({"app_name", "header", "footer", "template"}),
    "hydra_help": frozenset({"hydra_help", "template"}),
    "overrides": frozenset({"hydra", "task"}),
    "job": frozenset(
        {
            "name",
            "chdir",
            "override_dirname",
            "id",
            "num",
            "config_name",
            "env_set",
            "env_copy",
            "config",
        }
    ),
    "runtime": frozenset({"version", "version_base", "cwd", "config_sources", "output_dir", "choices"}),
    "hydra_logging": None,
    "job_logging": None,
    "sweeper": frozenset({"_target_", "max_batch_size", "params"}),
    "launcher": frozenset({"_target_"}),
    "callbacks": None,
}
"""Key -> the keys it may hold; None where anything goes. Sweeper and launcher are Hydra's basic ones."""

PLUGGABLE = ("sweeper", "launcher")
"""Keys that a defaults entry such as `override hydra/launcher: joblib` gives another schema."""

SCALARS = frozenset({"mode", "searchpath", "output_subdir", "verbose", "defaults"})


def hydra_node_problems(config: dict[str, Any]) -> list[tuple[str, str]]:
    """Every violation of a config's `hydra:` node as (dotted key, reason)."""
    node = config.get("hydra")
    if node is None:
        return []
    if not isinstance(node, dict):
        return [("hydra", "`hydra` must be a mapping")]
    plugged = {f"hydra.{name}" for name in PLUGGABLE if f"hydra/{name}" in str(config.get("defaults"))}
    found = [problem for key, value in node.items() for problem in _problems_of(str(key), value)]
    return [(key, reason) for key, reason in found if key.rpartition(".")[0] not in plugged]


def _problems_of(key: str, value: Any) -> list[tuple[str, str]]:
    if key in SCALARS:
        return []
    if key not in MAPPINGS:
        return [(f"hydra.{key}", f"`hydra.{key}` is not a setting of Hydra")]
    if not isinstance(value, dict):
        return [(f"hydra.{key}", f"`hydra.{key}` must be a mapping, not {value!r}")]
    allowed = MAPPINGS[key]
    if allowed is None:
        return []
    return [
        (f"hydra.{key}.{inner}", f"`hydra.{key}.{inner}` is not a setting of Hydra")
        for inner in value
        if str(inner) not in allowed
    ]
