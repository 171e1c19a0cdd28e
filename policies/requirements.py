"""What a `pyproject.toml` asks for: every spelling people use, and Poetry's translated into PEP 508."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from policies.parsed import ParsedBundle
from policies.tables import table

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
_EXTRAS = re.compile(r"\s*\[([^\]]*)\]")
ELSEWHERE = frozenset({"requirements.txt", "setup.py", "setup.cfg", "Pipfile", "environment.yml"})
"""Files beside `pyproject.toml` that may declare requirements, too."""


def parse_requirement(text: str) -> Requirement | None:
    """The requirement, or None when the text is not one (PEP 508)."""
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def name_of(text: str) -> str:
    """The canonical name at the front of a requirement, even of one that does not parse; empty if none."""
    match = _NAME.match(text)
    return canonicalize_name(match[1]) if match else ""


def constraint(spec: str) -> str | None:
    """A Poetry or npm style constraint as a PEP 440 specifier set; None when it has no single meaning.

    `^1.2` becomes `>=1.2,<2`. A caret or tilde on a zero major becomes a plain floor: Poetry reads `^0.15` as
    `<0.16`, which pins the minor release that was new when the line was written, and the other requirements
    of such a file (all free to move) stop working with it.
    """
    text = spec.strip()
    if text in {"", "*", "latest", "x"}:
        return ""
    if "||" in text or " or " in text:
        return None
    parts = [part for part in re.split(r"\s*,\s*|\s+(?=[<>=!~^])", text) if part]
    translated = [_clause(re.sub(r"^([<>=!~^]+)\s+", r"\1", part)) for part in parts]
    if any(clause is None for clause in translated):
        return None
    joined = ",".join(clause for clause in translated if clause)
    try:
        SpecifierSet(joined)
    except InvalidSpecifier:
        return None
    return joined


def _clause(part: str) -> str | None:
    """One clause of a constraint."""
    match = re.fullmatch(r"(\^|~=|~>|~|===|==|=|!=|>=|<=|=>|=<|>|<)?\s*v?([0-9][0-9A-Za-z.*+!-]*)", part)
    if not match:
        return None
    operator, version = match[1] or "==", match[2]
    operator = {"=": "==", "=>": ">=", "=<": "<=", "~>": "~"}.get(operator, operator)
    if operator in {"^", "~"}:
        return _range(operator, version.rstrip(".*"))
    if version.endswith(".*") and operator not in {"==", "!="}:
        return operator + version.removesuffix(".*") if operator in {">=", "<"} else None
    return operator + version


def _range(operator: str, version: str) -> str | None:
    """What a caret or tilde allows."""
    try:
        release = Version(version).release
    except InvalidVersion:
        return None
    if release[0] == 0:
        return f">={version}"
    if operator == "^" or len(release) == 1:
        return f">={version},<{release[0] + 1}"
    return f">={version},<{release[0]}.{release[1] + 1}"


def from_poetry(name: str, value: object) -> str | None:
    """One `name = value` line of a dependency table as a PEP 508 string; None when that cannot be said."""
    if isinstance(value, str):
        return _from_text(name, value)
    if not isinstance(value, Mapping):
        return None
    extras = value.get("extras") or []
    full = f"{name}[{','.join(map(str, extras))}]" if extras else name
    marker = f"; {value['markers']}" if value.get("markers") else ""
    if "git" in value:
        revision = value.get("rev") or value.get("tag") or value.get("branch")
        return _checked(f"{full} @ git+{value['git']}{'@' + str(revision) if revision else ''}{marker}")
    if "url" in value:
        return _checked(f"{full} @ {value['url']}{marker}")
    base = _from_text(full, str(value.get("version", "*")))
    return None if base is None or "path" in value else _checked(base + marker)


def _from_text(name: str, spec: str) -> str | None:
    """A constraint, or a whole requirement that repeats the name (`torch = "torch>=2"`)."""
    if name_of(spec) == name_of(name) and parse_requirement(spec):
        return spec.strip()
    specifier = constraint(spec)
    return None if specifier is None else _checked(name + specifier)


def _checked(text: str) -> str | None:
    return text if parse_requirement(text) else None


def repair(text: str) -> str | None:
    """A requirement string that does not parse, rewritten where its meaning is clear."""
    body, _, marker = text.strip().partition(";")
    match = _NAME.match(body)
    if not match:
        return None
    name, rest = match[1], body[match.end() :]
    extras = _EXTRAS.match(rest)
    if extras:
        name, rest = f"{name}[{extras[1]}]", rest[extras.end() :]
    specifier = constraint(rest.strip().strip("()").lstrip("@:").strip())
    if specifier is None:
        return None
    return _checked(name + specifier + (f"; {marker.strip()}" if marker else ""))


def is_environment_spec(name: str) -> bool:
    """Whether an entry states the interpreter, not a package."""
    return canonicalize_name(name) == "python"


def declared(subject: ParsedBundle) -> frozenset[str] | None:
    """Canonical names of everything `pyproject.toml` gets installed; None when that cannot be known.

    Wrong spellings count as declared: they are defects of their own.
    """
    document = subject.pyproject
    if document is None or document.data is None:
        return None
    extras: Iterable[object] = ()
    if subject.contract.kind == "tests":
        if not ELSEWHERE.isdisjoint(subject.bundle.tree):
            return None
        extras = _mapping(_mapping(document.data.get("project")).get("optional-dependencies")).values()
    project = _mapping(document.data.get("project"))
    dynamic = project.get("dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        return None
    tool = _mapping(document.data.get("tool"))
    poetry = _mapping(tool.get("poetry"))
    groups = _mapping(document.data.get("dependency-groups"))
    sources = (
        project.get("dependencies"),
        poetry.get("dependencies"),
        groups.get("dev"),
        _mapping(tool.get("uv")).get("dev-dependencies"),
        document.data.get("dependencies"),
        *extras,
    )
    return frozenset(name for source in sources for name in _names(source))


def _mapping(value: object) -> Mapping[str, Any]:  # parsed TOML has no narrower type
    return value if isinstance(value, Mapping) else {}


def _names(source: object) -> Iterable[str]:
    if isinstance(source, Mapping):
        return (canonicalize_name(str(key)) for key in source)
    if isinstance(source, str):
        return (name_of(part) for part in re.split(r"[,\n]", source) if name_of(part))
    if isinstance(source, list):
        return (name_of(_text(entry)) for entry in source if name_of(_text(entry)))
    return ()


def _text(entry: object) -> str:
    """The name of an entry that may be a string or a table such as `{name = "torch"}`."""
    return entry if isinstance(entry, str) else str(_mapping(entry).get("name", ""))


@lru_cache(maxsize=256)
def comes_with(names: frozenset[str]) -> frozenset[str]:
    """`names` and everything that they require unconditionally, all the way down."""
    brings: dict[str, list[str]] = table("brings")
    seen: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += brings.get(name, [])
    return frozenset(seen)


def distributions(module: str) -> tuple[str, ...]:
    """Canonical names of the distributions that provide an import, the usual one first."""
    top = module.partition(".")[0]
    usual = str(table("import_names").get(top, top))
    others: list[str] = table("same_import").get(usual, [])
    return tuple(canonicalize_name(name) for name in (usual, *others))


def with_floor(name: str) -> str:
    """A requirement on `name`, with the oldest release that current code can be expected to run on."""
    floor = table("floors").get(canonicalize_name(name))
    return f"{name}>={floor}" if floor else name


def listed(subject: ParsedBundle) -> tuple[str, ...]:
    """The strings of the list `project.dependencies`, as written."""
    document = subject.pyproject
    data = document.data if document else None
    value = _mapping((data or {}).get("project")).get("dependencies")
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def can_append(subject: ParsedBundle) -> bool:
    """Whether `project.dependencies` is a list, or absent from a `[project]` that is there."""
    document = subject.pyproject
    project = (document.data or {}).get("project") if document else None
    return isinstance(project, dict) and isinstance(project.get("dependencies", []), list)
