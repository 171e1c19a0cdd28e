"""What a bundle asks to have installed: PEP 621 as it stands, or what the author of another form meant."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from policies.parsed import parse_module, parse_toml
from policies.pep621 import problems
from policies.records import Bundle, Failure
from policies.requirements import (
    constraint,
    distributions,
    from_poetry,
    is_environment_spec,
    name_of,
    parse_requirement,
    repair,
    with_floor,
)
from policies.toml_lines import line_of, line_of_string

PYPROJECT = "pyproject.toml"


@dataclass(frozen=True)
class Declared:
    """The requirements of a bundle, in declared order, one per distribution."""

    requirements: tuple[Requirement, ...]
    python: SpecifierSet
    notes: tuple[str, ...]
    """What was left out or had to be guessed, one sentence each."""


def pyproject_failure(bundle: Bundle) -> Failure | None:
    """Why an installer refuses the bundle's `pyproject.toml`; None when it does not."""
    text = bundle.files.get(PYPROJECT)
    if text is None:
        return _failure("MissingPyproject", "the bundle has no pyproject.toml", 0)
    document = parse_toml(PYPROJECT, text)
    if document.data is None:
        return _failure("InvalidPyproject", f"not valid TOML: {document.error}", document.error_line)
    found = list(problems(document.data, text))
    if found:
        rest = "\n".join(f"{p.message}: {p.evidence}" for p in found)
        return _failure("InvalidPyproject", found[0].message, line_of(text, *found[0].path), rest)
    for entry in _listed(document.data) or ():
        if parse_requirement(entry) is None:
            message = f"`{entry}` is not a PEP 508 requirement"
            return _failure("InvalidRequirement", message, line_of_string(text, entry))
    return None


def read_requirements(bundle: Bundle) -> Declared:
    """Everything the bundle wants installed, read as well as its form allows. Never raises."""
    text = bundle.files.get(PYPROJECT, "")
    data = parse_toml(PYPROJECT, text).data or {}
    entries = list(_entries(data))
    notes: list[str] = []
    if not entries and _listed(data) is None:
        entries = [(name, with_floor(name)) for name in _imported(bundle)]
        if entries:
            names = ", ".join(name for name, _ in entries)
            notes.append(f"No requirements could be read; assumed those that the code imports: {names}.")
    found: dict[str, Requirement] = {}
    for shown, entry in entries:
        requirement = parse_requirement(entry) if entry else None
        if requirement is None:
            notes.append(f"Left out `{shown}`, which is no requirement.")
        elif requirement.url:
            notes.append(f"Left out `{shown}`: direct references are not fetched.")
        else:
            found.setdefault(canonicalize_name(requirement.name), requirement)
    return Declared(tuple(found.values()), _python(data), tuple(notes))


def _listed(data: Mapping[str, Any]) -> list[str] | None:  # parsed TOML has no narrower type
    """The list of strings that PEP 621 asks for; None when it is missing or something else."""
    value = _table(data, "project").get("dependencies")
    return value if isinstance(value, list) and all(isinstance(e, str) for e in value) else None


def _table(data: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for key in path:
        value = data.get(key)
        data = value if isinstance(value, Mapping) else {}
    return data


def _entries(data: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Every declared entry: as written, and as PEP 508 text where it has a meaning."""
    sources = (
        _table(data, "project").get("dependencies"),
        _table(data, "tool", "poetry").get("dependencies"),
        data.get("dependencies"),
    )
    for source in sources:
        if isinstance(source, Mapping):
            for name, value in source.items():
                if not is_environment_spec(name):
                    yield f"{name} = {value!r}", from_poetry(name, value)
        elif isinstance(source, str):
            yield from ((line, _text(line)) for line in source.splitlines() if name_of(line))
        elif isinstance(source, list):
            yield from (_item(entry) for entry in source)


def _item(entry: object) -> tuple[str, str | None]:
    if isinstance(entry, str):
        return entry, _text(entry)
    if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
        return str(dict(entry)), from_poetry(str(entry["name"]), entry)
    if isinstance(entry, Mapping) and len(entry) == 1:
        return str(dict(entry)), from_poetry(*next(iter(entry.items())))
    return repr(entry), None


def _text(entry: str) -> str | None:
    return entry if parse_requirement(entry) else repair(entry)


def _python(data: Mapping[str, Any]) -> SpecifierSet:
    """The admitted interpreters; all of them when that is not said or does not parse."""
    stated = _table(data, "project").get("requires-python")
    stated = stated or _table(data, "tool", "poetry", "dependencies").get("python")
    try:
        return SpecifierSet(constraint(str(stated or "")) or "")
    except InvalidSpecifier:
        return SpecifierSet()


def _imported(bundle: Bundle) -> list[str]:
    """Distributions that provide what the code imports at module level or below, sorted."""
    own = {path.split("/")[0].removesuffix(".py") for path in bundle.files}
    found: set[str] = set()
    for path, text in bundle.files.items():
        if path.endswith(".py"):
            for top in _tops(parse_module(path, text).nodes):
                if top not in own and top not in sys.stdlib_module_names:
                    found.add(distributions(top)[0])
    return sorted(found)


def _tops(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _failure(exception: str, message: str, line: int, tail: str = "") -> Failure:
    return Failure(
        phase="install", exception=exception, message=message, file=PYPROJECT, line=line, tail=tail
    )
