"""What third-party packages offer: the installed API where one is known, the shipped reference otherwise.

The reference is one file per package in `data/api`, read when it is asked for. It is written by
`python -m tools.trial.api_index`; see there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from policies.api_signature import signature_of
from policies.base import Api, Evidence
from policies.class_body import words
from policies.parsed import ParsedBundle

T = TypeVar("T")
DISTRIBUTIONS = {"hydra": "hydra-core", "sklearn": "scikit-learn"}
"""Import names whose distribution has another name."""


class Lazy(Mapping[str, T]):
    """A mapping whose values are read from their text when they are asked for."""

    def __init__(self, texts: Mapping[str, Any], read: Callable[[Any], T]) -> None:
        self._texts, self._read = texts, read
        self._values: dict[str, T] = {}

    def __getitem__(self, key: str) -> T:
        if key not in self._values:
            self._values[key] = self._read(self._texts[key])
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self)!r})"


def api_to_data(api: Api) -> dict[str, Any]:
    """JSON-able form: names sorted and joined by blanks, homes grouped by module."""
    return {
        "version": api.version,
        "oldest": api.oldest,
        "modules": {module: " ".join(sorted(names)) for module, names in sorted(api.modules.items())},
        "open": sorted(api.open_modules),
        "homes": {module: _grouped(names) for module, names in sorted(api.homes.items())},
        "classes": {name: " ".join(sorted(names)) for name, names in sorted(api.classes.items())},
        "bases": {name: " ".join(bases) for name, bases in sorted(api.bases.items())},
        "partial": " ".join(sorted(api.partial)),
        "signatures": {name: signature.text for name, signature in sorted(api.signatures.items())},
        "returns": dict(sorted(api.returns.items())),
    }


def api_from_data(data: Mapping[str, Any]) -> Api:
    """The inverse of `api_to_data`. Raises KeyError or TypeError for data of another form."""
    for name in ("modules", "homes", "classes", "bases", "signatures", "returns"):
        if not isinstance(data[name], dict):
            raise TypeError(f"{name} is no mapping")
    return Api(
        version=data["version"],
        oldest=data["oldest"],
        modules=Lazy(data["modules"], words),
        open_modules=frozenset(data["open"]),
        homes=Lazy(data["homes"], _ungrouped),
        classes=Lazy(data["classes"], words),
        bases=Lazy(data["bases"], lambda text: tuple(text.split())),
        partial=words(data["partial"]),
        signatures=Lazy(data["signatures"], signature_of),
        returns=data["returns"],
    )


def _grouped(names: Mapping[str, str]) -> dict[str, str]:
    """Home module -> names, `public:defined` where the two differ."""
    found: dict[str, list[str]] = {}
    for name, home in sorted(names.items()):
        module, _, defined = home.rpartition(".")
        found.setdefault(module, []).append(name if name == defined else f"{name}:{defined}")
    return {module: " ".join(words) for module, words in found.items()}


def _ungrouped(groups: Mapping[str, str]) -> dict[str, str]:
    pairs = ((module, word.partition(":")) for module, words in groups.items() for word in words.split())
    return {name: f"{module}.{defined or name}" for module, (name, _, defined) in pairs}


@lru_cache(maxsize=64)
def reference(package: str) -> Api | None:
    """The API of a package in its version of late 2025; None when the table does not have it."""
    path = files("policies").joinpath(f"data/api/{package}.json")
    if not package.isidentifier() or not path.is_file():
        return None
    return api_from_data(json.loads(path.read_text(encoding="utf-8")))


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
    if api is None or subject is None:
        return api
    versions = filter(None, (api.version, api.oldest))
    return api if any(_admits(subject, package, version) for version in versions) else None


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
