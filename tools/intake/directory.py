"""Reads a bundle from a directory or git checkout."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from policies.contract import STANDARD
from policies.errors import UsageError
from policies.records import Request, ResearchContext, Run
from tools.intake.build import RUN_FOLDERS, build, run_id_of
from tools.intake.files import MAX_BYTES, decode_source, read_file, shown
from tools.intake.names import check_path

MAX_FILES = 500
_IGNORED = frozenset(
    {"venv", "env", "virtualenv", "site-packages", "results", "outputs", "output", "multirun", "wandb"}
    | {"runs", "build", "dist", "checkpoints", "data", "datasets", "logs", "cache", "mlruns"}
)
"""Folders that hold environments, data or results, not code; judged only outside `src` and `config`."""


def read_directory(root: Path) -> Request:
    """The contract's files, the run configs and every other Python file or config of a directory.

    Raises: UsageError when the directory holds no bundle, or a file of it cannot be taken.
    """
    label = shown(root)
    if not any((root / path).is_file() for path in STANDARD.files if path.endswith(".py")):
        wanted = ", ".join(path for path in STANDARD.files if path.endswith(".py"))
        raise UsageError(
            f"{label}: this directory holds no bundle: it has none of {wanted}; "
            "a plain project is read with --policy python-tests"
        )
    files, binaries, notes = _read(root, label, sorted(_paths(root, label)))
    bundle, more = build(label, files, {}, STANDARD)
    bundle = bundle.model_copy(update={"binaries": binaries})
    runs = tuple(Run(run_id=run_id_of(path)) for path in sorted(bundle.run_configs))
    notes += [*more, "The directory has no criteria text: the newest standard contract is assumed."]
    if not runs:
        notes.append(f"No run configs were found in {' or '.join(RUN_FOLDERS)}.")
    return Request(
        source=label,
        kind="directory",
        bundle=bundle,
        context=ResearchContext(runs=runs),
        notes=tuple(notes),
    )


def _read(root: Path, label: str, paths: list[str]) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Path -> text, path -> Base64 of what is no text, and notes; sizes are added up before any reading."""
    total = sum(_size(root, label, path) for path in paths)
    if total > MAX_BYTES:
        raise UsageError(f"{label}: the bundle's files hold {total:,} bytes, the limit is {MAX_BYTES:,}")
    files: dict[str, str] = {}
    binaries: dict[str, str] = {}
    notes: list[str] = []
    for path in paths:
        where = shown(root / path)
        data = read_file(root / path, where)
        text, more = decode_source(where, data)
        notes += more
        if text is None:
            binaries[path] = base64.b64encode(data).decode("ascii")
        else:
            files[path] = text
    return files, binaries, notes


def _paths(root: Path, label: str) -> Iterator[str]:
    """The contract's files, then other Python files and configs, without what is only left lying about."""
    own = {path for path in STANDARD.files if os.path.lexists(root / path)}
    yield from own
    count = len(own)
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if _wanted(here / name, Path(folder, name)))
        for name in sorted(names):
            path = (here / name).as_posix()
            if path in own or not _belongs(here, name):
                continue
            count += 1
            if count > MAX_FILES:
                raise UsageError(f"{label}: more than {MAX_FILES} code files: this is no bundle")
            yield check_path(label, path)


def _wanted(relative: Path, folder: Path) -> bool:
    """Whether a folder may hold files of the bundle."""
    inside_own = relative.parts[0] in ("src", "config")
    name = relative.name
    if name.startswith(".") or name in ("__pycache__", "node_modules") or name.endswith(".egg-info"):
        return False
    return inside_own or (name not in _IGNORED and not (folder / "pyvenv.cfg").exists())


def _belongs(folder: Path, name: str) -> bool:
    """Python files anywhere, YAML files under `config`."""
    if name.startswith("."):
        return False
    in_config = bool(folder.parts) and folder.parts[0] == "config"
    return name.endswith(".py") or (in_config and name.endswith((".yaml", ".yml")))


def _size(root: Path, label: str, path: str) -> int:
    """Size of a file in bytes; refuses links that leave the directory and what is not a file."""
    full = root / path
    try:
        inside = full.resolve(strict=True).is_relative_to(root.resolve())
        status = full.stat()
    except (OSError, RuntimeError) as error:
        raise UsageError(
            f"{label}: {shown(path)} cannot be read: it is a broken link or not readable"
        ) from error
    if not inside:
        raise UsageError(f"{label}: {shown(path)} is a link that leaves the directory")
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{label}: {shown(path)} is not a regular file")
    return status.st_size
