"""From the keys of a bundle JSON (`train_py`, or paths) to the files of a bundle."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from policies.errors import UsageError
from tools.intake.names import check_path

_FLAT = re.compile(r"(\w+)_(py|toml|ya?ml|txt|cfg)")
_PATH = re.compile(r"[^\s]*\.(?:py|toml|ya?ml|txt|cfg|json|md|ini|sh)")
_FOLDERS = {"py": "src/", "yaml": "config/", "yml": "config/"}


def flat_key(path: str) -> str:
    """The flat key of a path: `src/train.py` -> `train_py`."""
    return PurePosixPath(path).name.replace(".", "_")


def is_bundle(value: object, paths: Sequence[str]) -> bool:
    """Whether a JSON value has at least one key of the bundle, flat or a path."""
    return isinstance(value, dict) and not _known(value, paths).isdisjoint(value)


def score(value: Mapping[str, object], paths: Sequence[str]) -> int:
    """How many files of the bundle a JSON object names."""
    return len(_known(value, paths).intersection(value))


def missing_keys(value: Mapping[str, object], paths: Sequence[str]) -> list[str]:
    """The flat keys that a bundle with flat keys lacks; an object of paths may lack any."""
    flat = {flat_key(path): path for path in paths}
    if flat.keys().isdisjoint(value):
        return []
    return [f"{key} ({path})" for key, path in flat.items() if key not in value and path not in value]


def files_of(label: str, value: Mapping[str, object], paths: Sequence[str]) -> dict[str, str]:
    """Path -> text of every key that names a file. Keys that name none are left to the caller.

    Raises: UsageError when a value is not a string or a path is not allowed.
    """
    flat = {flat_key(path): path for path in paths}
    files: dict[str, str] = {}
    for key, text in value.items():
        path = _path(key, flat)
        if path is None:
            continue
        if not isinstance(text, str):
            raise UsageError(f"{label}: the value of {key!r} must be a string, not {type(text).__name__}")
        if path in files:
            raise UsageError(f"{label}: two keys name the file {path}")
        files[check_path(label, path)] = text
    return files


def _known(value: Mapping[str, object], paths: Sequence[str]) -> set[str]:
    return {*paths, *(flat_key(path) for path in paths)}


def _path(key: str, flat: Mapping[str, str]) -> str | None:
    """The path that a key stands for; None when it is not a file's."""
    if key in flat:
        return flat[key]
    if "/" in key or "\\" in key or _PATH.fullmatch(key):
        return key
    match = _FLAT.fullmatch(key)
    return f"{_FOLDERS.get(match[2], '')}{match[1]}.{match[2]}" if match else None
