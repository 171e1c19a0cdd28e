"""Puts files and run configs together into a bundle that can safely lie on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from policies.contract import Contract
from policies.errors import UsageError
from policies.records import Bundle
from tools.intake.names import check_path, check_run_id, check_unique

RUN_FOLDERS = ("config/runs", "config/run")
"""Where run configs lie in the versions of the contract that are in use, the newest first."""


def build(
    label: str, files: Mapping[str, str], configs: Mapping[str, str], contract: Contract
) -> tuple[Bundle, tuple[str, ...]]:
    """The bundle of files and run configs, both path -> text, and notes about what was mended.

    Files that lie in the run-config folder are run configs.
    """
    folders = RUN_FOLDERS if contract.assumed else (contract.run_config_dir,)
    own = {path: text for path, text in files.items() if not _in(path, folders)}
    runs = {path: text for path, text in files.items() if path not in own}
    for path, text in configs.items():
        if path in runs or path in own:
            raise UsageError(f"{label}: the run id {run_id_of(path)!r} occurs twice")
        runs[check_path(label, path)] = text
    check_unique(label, (check_run_id(label, run_id_of(path)) for path in runs))
    _check_folders(label, [*own, *runs])
    notes: list[str] = []
    bundle = Bundle(files=_clean(own, notes), run_configs=_clean(runs, notes))
    return bundle, tuple(notes)


def run_config_path(contract: Contract, run_id: str) -> str:
    """Where the run config of a run id lies."""
    return f"{contract.run_config_dir}/{run_id}.yaml"


def run_id_of(path: str) -> str:
    """The run id that a run config's path names."""
    return path.rpartition("/")[2].removesuffix(".yaml")


def load_json(label: str, text: str) -> Any:  # JSON has no narrower type
    """Parse JSON in which strings may hold raw line breaks; refuses a key that occurs twice."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        _check_keys(label, items)
        return dict(items)

    try:
        return json.loads(text, strict=False, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        broken_json(label, error)


def broken_json(label: str, error: Exception) -> NoReturn:
    """Raise what was wrong with a JSON text, with its position."""
    if isinstance(error, json.JSONDecodeError):
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{label}: broken JSON at {where}: {error.msg}") from error
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    raise UsageError(f"{label}: broken JSON: {reason}") from error


def _check_keys(label: str, items: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in items:
        if key in seen:
            raise UsageError(f"{label}: the key {key!r} occurs twice in one object")
        seen.add(key)


def _in(path: str, folders: tuple[str, ...]) -> bool:
    return path.endswith(".yaml") and path.rpartition("/")[0] in folders


def _check_folders(label: str, paths: list[str]) -> None:
    """No path may be a folder of another one."""
    taken = set(paths)
    for path in paths:
        parts = path.split("/")
        for end in range(1, len(parts)):
            if (folder := "/".join(parts[:end])) in taken:
                raise UsageError(f"{label}: {folder!r} is both a file and the folder of {path!r}")


def _clean(texts: Mapping[str, str], notes: list[str]) -> dict[str, str]:
    """Texts without lone surrogates, which JSON can spell and no UTF-8 file can hold."""
    clean: dict[str, str] = {}
    for path, text in texts.items():
        clean[path] = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if clean[path] != text:
            notes.append(f"{path}: half surrogate pairs were replaced by U+FFFD.")
    return clean
