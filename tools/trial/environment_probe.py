"""What an interpreter is and has, asked without importing any of its libraries."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from policies.errors import UsageError
from tools.trial.base import Environment

OLDEST = (3, 9)
_PROBE_S = 60.0
_PROBE = """
import json, sys, sysconfig
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "platform": sysconfig.get_platform(),
    "implementation": sys.implementation.name,
    "prefixes": [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix],
    "path": [p for p in sys.path if p],
    "purelib": [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")],
}))
"""


def named_environment(spec: str) -> Environment:
    """The environment of an interpreter, or of a virtual environment's directory, that the user named.

    Raises UsageError when there is no such thing, or it does not run.
    """
    python = _interpreter(spec)
    facts = probe(python)
    if tuple(facts["version"][:2]) < OLDEST:
        raise UsageError(
            f"{python} is Python {_dotted(facts)}; rehearsals need {_dotted_pair(OLDEST)} or newer"
        )
    folders = [Path(p) for p in facts["path"] if Path(p).is_dir()]
    site_packages = tuple(p for p in folders if p.name in ("site-packages", "dist-packages"))
    versions = installed_versions(site_packages)
    prefixes = _readable([*map(Path, facts["prefixes"]), *_links(python), *folders])
    text = json.dumps([str(python), facts["version"], sorted(versions.items())])
    key = hashlib.sha256(text.encode()).hexdigest()[:20]
    return Environment(python, prefixes, site_packages, versions, key, built=False)


def built_environment(root: Path, base: dict[str, Any], key: str, notes: tuple[str, ...]) -> Environment:
    """The environment that was built in `root`. Nothing in it is executed to describe it."""
    major, minor = base["version"][:2]
    site_packages = (root / "lib" / f"python{major}.{minor}" / "site-packages",)
    python = root / "bin" / "python"
    prefixes = _readable([root, *map(Path, base["prefixes"]), *_links(python)])
    versions = installed_versions(site_packages)
    return Environment(python, prefixes, site_packages, versions, key, built=True, notes=notes)


def probe(python: Path) -> dict[str, Any]:  # parsed JSON has no narrower type
    """Version, platform and places of an interpreter. Raises UsageError when it does not run."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        result = subprocess.run(
            [python, "-I", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_S,
            env=env,
            check=False,
        )
        facts: dict[str, Any] = json.loads(result.stdout) if result.returncode == 0 else {}
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        raise UsageError(f"{python} does not run as a Python interpreter: {error}") from error
    if not facts:
        tail = (result.stderr.strip().splitlines() or ["no output"])[-1]
        raise UsageError(f"{python} does not run as a Python interpreter: {tail}")
    return facts


def installed_versions(site_packages: tuple[Path, ...]) -> dict[str, str]:
    """Canonical distribution name -> version, read from metadata alone; the first on the path counts."""
    found: dict[str, str] = {}
    for distribution in distributions(path=[str(path) for path in site_packages]):
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(canonicalize_name(name), distribution.version)
    return dict(sorted(found.items()))


def base_python() -> Path:
    """The interpreter that our own environment was made from."""
    name = f"python{_dotted_pair(sys.version_info[:2])}"
    candidates = (
        getattr(sys, "_base_executable", ""),
        str(Path(sys.base_prefix) / "bin" / name),
        sys.executable,
    )
    return next(Path(c) for c in candidates if c and Path(c).exists())


def _interpreter(spec: str) -> Path:
    path = Path(os.path.normpath(Path(spec).expanduser().absolute()))  # links stay: a venv's python is one
    if path.is_dir():
        inner = path / "bin" / "python"
        if not inner.exists():
            raise UsageError(f"{path} is a directory without bin/python; name an interpreter or a venv")
        return inner
    if not path.exists():
        raise UsageError(f"there is no interpreter {path}; name one, or use `auto`")
    return path


def _readable(paths: list[Path]) -> tuple[Path, ...]:
    """The directories that cover all paths, under the given names and behind their links.

    A directory that holds the user's home is left out: it would show everything in it.
    """
    both = {q for p in paths if p.is_dir() for q in (p, p.resolve())}
    both = {p for p in both if not Path.home().is_relative_to(p)}
    return tuple(sorted(p for p in both if not any(p != q and p.is_relative_to(q) for q in both)))


def _links(python: Path) -> list[Path]:
    """The directories of an executable and of everything that it links to in turn."""
    found = [python.parent]
    while python.is_symlink() and len(found) < 40:
        python = Path(os.path.normpath(python.parent / python.readlink()))
        found.append(python.parent)
    return found


def _dotted(facts: dict[str, Any]) -> str:
    return ".".join(map(str, facts["version"]))


def _dotted_pair(pair: tuple[int, ...]) -> str:
    return ".".join(map(str, pair))
