"""Lists what the packages of an environment offer, from their sources and without importing them.

Run `python -m tools.trial.api_index --write policies/data/api --python PYTHON` to renew the
tables that judge bundles when no environment is known.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from packaging.utils import canonicalize_name

from policies.api import api_from_data, api_to_data
from policies.base import Api
from tools.trial.api_describe import Description
from tools.trial.api_merge import merged
from tools.trial.api_plan import CLOSED, PLAN, UNLISTED, Scope
from tools.trial.api_tree import PackageTree
from tools.trial.environment_probe import named_environment

DEFAULT = tuple(PLAN)
FORMAT = 3
"""Raised when the index would come out differently for the same package."""


def index_environment(
    site_packages: Sequence[Path], packages: Sequence[str] = DEFAULT, cache_root: Path | None = None
) -> dict[str, Api]:
    """Top-level import name -> API, for every one of `packages` that is installed.

    Args:
        site_packages: folders that hold distributions, in import order.
        packages: top-level import names that have a scope in the plan.
        cache_root: where indexes are kept by package version; nothing is kept when None.
    """
    tree = PackageTree(tuple(site_packages))
    found: dict[str, Api] = {}
    with _uncollected():
        for package in packages:
            metadata = _metadata(site_packages, PLAN[package].distribution)
            if metadata is not None and tree.file(package) is not None:
                found[package] = _cached(tree, package, metadata, cache_root)
    return found


def named_apis(python: str, cache_root: Path | None = None) -> dict[str, Api]:
    """What the environment of a named interpreter offers. Raises UsageError when it is none."""
    from tools.trial.environment import default_cache_root

    environment = named_environment(python)
    return index_environment(environment.site_packages, cache_root=cache_root or default_cache_root())


@contextmanager
def _uncollected() -> Iterator[None]:
    """Syntax trees hold millions of objects and no garbage: looking for it takes half of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def installed_version(site_packages: Sequence[Path], distribution: str) -> str:
    """Version of an installed distribution, from the name of its metadata folder; empty when absent."""
    folder = _metadata(site_packages, distribution)
    return _version(folder) if folder is not None else ""


def _metadata(site_packages: Sequence[Path], distribution: str) -> Path | None:
    """The metadata folder of an installed distribution."""
    wanted = canonicalize_name(distribution)
    for root in site_packages:
        for folder in sorted(root.glob("*.dist-info")):
            if canonicalize_name(folder.name.removesuffix(".dist-info").partition("-")[0]) == wanted:
                return folder
    return None


def _version(metadata: Path) -> str:
    return metadata.name.removesuffix(".dist-info").partition("-")[2]


def _content(metadata: Path) -> str:
    """A digest of the sources that were installed: their paths and hashes, where the installer left them."""
    try:
        record = metadata.joinpath("RECORD").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        record = ""
    sources = sorted(line for line in record.splitlines() if ".py," in line or ".pyi," in line)
    return hashlib.sha256("\n".join(sources).encode()).hexdigest()[:12]


def index_package(tree: PackageTree, package: str, version: str) -> Api:
    """Index one package within its scope."""
    scope = PLAN[package]
    modules: dict[str, frozenset[str]] = {}
    opened: set[str] = set()
    for module in _modules(tree, package, scope):
        names, complete = tree.names(module)
        modules[module] = _public(names | UNLISTED.get(module, frozenset()))
        if not (complete or module in CLOSED):
            opened.add(module)
    found = Description(tree, package, scope)
    for module in sorted(modules):
        if not found.skips(module):
            found.add_module(module, modules[module])
    found.finish()
    return Api(
        version,
        modules,
        frozenset(opened),
        homes=found.homes,
        classes=found.classes,
        bases=found.bases,
        partial=frozenset(found.partial),
        signatures=found.signatures,
        returns=found.returns,
    )


def _modules(tree: PackageTree, package: str, scope: Scope) -> Iterator[str]:
    """The package, its modules down to the scope's depth, and those directly below the inner ones."""
    pending = [package, *scope.modules]
    while pending:
        module = pending.pop()
        if tree.file(module) is None:
            continue
        if not tree.shadowed(module):
            yield module
        if module.count(".") < scope.depth or module in scope.inner:
            below = (f"{module}.{name}" for name in sorted(tree.submodules(module)) if not _private(name))
            pending.extend(name for name in below if name.count(".") <= scope.depth or module in scope.inner)


def _private(name: str) -> bool:
    return name.startswith("_") or name in ("test", "tests")


def _public(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if not name.startswith("_"))


def _cached(tree: PackageTree, package: str, metadata: Path, cache_root: Path | None) -> Api:
    """The index of one installation of a package; a damaged cache file is made anew."""
    version = _version(metadata)
    name = f"{package}-{version}-{_content(metadata)}-{FORMAT}.json"
    path = cache_root / "api" / name if cache_root else None
    if path is not None and path.is_file():
        try:
            return api_from_data(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError):
            path.unlink(missing_ok=True)
    api = index_package(tree, package, version)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(f".{os.getpid()}.new")
        scratch.write_text(json.dumps(api_to_data(api), separators=(",", ":")), encoding="utf-8")
        scratch.replace(path)
    return api


def site_packages_of(python: Path) -> tuple[Path, ...]:
    """The folders in which an interpreter looks for distributions."""
    code = "import sysconfig; print(sysconfig.get_path('purelib')); print(sysconfig.get_path('platlib'))"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return tuple(Path(line) for line in dict.fromkeys(done.stdout.split("\n")) if line)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the reference tables from one environment, or from several that hold different versions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--python", type=Path, default=Path(sys.executable))
    parser.add_argument("--older", type=Path, metavar="SITE_PACKAGES", help="versions that count as well")
    options = parser.parse_args(argv)
    newest = site_packages_of(options.python)
    apis = index_environment(newest)
    older = index_environment((options.older, *newest)) if options.older else {}
    options.write.mkdir(parents=True, exist_ok=True)
    for package, api in sorted(apis.items()):
        data = api_to_data(merged(older[package], api) if package in older else api)
        text = json.dumps(data, indent=0, separators=(",", ":")) + "\n"
        options.write.joinpath(f"{package}.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
