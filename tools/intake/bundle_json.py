"""Reads a bundle JSON: flat keys or path -> text, at the top or under one key, with optional extras.

Extras beside the files: `run_configs` (run id or path -> YAML text), `runs` (a list of objects with
`run_id`), `context` (fields of ResearchContext), `criteria` (text), `rejection` (a verdict).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from policies.contract import Contract
from policies.contract_reader import read_contract
from policies.errors import UsageError
from policies.records import Rejection, Request, ResearchContext, Run
from tools.intake.build import build, load_json, run_config_path, run_id_of
from tools.intake.bundle_keys import files_of, flat_key, is_bundle, missing_keys, score
from tools.intake.names import check_run_id, check_unique
from tools.intake.verdict import rejection_of

_RUN_LISTS = ("runs", "experiment_runs")
_RUN_TEXTS = ("run_config", "config", "config_yaml", "yaml")


def read_bundle_json(label: str, text: str) -> Request:
    """The request in a JSON text."""
    data = load_json(label, text)
    if not isinstance(data, dict):
        raise UsageError(f"{label}: the top level is a {_kind(data)}, not an object")
    criteria = _text(label, data, "criteria")
    contract = read_contract(criteria)
    holder = _holder(label, data, contract.files)
    missing = missing_keys(holder, contract.files)
    if missing:
        raise UsageError(f"{label}: the bundle lacks {', '.join(missing)}")
    listed = tuple(_listed(label, data))
    configs = _configs(label, data, contract)
    bundle, notes = build(label, files_of(label, holder, contract.files), configs, contract)
    if contract.assumed:
        notes = (*notes, "The input has no criteria text: the newest standard contract is assumed.")
    context = _context(label, data)
    return Request(
        source=label,
        kind="json",
        bundle=bundle,
        context=context if context.runs else context.model_copy(update={"runs": listed}),
        criteria=criteria,
        rejection=_rejection(data),
        notes=notes,
    )


def _holder(label: str, data: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """The object that holds the files: the top level or one of its values."""
    nested = [value for value in data.values() if is_bundle(value, paths)]
    candidates: list[dict[str, Any]] = [data] if is_bundle(data, paths) else nested
    if not candidates:
        keys = ", ".join(flat_key(path) for path in paths)
        raise UsageError(f"{label}: this JSON is no bundle: it has none of the keys {keys}, nor such paths")
    return max(candidates, key=lambda c: score(c, paths))


def _listed(label: str, data: Mapping[str, Any]) -> Iterator[Run]:
    """The runs of the run list, if there is one."""
    seen: list[str] = []
    for item in _run_list(data):
        if not isinstance(item, dict) or not isinstance(item.get("run_id"), str):
            raise UsageError(f"{label}: every item of the run list needs a run_id that is a string")
        seen.append(check_run_id(label, item["run_id"]))
        check_unique(label, seen)
        yield _run(item)


def _configs(label: str, data: Mapping[str, Any], contract: Contract) -> dict[str, str]:
    """Path -> text of the run configs, from the run list and from `run_configs`."""
    configs: dict[str, str] = {}
    for item in _run_list(data):
        text = next((item[key] for key in _RUN_TEXTS if isinstance(item.get(key), str)), None)
        if text is not None:
            configs[run_config_path(contract, item["run_id"])] = text
    for key, text in _mapping(label, data, "run_configs").items():
        if not isinstance(text, str):
            raise UsageError(f"{label}: the run config {key!r} must be a string, not a {_kind(text)}")
        is_path = key.startswith("config/") and key.endswith(".yaml")
        path = key if is_path else run_config_path(contract, check_run_id(label, key))
        if configs.get(path, text) != text:
            raise UsageError(f"{label}: the run id {run_id_of(path)!r} occurs twice")
        configs[path] = text
    return configs


def _run_list(data: Mapping[str, Any]) -> list[Any]:
    return next((data[key] for key in _RUN_LISTS if isinstance(data.get(key), list)), [])


def _run(item: Mapping[str, Any]) -> Run:
    named = {
        name: str(item.get(name) or item.get(f"{name}_name") or "") for name in ("method", "model", "dataset")
    }
    return Run(run_id=item["run_id"], **named)


def _context(label: str, data: Mapping[str, Any]) -> ResearchContext:
    try:
        return ResearchContext.model_validate(_mapping(label, data, "context"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{label}: the context is not usable: {where}: {first['msg']}") from error


def _rejection(data: Mapping[str, Any]) -> Rejection | None:
    return rejection_of(data.get("rejection")) or rejection_of(data)


def _mapping(label: str, data: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key) or {}
    if not isinstance(value, dict):
        raise UsageError(f"{label}: the value of {key!r} must be an object, not a {_kind(value)}")
    return value


def _text(label: str, data: Mapping[str, Any], key: str) -> str:
    value = data.get(key) or ""
    if not isinstance(value, str):
        raise UsageError(f"{label}: the value of {key!r} must be a string, not a {_kind(value)}")
    return value


def _kind(value: object) -> str:
    names = {"dict": "object", "list": "list", "str": "string", "NoneType": "null", "bool": "boolean"}
    return names.get(type(value).__name__, "number")
