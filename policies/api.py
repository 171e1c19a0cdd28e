"""What third-party packages offer: the installed API where one is known, the shipped reference otherwise.

The reference is written by `python -m tools.trial.api_index --write`; see there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from policies.base import Api, Evidence
from policies.parsed import ParsedBundle

DISTRIBUTIONS = {"hydra": "hydra-core", "sklearn": "scikit-learn"}
"""Import names whose distribution has another name."""


def api_to_data(api: Api) -> dict[str, Any]:
    """JSON-able form: names sorted and joined by blanks."""
    return {
        "version": api.version,
        "modules": {module: " ".join(sorted(names)) for module, names in sorted(api.modules.items())},
        "open": sorted(api.open_modules),
        "signatures": {name: " ".join(sorted(words)) for name, words in sorted(api.signatures.items())},
    }


def api_from_data(data: Mapping[str, Any]) -> Api:
    """The inverse of `api_to_data`."""
    return Api(
        version=data["version"],
        modules={module: frozenset(names.split()) for module, names in data["modules"].items()},
        open_modules=frozenset(data["open"]),
        signatures={name: frozenset(words.split()) for name, words in data["signatures"].items()},
    )


@lru_cache(maxsize=1)
def _reference_data() -> Mapping[str, Mapping[str, Any]]:
    text = files("policies").joinpath("data/api_reference.json").read_text(encoding="utf-8")
    data: dict[str, dict[str, Any]] = json.loads(text)
    return data


@lru_cache(maxsize=64)
def reference(package: str) -> Api | None:
    """The API of a package in its version of late 2025; None when the table does not have it."""
    data = _reference_data().get(package)
    return api_from_data(data) if data is not None else None


def api_of(evidence: Evidence, package: str, subject: ParsedBundle | None = None) -> Api | None:
    """The API to judge `package` by; None when none is known or the bundle asks for another version.

    Args:
        evidence: its `installed` comes first.
        package: top-level import name.
        subject: a bundle whose requirements must admit the reference version for it to be used.
    """
    installed = evidence.installed.get(package)
    if installed is not None:
        return installed
    api = reference(package)
    if api is None or subject is None or _admits(subject, package, api.version):
        return api
    return None


def _admits(subject: ParsedBundle, package: str, version: str) -> bool:
    """Whether every requirement on `package` allows `version`; what cannot be read allows all."""
    wanted = canonicalize_name(DISTRIBUTIONS.get(package, package))
    plain = version.partition("+")[0]
    return all(_allows(spec, plain) for name, spec in _requirements(subject) if name == wanted)


def _requirements(subject: ParsedBundle) -> Iterator[tuple[str, str]]:
    """Distribution and version specifier of everything that pyproject asks for, PEP 621 or Poetry style."""
    data = subject.pyproject.data if subject.pyproject is not None and subject.pyproject.data else {}
    declared = _at(data, "project", "dependencies")
    if isinstance(declared, list):
        yield from _parsed(declared)
    for table in (declared, _at(data, "tool", "poetry", "dependencies")):
        for name, spec in table.items() if isinstance(table, dict) else ():
            text = spec.get("version", "") if isinstance(spec, dict) else spec
            yield canonicalize_name(str(name)), str(text)


def _at(data: object, *keys: str) -> object:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _parsed(requirements: Sequence[object]) -> Iterator[tuple[str, str]]:
    for text in requirements:
        try:
            requirement = Requirement(str(text))
        except InvalidRequirement:
            continue
        yield canonicalize_name(requirement.name), str(requirement.specifier)


def _allows(spec: str, version: str) -> bool:
    """Whether a PEP 440 or Poetry specifier admits a version; Poetry's caret counts by major version."""
    text = spec.strip()
    if text[:1] in "^~" and text[1:2].isdigit():
        major = text[1:].partition(".")[0]
        return major in ("0", version.partition(".")[0])
    try:
        return SpecifierSet("" if text == "*" else text).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True
