"""Sums up what the probes and the hub double wrote while a bundle ran."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from policies.records import Proof
from tools.sandbox.base import FileEntry

MAX_ITEMS = 100
UNTOLD = ("__pycache__", ".git")


def proof_of(probes: bytes, hub_log: bytes, files_written: Sequence[str] = ()) -> Proof:
    """The counts of all processes together, what the hub refused, and what was written."""
    last: dict[str, dict[str, Any]] = {}
    for entry in json_lines(probes):
        if isinstance(entry.get("process"), str):
            last[entry["process"]] = entry
    hub = list(json_lines(hub_log))
    refused = (f"{e.get('status')} {e.get('path')}" for e in hub if e.get("kind") == "refused")
    assumed = (str(e.get("text")) for e in hub if e.get("kind") == "assumption")
    return Proof(
        optimizer_steps=total(last, "optimizer_steps"),
        backward_passes=total(last, "backward_passes"),
        parameters_moved=total(last, "parameters_moved") > 0,
        batches=total(last, "batches"),
        wandb_modes=tuple(names(last, "wandb_modes")),
        optuna_trials=total(last, "optuna_trials"),
        files_written=tuple(files_written),
        network_refused=unique(names(last, "network_refused")),
        hub_requests=unique(refused),
        assumptions=unique(assumed),
    )


def json_lines(data: bytes) -> Iterator[dict[str, Any]]:
    """The JSON objects of a log, one a line; a line that a killed process left half written is dropped."""
    for line in data.decode("utf-8", "replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def total(last: dict[str, dict[str, Any]], name: str) -> int:
    """One counter over all processes. The file is within the bundle's reach, so its types are not trusted."""
    values = (counts.get(name) for e in last.values() if isinstance(counts := e.get("counts"), dict))
    return sum(value for value in values if isinstance(value, int))


def names(last: dict[str, dict[str, Any]], name: str) -> list[str]:
    """Every value noted under a name, process by process."""
    lists = (noted.get(name) for e in last.values() if isinstance(noted := e.get("names"), dict))
    return [str(value) for values in lists if isinstance(values, list) for value in values][:MAX_ITEMS]


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """The values without repetition, in order, at most `MAX_ITEMS`."""
    return tuple(dict.fromkeys(values))[:MAX_ITEMS]


def written(
    entries: Sequence[FileEntry], checkout: PurePosixPath, given: Iterable[str], cache: str
) -> tuple[str, ...]:
    """Files that the run added to its checkout. Of the cache only the folder is told."""
    known, found = set(given), []
    prefix = cache.removeprefix("./").rstrip("/") + "/"
    for entry in entries:
        if not entry.path.is_relative_to(checkout):
            continue
        path = str(entry.path.relative_to(checkout))
        if path not in known and not set(UNTOLD) & set(entry.path.parts):
            found.append(prefix if path.startswith(prefix) else path)
    return unique(found)
