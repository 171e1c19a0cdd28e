"""What PEP 621 does not allow in a `pyproject.toml`, each with the rewriting that mends it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from policies.pyproject_edit import (
    DEFAULT_NAME,
    DEFAULT_VERSION,
    dependency_table_to_list,
    list_of,
    poetry_to_project,
    project_name,
    requirements_in,
    set_project_key,
    toml_string,
)
from policies.requirements import constraint
from policies.toml_lines import section

Mend = Callable[[str], str | None]


@dataclass(frozen=True)
class Problem:
    """One thing that PEP 621 does not allow."""

    path: tuple[str, ...]
    """Where it stands, as keys from the top."""
    message: str
    evidence: str
    mend: Mend | None = None
    """Text of the file -> text without the problem."""


def problems(data: Mapping[str, Any], text: str) -> Iterator[Problem]:
    """Everything in the file that PEP 621 does not allow."""
    project = data.get("project")
    if project is None:
        yield _no_project(data)
        return
    if not isinstance(project, dict):
        yield Problem(("project",), "`project` is not a table", f"it is {project!r}")
        return
    dynamic = project.get("dynamic") if isinstance(project.get("dynamic"), list) else []
    yield from _name(project)
    if "version" not in (dynamic or []):
        yield from _version(project)
    yield from _python(project)
    yield from _dependencies(project, text)
    yield from _optional(project)


def _no_project(data: Mapping[str, Any]) -> Problem:
    tool = data.get("tool")
    if isinstance(tool, dict) and isinstance(tool.get("poetry"), dict):
        return Problem(
            ("tool", "poetry"),
            "only Poetry can read this file: there is no `[project]` table",
            "`[tool.poetry]` is the only description of the project; other installers install nothing",
            poetry_to_project,
        )
    return Problem(
        (),
        "there is no `[project]` table",
        f"top-level tables: {', '.join(sorted(data)) or 'none'}",
        _new_project,
    )


def _new_project(text: str) -> str:
    head = f'[project]\nname = "{DEFAULT_NAME}"\nversion = "{DEFAULT_VERSION}"\ndependencies = []\n'
    if not text.strip():
        return head
    first, last = f"{head}\n{text}", f"{text.rstrip()}\n\n{head}"
    return first if _without_project(first) == tomllib.loads(text) else last


def _without_project(text: str) -> dict[str, Any] | None:
    """The rest of a file; None when a new table on top takes in keys that were in none."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    return {key: value for key, value in data.items() if key != "project"}


def _name(project: Mapping[str, Any]) -> Iterator[Problem]:
    name = project.get("name")
    if name is None:
        evidence = "PEP 621 requires `project.name`"
        mend = _setter("name", toml_string(DEFAULT_NAME))
        yield Problem(("project",), "`[project]` has no name", evidence, mend)
    elif not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", name):
        mend = _setter("name", toml_string(project_name(str(name))))
        evidence = f"name = {name!r}; letters, digits and ._- only, and no blank"
        yield Problem(("project", "name"), "`project.name` is not a valid name", evidence, mend)


def _version(project: Mapping[str, Any]) -> Iterator[Problem]:
    version = project.get("version")
    mend = _setter("version", toml_string(DEFAULT_VERSION))
    if version is None:
        evidence = "PEP 621 requires `project.version`, or `version` in `project.dynamic`"
        yield Problem(("project",), "`[project]` has no version", evidence, mend)
    elif not isinstance(version, str) or not _valid(Version, version):
        evidence = f"version = {version!r} is not a PEP 440 version string"
        yield Problem(("project", "version"), "`project.version` is not a valid version", evidence, mend)


def _python(project: Mapping[str, Any]) -> Iterator[Problem]:
    python = project.get("requires-python")
    if python is None or (isinstance(python, str) and _valid(SpecifierSet, python)):
        return
    specifier = constraint(str(python))
    specifier = f">={specifier[2:]}" if specifier and re.fullmatch(r"==3\.\d+", specifier) else specifier
    yield Problem(
        ("project", "requires-python"),
        "`project.requires-python` is not a version specifier",
        f"requires-python = {python!r} is not PEP 440",
        _setter("requires-python", toml_string(specifier)) if specifier else None,
    )


def _valid(kind: type[Version] | type[SpecifierSet], text: str) -> bool:
    try:
        kind(text)
    except (InvalidVersion, InvalidSpecifier):
        return False
    return True


def _dependencies(project: Mapping[str, Any], text: str) -> Iterator[Problem]:
    value = project.get("dependencies")
    if value is None or (isinstance(value, list) and all(isinstance(entry, str) for entry in value)):
        return
    path = ("project", "dependencies")
    if isinstance(value, dict):
        message = "`project.dependencies` is a table, not a list of PEP 508 strings"
        shown = ", ".join(f"{k} = {v!r}" for k, v in list(value.items())[:3])
        evidence = f"{len(value)} entries such as {shown}"
    elif isinstance(value, list):
        message = "`project.dependencies` has entries that are not strings"
        evidence = f"the first one is {next(e for e in value if not isinstance(e, str))!r}"
    else:
        message = f"`project.dependencies` is a {type(value).__name__}, not a list of PEP 508 strings"
        evidence = f"dependencies = {value!r}"
    if isinstance(value, dict) and section(text, *path):
        yield Problem(path, message, evidence, lambda text: dependency_table_to_list(text, *path))
        return
    listed = requirements_in(value)
    mend = _setter("dependencies", list_of(listed)) if listed is not None else None
    yield Problem(path, message, evidence, mend)


def _optional(project: Mapping[str, Any]) -> Iterator[Problem]:
    value = project.get("optional-dependencies")
    groups = value if isinstance(value, dict) else {"": value} if value is not None else {}
    for group, entries in groups.items():
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            yield Problem(
                ("project", "optional-dependencies", group),
                f"`project.optional-dependencies` {group or 'as a whole'} is not a list of strings",
                f"it is {entries!r}",
            )


def _setter(key: str, code: str) -> Mend:
    return lambda text: set_project_key(text, key, code)
