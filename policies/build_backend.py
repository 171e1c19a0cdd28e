"""Which build backends can build which layouts, as far as that can be told from the file list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from policies.pyproject_edit import remove_statement
from policies.requirements import name_of
from policies.toml_lines import section, statements

PROVIDERS = {
    "setuptools": ("setuptools",),
    "hatchling": ("hatchling",),
    "poetry": ("poetry-core", "poetry"),
    "flit_core": ("flit-core",),
    "flit": ("flit",),
    "pdm": ("pdm-backend", "pdm", "pdm-pep517"),
    "uv_build": ("uv-build",),
}
"""First part of a backend's name -> distributions that provide it."""
ENTRY_POINTS = {
    "setuptools": {"setuptools.build_meta", "setuptools.build_meta:__legacy__"},
    "hatchling": {"hatchling.build", "hatchling.ouroboros"},
    "flit_core": {"flit_core.buildapi"},
    "uv_build": {"uv_build"},
}
"""First part of a backend's name -> every backend object in it, where the list is short and stable."""
GUESSES = {
    "hatchling": (r"(src/)?{}/__init__\.py$", r"{}\.py$"),
    "poetry": (r"(src/)?{}/.*\.py$", r"(src/)?{}\.py$"),
    "flit_core": (r"(src/)?{}/__init__\.py$", r"(src/)?{}\.py$"),
    "uv_build": (r"src/{}/__init__\.py$",),
}
"""Backend -> the files of which one must exist, with the project's name, when nothing is said."""
READS_README = ("hatchling", "poetry", "flit_core", "uv_build")


@dataclass(frozen=True)
class Defect:
    """One reason why a build fails."""

    path: tuple[str, ...]
    message: str
    evidence: str


def defects(data: Mapping[str, Any], files: frozenset[str]) -> Iterator[Defect]:
    """Why building the project fails; nothing when no build happens or the backend is not known."""
    system = data.get("build-system")
    tool = _table(data, "tool")
    if not isinstance(system, dict) or _table(tool, "uv").get("package") is False or "backend-path" in system:
        return
    requires = system.get("requires")
    if not isinstance(requires, list):
        message = "`[build-system]` has no list `requires`"
        yield Defect(("build-system",), message, f"requires = {requires!r}; PEP 518 demands a list")
        return
    backend = str(system.get("build-backend", "setuptools.build_meta:__legacy__"))
    family = re.split(r"[.:]", backend)[0]
    if family not in PROVIDERS:
        return
    yield from _importable(backend, family, [str(entry) for entry in requires])
    if family == "setuptools":
        yield from _setuptools(_table(tool, "setuptools"), files)
    if family in GUESSES and not _told_what_to_ship(family, tool):
        yield from _named_package(family, data, files)
    if family in READS_README:
        yield from _readme(family, data["project"], files)


def installs_modules(data: Mapping[str, Any]) -> bool:
    """Whether the build puts the modules under `src/` on the import path, so that `import model` works."""
    system, tool = data.get("build-system"), _table(data, "tool")
    if not isinstance(system, dict) or _table(tool, "uv").get("package") is False:
        return False
    options = _table(tool, "setuptools")
    searched = _table(options, "packages", "find").get("where")
    automatic = "packages" not in options and "py-modules" not in options
    return "setuptools" in str(system.get("build-backend", "setuptools")) and (
        automatic or searched == ["src"]
    )


def _table(data: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The table at `path`; empty when there is none."""
    for key in path:
        value = data.get(key)
        data = value if isinstance(value, dict) else {}
    return data


def _importable(backend: str, family: str, requires: list[str]) -> Iterator[Defect]:
    """Whether the backend exists and will be installed for the build."""
    if not {name_of(entry) for entry in requires} & set(PROVIDERS[family]):
        yield Defect(
            ("build-system", "requires"),
            f"the build backend `{backend}` is not among the build requirements",
            f"requires = {requires}; the build runs with these packages only",
        )
    if family in ENTRY_POINTS and backend not in ENTRY_POINTS[family]:
        known = ", ".join(sorted(ENTRY_POINTS[family]))
        message = f"there is no build backend `{backend}`"
        yield Defect(("build-system", "build-backend"), message, f"the package has {known}")


def _setuptools(options: Mapping[str, Any], files: frozenset[str]) -> Iterator[Defect]:
    """Package folders that are named and not there."""
    packages = options.get("packages")
    roots = _table(options, "package-dir")
    path = ("tool", "setuptools", "packages")
    if isinstance(packages, list):
        for name in packages:
            folder = str(roots.get(name) or PurePosixPath(roots.get("", "."), *str(name).split(".")))
            if not roots.keys() - {"", name} and not _folder(folder, files):
                evidence = f"packages = {packages}; setuptools stops: `{folder}` does not exist"
                yield Defect(
                    path, f"the package `{name}` that setuptools is told to build is not there", evidence
                )
    elif isinstance(packages, dict):
        for where in _table(packages, "find").get("where", []):
            if not _folder(str(where), files):
                message = f"the folder `{where}` that setuptools is told to search is not there"
                yield Defect((*path, "find", "where"), message, f"where names `{where}`")
    elif packages is not None:
        message = "`tool.setuptools.packages` is neither a list nor a table"
        yield Defect(path, message, f"packages = {packages!r}; setuptools refuses the file")


def _folder(path: str, files: frozenset[str]) -> bool:
    prefix = str(PurePosixPath(path))
    return prefix == "." or any(name.startswith(prefix + "/") for name in files)


def _told_what_to_ship(family: str, tool: Mapping[str, Any]) -> bool:
    """Whether the backend's own options name the files, so that it does not guess."""
    if family == "hatchling":
        return bool(_table(tool, "hatch", "build"))
    if family == "poetry":
        return bool(_table(tool, "poetry").get("packages") or _table(tool, "poetry").get("include"))
    if family == "flit_core":
        return bool(_table(tool, "flit"))
    return bool(_table(tool, "uv", "build-backend"))


def _named_package(family: str, data: Mapping[str, Any], files: frozenset[str]) -> Iterator[Defect]:
    """The package with the project's name, which the backend builds when nothing else is said."""
    name = str(data["project"].get("name", ""))
    module = canonicalize_name(name).replace("-", "_")
    if module and not any(
        re.match(pattern.format(module), path) for pattern in GUESSES[family] for path in files
    ):
        yield Defect(
            ("build-system",),
            f"the build backend of {PROVIDERS[family][0]} finds no package to build",
            f"neither `{module}/` nor `src/{module}/` exists, and no option says what to build instead",
        )


def _readme(family: str, project: Mapping[str, Any], files: frozenset[str]) -> Iterator[Defect]:
    readme = project.get("readme")
    if isinstance(readme, str) and readme not in files:
        message = f"the build backend of {PROVIDERS[family][0]} reads the file `{readme}`, which is not there"
        yield Defect(("project", "readme"), message, f"readme = {readme!r}; the bundle has no such file")


def drop_build_system(text: str) -> str:
    """The file without `[build-system]`, and without telling setuptools, the default, what to build."""
    unwanted: list[tuple[str, ...]] = [("build-system",), ("tool", "setuptools", "packages", "find")]
    for path in unwanted:
        table = section(text, *path)
        text = remove_statement(text, table) if table else text
    for key in ("packages", "package-dir", "py-modules"):
        stated = ("tool", "setuptools", key)
        statement = next((s for s in statements(text) if s.path == stated and not s.header), None)
        text = remove_statement(text, statement) if statement else text
    table = section(text, "tool", "setuptools")
    return remove_statement(text, table) if table and table.first == table.last else text
